"""Every finding is told at once, with its file, its key and what to do."""

import shutil
from pathlib import Path

import pytest
import yaml

from pregon.bootstrap import check_templates
from pregon.errors import ConfigError
from pregon.settings import load_settings

ROOT = Path(__file__).parents[1]


@pytest.fixture
def root(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path


def change(root, name, edit):
    path = root / "config" / name
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(value)
    path.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")


def findings(root, environment=None):
    with pytest.raises(ConfigError) as caught:
        load_settings(root, environment or {})
    return {(finding.id, finding.file, finding.key) for finding in caught.value.findings}


def test_the_shipped_configuration_is_right_and_leaves_nothing_out(root):
    settings = load_settings(root, {})
    assert settings.sandboxed()
    assert settings.base_url == "http://127.0.0.1:8321"


def test_a_wrong_key_is_named_with_its_file(root):
    change(root, "network.yaml", lambda value: value.update(nmae="x"))
    change(root, "channels.yaml", lambda value: value["email"].update(batchsize=3))
    assert findings(root) == {
        ("config.unknown-key", "network.yaml", "nmae"),
        ("config.unknown-key", "channels.yaml", "email.batchsize"),
    }


def test_every_finding_has_a_hint(root):
    change(root, "network.yaml", lambda value: value.pop("chair"))
    with pytest.raises(ConfigError) as caught:
        load_settings(root, {})
    assert all(finding.hint and finding.message for finding in caught.value.findings)
    assert "network.yaml: chair" in str(caught.value)


def test_a_language_without_a_text_is_missed(root):
    change(root, "network.yaml", lambda value: value["name"].pop("es"))
    assert findings(root) == {("config.bad-value", "network.yaml", "")}


def test_an_unreadable_and_a_missing_file_are_told_together(root):
    (root / "config" / "sources.yaml").write_text("sources: [", encoding="utf-8")
    (root / "config" / "playbooks.yaml").unlink()
    found = findings(root)
    assert {(identity, file) for identity, file, _ in found} == {
        ("config.unreadable", "sources.yaml"),
        ("config.no-file", "playbooks.yaml"),
    }


def test_a_file_that_is_no_yaml_is_one_finding(root):
    (root / "config" / "network.yaml").write_text("name: {en: x\nlanguages: [en]\n", encoding="utf-8")
    assert findings(root) == {("config.unreadable", "network.yaml", "line 2")}


def test_a_key_that_is_written_twice_is_told(root):
    for name, more in (
        ("desk", "\nhooks: {allow_private: true, allow_private: false}\n"),
        ("network", "\nname: {en: x}\n"),
    ):
        with (root / "config" / f"{name}.yaml").open("a", encoding="utf-8") as file:
            file.write(more)
    found = findings(root)
    assert ("config.twice", "desk.yaml", "hooks.allow_private") in found
    assert ("config.twice", "network.yaml", "name") in found


@pytest.mark.parametrize("key", ["address", "reply_to"])
def test_a_sender_needs_addresses(root, key):
    change(root, "network.yaml", lambda value: value["sender"].update({key: "news at tidalcities"}))
    assert findings(root) == {("config.bad-value", "network.yaml", f"sender.{key}")}


@pytest.mark.parametrize("address", ["iñaki@tidalcities.example", "news@mareés.example"])
def test_a_mail_is_from_an_address_that_every_provider_takes(root, address):
    change(root, "network.yaml", lambda value: value["sender"].update(address=address))
    assert findings(root) == {("config.bad-value", "network.yaml", "sender.address")}


def test_templates_are_checked_with_the_rest(root):
    shutil.copytree(ROOT / "templates", root / "templates")
    check_templates(load_settings(root, {}))
    change(root, "playbooks.yaml", lambda value: value["playbooks"]["news"]["x"].update(template="nonsense"))
    (root / "templates" / "email" / "news.mjml.j2").write_text("\n{% if x %}", encoding="utf-8")
    (root / "templates" / "email" / "study.txt.j2").write_text("{% extends 'email/none.txt.j2' %}", encoding="utf-8")
    (root / "templates" / "words.es.yaml").write_text("[", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        check_templates(load_settings(root, {}))
    told = {(finding.id, finding.file, finding.key): finding.message for finding in caught.value.findings}
    assert set(told) == {
        ("template.missing", "playbooks.yaml", "playbooks.news.x.template"),
        ("template.broken", "templates/email/news.mjml.j2", ""),
        ("template.broken", "templates/email/study.txt.j2", ""),
        ("template.words", "templates/words.es.yaml", ""),
    }
    assert told["template.broken", "templates/email/news.mjml.j2", ""].startswith("line 2: ")


def test_a_live_channel_needs_its_credentials(root):
    change(root, "channels.yaml", lambda value: value["x"].update(mode="live"))
    found = findings(root)
    assert {identity for identity, _, _ in found} == {"env.missing-secret"}
    assert {key for _, _, key in found} >= {"PREGON_X_CONSUMER_KEY", "PREGON_X_ACCESS_TOKEN"}
    secrets = {key: "given" for _, _, key in found}
    assert not load_settings(root, secrets).sandboxed()


@pytest.mark.parametrize("given", [{}, {"PREGON_BASE_URL": "http://news.tidalcities.example"}])
def test_live_mail_needs_an_address_at_which_readers_unsubscribe(root, given):
    change(root, "channels.yaml", lambda value: value["email"].update(mode="live"))
    environment = {"PREGON_SENDGRID_API_KEY": "given", "PREGON_SENDGRID_WEBHOOK_KEY": "given"}
    assert findings(root, environment | given) == {("env.base-url", "environment", "PREGON_BASE_URL")}
    reachable = {"PREGON_BASE_URL": "https://news.tidalcities.example"}
    assert not load_settings(root, environment | reachable).sandboxed()


@pytest.mark.parametrize("name", ["email", "x", "youtube"])
def test_an_unknown_provider_is_refused(root, name):
    change(root, "channels.yaml", lambda value: value[name].update(provider="pigeon"))
    assert findings(root) == {("config.unknown-provider", "channels.yaml", f"{name}.provider")}


def test_two_sources_with_one_id_a_kind_and_a_language_that_do_not_exist(root):
    source = {"id": "a", "kind": "folder", "address": "x", "language": "eu"}
    change(root, "sources.yaml", lambda value: value.update(sources=[source, source]))
    change(root, "playbooks.yaml", lambda value: value["playbooks"].update(poem={}))
    assert {identity for identity, _, _ in findings(root)} == {
        "config.twice",
        "config.unknown-language",
        "config.unknown-kind",
    }


def test_a_time_zone_that_does_not_exist_is_refused(root):
    change(root, "network.yaml", lambda value: value.update(time_zone="Europe/Atlantis"))
    assert findings(root) == {("config.bad-value", "network.yaml", "time_zone")}


def test_a_port_that_is_none_is_refused(root):
    assert findings(root, {"PREGON_PORT": "eighty"}) == {("env.port", "environment", "PREGON_PORT")}


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/x", "postgresql+none://host/x", "postgresql://h:port/x"])
def test_an_address_of_no_database_is_refused_and_not_shown(root, url):
    assert findings(root, {"PREGON_DATABASE_URL": url}) == {("env.database", "environment", "PREGON_DATABASE_URL")}


def test_a_data_folder_that_is_a_file_is_refused(root):
    (root / "taken").write_text("")
    for home in ("taken", "taken/below"):
        assert findings(root, {"PREGON_HOME": str(root / home)}) == {("env.home", "environment", "PREGON_HOME")}


def test_secrets_are_not_shown(root):
    settings = load_settings(root, {"PREGON_SENDGRID_API_KEY": "SG.private"})
    assert "SG.private" not in repr(settings)


@pytest.mark.parametrize(("minutes", "provider"), [(19, "sendgrid"), (4321, "sendgrid"), (60, "smtp")])
def test_only_sendgrid_is_handed_mails_ahead_and_neither_too_soon_nor_too_far(root, minutes, provider):
    change(root, "channels.yaml", lambda value: value["email"].update(handover_minutes=minutes, provider=provider))
    assert {(file, key) for _, file, key in findings(root)} == {("channels.yaml", "email.handover_minutes")}
