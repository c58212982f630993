"""What a source's configuration may say, per kind; each wrong word is a finding with its key."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from pregon.cli import cli
from pregon.errors import ConfigError
from pregon.settings import Settings, SourceConfig, load_settings
from pregon.source_rules import find_address_problem, youtube_channel, youtube_feed
from pregon.types import SourceKind

ROOT = Path(__file__).parents[1]
CHANNEL = "UC" + "a_-9" * 5 + "bc"
SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()


def load(folder: Path, sources: list[dict[str, object]], environment: dict[str, str], **more: object) -> Settings:
    if not (folder / "config").exists():
        shutil.copytree(ROOT / "config", folder / "config")
    (folder / "config" / "sources.yaml").write_text(yaml.safe_dump({"sources": sources, **more}), encoding="utf-8")
    return load_settings(folder, environment)


@pytest.mark.parametrize(
    ("kind", "address", "words"),
    [
        ("folder", "inbox", None),
        ("folder", " ", "relative to the data folder"),
        ("feed", "https://t.example/feed", None),
        ("feed", "t.example/feed", "begins with https"),
        ("feed", "https://a:b@t.example/feed", "no password"),
        ("feed", "https://t.example:x/", "not an address"),
        ("wordpress", "https://t.example", None),
        ("wordpress", "imap://t.example", "begins with https"),
        ("youtube", CHANNEL, None),
        ("youtube", f"https://www.youtube.com/channel/{CHANNEL}", None),
        ("youtube", f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}", None),
        ("youtube", f"file:///feeds?channel_id={CHANNEL}", "begins with https"),
        ("youtube", "https://www.youtube.com/@tidalcities", "begins with UC"),
        ("mailbox", "imaps://a%40t.example@imap.t.example/Circulars", None),
        ("mailbox", "imaps://imap.t.example/Circulars", "USER@HOST"),
        ("mailbox", "imaps://a:secret@imap.t.example/", "out of the address"),
        ("mailbox", "https://a@t.example/", "USER@HOST"),
        ("webhook", "", None),
        ("webhook", "https://t.example", "no address"),
    ],
)
def test_an_address_fits_its_kind(kind, address, words):
    problem = find_address_problem(SourceKind(kind), "site", address)
    assert (problem is None) == (words is None)
    assert words is None or words in problem


def test_every_spelling_of_a_channel_is_its_feed():
    feed = f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}"
    assert {youtube_feed(each) for each in (CHANNEL, f"https://www.youtube.com/channel/{CHANNEL}/", feed)} == {feed}
    assert youtube_channel("https://www.youtube.com/channel/short") is None


def test_wrong_addresses_are_findings_with_their_key(tmp_path):
    sources = [
        {"id": "a", "kind": "feed", "address": "nowhere"},
        {"id": "check", "kind": "webhook", "active": False},
        {"id": "c", "kind": "pigeon"},
    ]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, sources, {}, polling={"in_flight": 0})
    keys = {finding.key for finding in caught.value.findings}
    assert keys == {"sources.0", "sources.1", "sources.2.kind", "polling.in_flight"}


def test_secrets_come_from_the_environment_only(tmp_path):
    sources = [
        {"id": "members-area", "kind": "webhook"},
        {"id": "post", "kind": "mailbox", "address": "imaps://a@t.example/In"},
        {"id": "off", "kind": "webhook", "active": False},
    ]
    names = {"PREGON_SOURCE_MEMBERS_AREA_SECRET": SECRET, "PREGON_SOURCE_POST_SECRET": "pass word"}
    settings = load(tmp_path, sources, names)
    assert settings.source_secrets == {"members-area": SECRET, "post": "pass word"}
    assert SECRET not in repr(settings)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, sources, {})
    assert {(finding.id, finding.key) for finding in caught.value.findings} == {
        ("env.missing-secret", name) for name in names
    }


@pytest.mark.parametrize("secret", ["tiny-word", "whsec_c2hvcnQ=", "whsec_not base64 at all, though long enough"])
def test_a_weak_secret_is_refused_without_being_shown(tmp_path, secret):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, [{"id": "door", "kind": "webhook"}], {"PREGON_SOURCE_DOOR_SECRET": secret})
    assert "set PREGON_SOURCE_DOOR_SECRET to whsec_" in str(caught.value)
    assert secret not in str(caught.value)


def test_the_shipped_examples_are_right():
    text = (ROOT / "config" / "sources.yaml").read_text(encoding="utf-8")
    lines = [line[1:] if line.startswith("#  ") else line for line in text.splitlines()]
    lines += [line[2:] for line in lines if line.startswith("# polling")]
    value = yaml.safe_load("\n".join(lines))
    kinds = {SourceConfig.model_validate(source).kind for source in value["sources"]}
    assert kinds == set(SourceKind)
    assert set(value["polling"]) == {"in_flight", "host_gap_seconds"}


def test_the_command_shows_every_kind(tmp_path, monkeypatch):
    (tmp_path / "templates").mkdir()
    sources = [
        {"id": "inbox", "kind": "folder", "address": "inbox"},
        {"id": "door", "kind": "webhook"},
        {"id": "channel", "kind": "youtube", "address": CHANNEL, "active": False},
    ]
    monkeypatch.setenv("PREGON_SOURCE_DOOR_SECRET", SECRET)
    monkeypatch.setenv("PREGON_HOME", str(tmp_path / "data"))
    load(tmp_path, sources, {"PREGON_SOURCE_DOOR_SECRET": SECRET})
    done = CliRunner().invoke(cli, ["--root", str(tmp_path), "sources"], catch_exceptions=False)
    rows = [line.split() for line in done.output.splitlines()[2:]]
    assert [row[:3] for row in rows] == [
        ["inbox", "folder", "active"],
        ["door", "webhook", "active"],
        ["channel", "youtube", "paused"],
    ]
    assert rows[1][-1].endswith("/sources/door")
    watched = CliRunner().invoke(cli, ["--root", str(tmp_path), "watch"], catch_exceptions=False)
    assert "there is no folder" in watched.output
    shown = CliRunner().invoke(cli, ["--root", str(tmp_path), "sources"], catch_exceptions=False).output
    assert "failing" in shown
    assert "inbox: There is no folder" in shown
