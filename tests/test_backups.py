"""Everything out and in again, on either database, with nothing that goes out by itself afterwards."""

from __future__ import annotations

import json
import zipfile
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.conftest import CLEAN, SAMPLE, Clock, House  # type: ignore[import-not-found]
from postgres import fresh_schema, postgres_server
from pregon.backups import restore_backup, write_backup
from pregon.bootstrap import build_pipeline
from pregon.errors import DecisionError, PregonError
from pregon.sandbox import running_sandbox
from pregon.settings import load_settings
from pregon.types import Consent, Decision, Wish

__all__ = ["postgres_server"]
ROOT = Path(__file__).parents[1]


def read_settings(home: Path, url: str):
    return load_settings(ROOT, {"PREGON_HOME": str(home), "PREGON_DATABASE_URL": url})


@pytest.fixture
def house(tmp_path):
    settings = read_settings(tmp_path / "home", f"sqlite:///{tmp_path / 'a.db'}")
    clock = Clock()
    with running_sandbox(tmp_path / "sandbox.db") as sandbox:
        pipeline = build_pipeline(settings, sandbox, clock=clock)
        pipeline.contacts.import_text((SAMPLE / "members.csv").read_text(encoding="utf-8"))
        yield House(pipeline, sandbox, clock, settings)
        pipeline.store.close()


def back_up(house, tmp_path) -> Path:
    path = tmp_path / "copy.zip"
    counts = write_backup(house.pipeline.store, house.settings, path, house.clock())
    assert counts["contacts"] > 40
    assert counts["deliveries"] > 40
    return path


def test_a_restore_that_was_interrupted_is_not_taken_for_a_database(house, tmp_path, monkeypatch):
    house.approve(house.open_campaign(CLEAN), "email")
    path, settings = back_up(house, tmp_path), read_settings(tmp_path / "other", f"sqlite:///{tmp_path / 'b.db'}")
    monkeypatch.setattr("pregon.storage.store.Store.hold_everything", interrupt)
    with pytest.raises(KeyboardInterrupt):
        restore_backup(settings, path, house.clock())
    with pytest.raises(PregonError, match="restore into it was interrupted"):
        build_pipeline(settings, house.sandbox, clock=house.clock)
    monkeypatch.undo()
    (tmp_path / "b.db").unlink()
    assert restore_backup(settings, path, house.clock())["held"] > 0
    build_pipeline(settings, house.sandbox, clock=house.clock).store.close()


def interrupt(*_):
    raise KeyboardInterrupt


def dump(store):
    kept = ("deliveries", "notices", "funnel_marks", "funnels", "plans")
    return {name: list(rows) for name, rows in store.dump_tables() if name not in kept}


@pytest.mark.parametrize("target", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_everything_comes_back_and_waits_for_a_person(house, tmp_path, target, request):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "x")
    house.pipeline.delivering.deliver()
    posts = len(house.sandbox.read("posts"))
    house.approve(slug, "email")
    path = back_up(house, tmp_path)
    on_postgres = target == "postgresql"
    url = f"sqlite:///{tmp_path / 'b.db'}"
    with fresh_schema(request.getfixturevalue("postgres")) if on_postgres else nullcontext(url) as place:
        settings = read_settings(tmp_path / "other", place)
        counts = restore_backup(settings, path, house.clock())
        pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
        assert dump(pipeline.store) == dump(house.pipeline.store)
        assert counts["held"] == house.states(slug, "email").count("pending") > 0
        assert (settings.home / "secret.key").read_bytes() == (house.settings.home / "secret.key").read_bytes()
        assert (settings.home / "secret.key").stat().st_mode & 0o077 == 0
        assert (settings.home / "restored" / "config" / "network.yaml").exists()
        pipeline.delivering.deliver()
        assert house.sandbox.read("mails") == []
        assert len(house.sandbox.read("posts")) == posts
        again = House(pipeline, house.sandbox, house.clock, settings)
        assert again.states(slug, "email").count("held") == counts["held"]
        assert again.states(slug, "x") == ["sent"] * len(again.states(slug, "x"))
        # It may have gone out since the backup: approving it a second time is no word on that.
        view, decide = again.draft(slug, "email"), pipeline.reviewing.decide
        with pytest.raises(DecisionError, match="may have gone out"):
            decide(view.draft.id, Decision.WITHDRAWN, view.revision.digest, house.officer)
        ids = tuple(row.id for row in pipeline.reviewing.who(slug) if row.state == "held")
        pipeline.reviewing.resolve_deliveries(ids, "pending", house.officer)
        pipeline.delivering.deliver()
        assert len(house.sandbox.read("mails")) == counts["held"]
        # New rows come after those that were restored.
        again.drop("new.en.md", "# A new one\n\nThe network tells its members that the quay is open again for all.\n")
        assert len(again.watch()) == 1
        pipeline.store.close()


def test_a_mail_that_somebody_asked_for_before_the_backup_does_not_go_out_after_it(house, tmp_path):
    wish = Wish("Ana", ("public",), Consent.UNKNOWN, Consent.UNKNOWN, "I agree.")
    house.pipeline.signups.ask("ana@new.example", "fr", wish, connection="192.0.2.1")
    path = tmp_path / "copy.zip"
    write_backup(house.pipeline.store, house.settings, path, house.clock())
    settings = read_settings(tmp_path / "other", f"sqlite:///{tmp_path / 'b.db'}")
    restore_backup(settings, path, house.clock())
    pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    pipeline.noticing.send_due()
    pipeline.store.close()
    assert house.sandbox.read("mails") == []
    house.pipeline.noticing.send_due()
    assert len(house.sandbox.read("mails")) == 1


def test_what_was_held_may_have_been_released_since(house, tmp_path):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.clock.forward(days=3)
    house.pipeline.delivering.deliver()
    people = house.states(slug, "email").count("held")
    path, settings = back_up(house, tmp_path), read_settings(tmp_path / "other", f"sqlite:///{tmp_path / 'b.db'}")
    assert restore_backup(settings, path, house.clock())["held"] == people > 0
    pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    again = House(pipeline, house.sandbox, house.clock, settings)
    view, decide = again.draft(slug, "email"), pipeline.reviewing.decide
    with pytest.raises(DecisionError, match="may have gone out"):
        decide(view.draft.id, Decision.WITHDRAWN, view.revision.digest, house.officer)
    pipeline.store.close()


def test_what_is_released_before_its_time_waits_for_it(house, tmp_path):
    slug, later = house.open_campaign(CLEAN), house.clock().replace(microsecond=0) + timedelta(days=3)
    view, reviewing = house.draft(slug, "email"), house.pipeline.reviewing
    reviewing.edit_draft(view.draft.id, 1, view.revision.fields, house.officer, send_at=later)
    house.approve(slug, "email")
    path, settings = back_up(house, tmp_path), read_settings(tmp_path / "other", f"sqlite:///{tmp_path / 'b.db'}")
    held = restore_backup(settings, path, house.clock())["held"]
    pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    ids = tuple(row.id for row in pipeline.reviewing.who(slug) if row.state == "held")
    assert pipeline.reviewing.resolve_deliveries(ids, "pending", house.officer) == held > 0
    pipeline.delivering.deliver()
    assert house.sandbox.read("mails") == []
    house.clock.forward(days=3)
    pipeline.delivering.deliver()
    assert len(house.sandbox.read("mails")) == held
    pipeline.store.close()


def test_a_plan_that_was_open_is_held_too(house, tmp_path, monkeypatch):
    monkeypatch.setattr("pregon.pipeline.reviewing._PLANNED_AT_ONCE", -1)
    slug = house.open_campaign(CLEAN)
    recipients = house.draft(slug, "email").recipients
    house.approve(slug, "email")
    path = tmp_path / "copy.zip"
    write_backup(house.pipeline.store, house.settings, path, house.clock())
    settings = read_settings(tmp_path / "other", f"sqlite:///{tmp_path / 'b.db'}")
    assert restore_backup(settings, path, house.clock())["held"] == recipients


def test_a_damaged_or_foreign_file_changes_nothing(house, tmp_path):
    house.open_campaign(CLEAN)
    path = tmp_path / "copy.zip"
    write_backup(house.pipeline.store, house.settings, path, house.clock())
    settings = read_settings(tmp_path / "other", f"sqlite:///{tmp_path / 'b.db'}")
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for change in (
        {"tables/contacts.jsonl": files["tables/contacts.jsonl"].replace(b"members", b"nobody1", 1)},
        {"manifest.json": b"{}"},
        {"manifest.json": json.dumps(json.loads(files["manifest.json"]) | {"format": 2}).encode()},
    ):
        broken = tmp_path / "broken.zip"
        with zipfile.ZipFile(broken, "w") as archive:
            for name, data in (files | change).items():
                archive.writestr(name, data)
        with pytest.raises(PregonError):
            restore_backup(settings, broken, house.clock())
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(PregonError, match="cannot be read"):
        restore_backup(settings, tmp_path / "text.zip", house.clock())
    assert not (tmp_path / "b.db").exists()
    assert not settings.home.exists()


def test_neither_a_file_nor_a_database_is_overwritten(house, tmp_path):
    house.open_campaign(CLEAN)
    path = tmp_path / "copy.zip"
    write_backup(house.pipeline.store, house.settings, path, house.clock())
    before = path.read_bytes()
    with pytest.raises(PregonError, match="exists already"):
        write_backup(house.pipeline.store, house.settings, path, house.clock())
    assert path.read_bytes() == before
    with pytest.raises(PregonError, match="database already"):
        restore_backup(house.settings, path, house.clock())
    assert len(house.pipeline.reviewing.list_campaigns()) == 1
