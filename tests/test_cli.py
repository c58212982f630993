"""The command as other programs use it: exit statuses, one JSON document, one sentence for what goes wrong."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import click
import pytest

import forking
from pregon.cli import cli

ROOT = Path(__file__).parents[1]
PREGON = Path(sys.executable).parent / "pregon"
INBOX = ROOT / "src" / "pregon" / "sandbox" / "sample" / "inbox"
SEED = ROOT.parent / "shared" / "seeds" / "circulaire-46-2018.fr.txt"


@pytest.fixture
def environment(tmp_path):
    return {**os.environ, "PREGON_HOME": str(tmp_path / "home")}


@pytest.fixture
def installed(environment):
    """The command as it is installed, with a start of its own."""

    def run(*words, root=ROOT):
        return subprocess.run(
            [PREGON, *map(str, words)], cwd=root, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def pregon(environment, tmp_path):
    """The command in a process of its own that need not import anything."""

    def run(*words, root=ROOT):
        return forking.run_pregon([str(word) for word in words], cwd=root, env=environment, out=tmp_path)

    return run


def test_read_prints_one_json_document_and_stores_nothing(installed, tmp_path):
    done = installed("read", INBOX / "circulaire-13-2026.fr.txt", "--json")
    item = json.loads(done.stdout)
    assert done.returncode == 0
    assert (item["kind"], item["language"], item["number"], item["date"]) == ("circular", "fr", 13, "2026-11-12")
    assert not (tmp_path / "home").exists()


def test_draft_writes_files_and_fails_when_a_check_does(pregon, tmp_path):
    clean = pregon("draft", INBOX / "circulaire-13-2026.fr.txt", "--out", tmp_path / "out", "--json")
    assert clean.returncode == 0
    drafts = json.loads(clean.stdout)["drafts"]
    assert [draft["channel"] for draft in drafts] == ["email", "x", "youtube"]
    assert all(Path(path).stat().st_size for draft in drafts for path in draft["files"].values())
    assert pregon("draft", INBOX / "circular-12-2026.en.md").returncode == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("missing.txt", None),
        ("empty.txt", b""),
        ("noise.txt", bytes(range(256)) * 50),
        ("huge.txt", b"x " * 26_000_000),
    ],
)
def test_a_document_that_cannot_be_read_costs_one_sentence(pregon, tmp_path, name, data):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    done = pregon("read", tmp_path / name)
    assert done.returncode == 1
    assert done.stdout == ""
    assert name in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_wrong_configuration_exits_2_with_each_finding(installed, tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "root" / "config")
    path = tmp_path / "root" / "config" / "channels.yaml"
    path.write_text(path.read_text() + "speed: 9\n")
    done = installed("check", "--json", root=tmp_path / "root")
    assert done.returncode == 2
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["file"], finding["key"]) == ("channels.yaml", "speed")
    assert installed("check", root=tmp_path / "root").returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        ("draft", INBOX / "circulaire-13-2026.fr.txt", "--out", ROOT / "README.md" / "sub"),
        ("report", "--out", "/nope/x.html"),
        ("report", "--out", "/nope/x.csv"),
        ("backup", "/nope/b.zip"),
        ("contacts", "import", INBOX.parent / "members.csv", "--rejected", "/nope/r.csv"),
    ],
    ids=["draft", "html", "csv", "backup", "rejected"],
)
def test_a_place_that_cannot_be_written_to_costs_one_sentence(pregon, words):
    done = pregon(*words)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].endswith("Check that its folder is there and that you may write to it.")
    assert "Traceback" not in done.stderr
    assert "Traceback" in pregon("--debug", *words).stderr


def test_a_port_that_is_taken_costs_one_sentence(pregon, environment):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment["PREGON_PORT"] = str(taken.getsockname()[1])
        done = pregon("serve", "--no-engine")
    sentence = f"Port {environment['PREGON_PORT']} of 127.0.0.1 is taken; end what uses it, or set PREGON_PORT.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)


def test_the_doctor_asks_every_account_and_server_that_the_configuration_names(pregon, environment, tmp_path):
    root = tmp_path / "root"
    for folder in ("config", "templates"):
        shutil.copytree(ROOT / folder, root / folder)
    well = pregon("doctor", "--json", root=root)
    told = {row["what"]: (row["state"], row["detail"]) for row in json.loads(well.stdout)}
    assert well.returncode == 0
    assert told["account x"] == ("ok", "@tidalcities")
    assert told["account youtube"] == ("ok", "Tidal Cities Network")
    assert told["account email"] == ("ok", "news@tidalcities.example")
    assert told["templates"][0] == told["database"][0] == "ok"
    (root / "templates" / "email" / "circular.mjml.j2").write_text("{% if %}")
    channels, network = root / "config" / "channels.yaml", root / "config" / "network.yaml"
    forum = "\ndiscourse:\n  provider: discourse\n  mode: live\n  host: https://127.0.0.1:9\n  account: secretariat\n  categories: {fr: 7}\n"
    channels.write_text(channels.read_text() + forum)
    translation = "\ntranslation:\n  provider: libretranslate\n  address: http://127.0.0.1:9\n"
    network.write_text(network.read_text() + translation)
    desk = "openid:\n  issuer: http://127.0.0.1:9\n  client_id: pregon\n  roles: {officers: approver}\n"
    (root / "config" / "desk.yaml").write_text(desk)
    environment["PREGON_DISCOURSE_KEY"] = "key"
    ill = pregon("doctor", "--json", root=root)
    assert ill.stdout, ill.stderr
    failing = {row["what"]: row["detail"] for row in json.loads(ill.stdout) if row["state"] == "failing"}
    assert ill.returncode == 1
    assert set(failing) == {"templates", "account discourse", "translator", "sign-in"}
    assert "line 1" in failing["templates"]
    assert "cannot be reached" in failing["account discourse"]


def test_the_doctor_finds_a_silent_source_and_a_line_of_the_log_that_was_changed(pregon, tmp_path):
    root = tmp_path / "root"
    for folder in ("config", "templates"):
        shutil.copytree(ROOT / folder, root / folder)
    feed = "\n  - {id: site, kind: feed, address: 'http://127.0.0.1:9/feed', allow_private: true}\n"
    sources = root / "config" / "sources.yaml"
    sources.write_text(sources.read_text().replace("sources:\n", f"sources:{feed}"))
    added = pregon("user", "add", "ana", "--role", "viewer", "--password", "a long enough password")
    assert added.returncode == 0
    with closing(sqlite3.connect(tmp_path / "home" / "pregon.db")) as database:
        database.execute("DROP TRIGGER audit_log_no_update")
        database.execute("UPDATE audit_log SET subject = 'ben'")
        database.commit()
    done = pregon("doctor", "--json", root=root)
    failing = {row["what"]: row["detail"] for row in json.loads(done.stdout) if row["state"] == "failing"}
    assert done.returncode == 1
    assert set(failing) == {"audit log", "source site"}
    assert "by pregon is not as it was written" in failing["audit log"]


def test_the_demo_speaks_to_stand_ins_only(pregon, environment, tmp_path):
    root = tmp_path / "root"
    for folder in ("config", "templates"):
        shutil.copytree(ROOT / folder, root / folder)
    channels = root / "config" / "channels.yaml"
    channels.write_text(channels.read_text().replace("provider: x\n  mode: sandbox", "provider: x\n  mode: live"))
    names = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    environment |= {f"PREGON_X_{name}": "made up" for name in names}
    done = pregon("demo", "--headless", root=root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The demo needs every channel in sandbox mode; set mode: sandbox in config/channels.yaml.\n"
    assert not (tmp_path / "home" / "demo").exists()


def list_commands(group, path=()):
    with group.make_context("pregon", [], resilient_parsing=True) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from list_commands(command, (*path, name))
            else:
                yield " ".join((*path, name)), {option for each in command.params for option in each.opts}


def test_every_command_that_ends_gives_json():
    without = {name for name, options in list_commands(cli) if "--json" not in options}
    assert without == {"serve", "sandbox"}


def test_what_nobody_expected_costs_one_sentence_and_a_traceback_only_when_asked_for(pregon, tmp_path):
    assert pregon("campaigns").returncode == 0
    with closing(sqlite3.connect(tmp_path / "home" / "pregon.db")) as database:
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute("DROP TABLE contacts")
    done = pregon("doctor", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "no such table: contacts" in done.stderr
    assert "Traceback" in pregon("--debug", "doctor").stderr


def test_an_address_that_does_not_answer_is_nobody_elses_to_try_again(pregon):
    done = pregon("read", "http://127.0.0.1:9/circular.html")
    assert done.returncode == 1
    assert done.stderr.endswith(": try again later.\n")


def test_a_playbook_without_channels_says_so(pregon, tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "root" / "config")
    shutil.copytree(ROOT / "templates", tmp_path / "root" / "templates")
    playbooks = tmp_path / "root" / "config" / "playbooks.yaml"
    playbooks.write_text("playbooks: {circular: {}}\n", encoding="utf-8")
    done = pregon("draft", INBOX / "circulaire-13-2026.fr.txt", root=tmp_path / "root")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "No draft: the playbook circular of config/playbooks.yaml names no channel.\n"


def test_an_unknown_word_exits_2(installed):
    assert installed("shout").returncode == 2


def test_the_desk_s_decisions_from_a_terminal(pregon):
    assert pregon("contacts", "import", INBOX.parent / "members.csv").returncode == 0
    pregon("user", "add", "ines", "--role", "approver", "--password", "a long enough password")
    pregon("user", "add", "vito", "--role", "viewer", "--password", "a long enough password")
    added = json.loads(pregon("add", INBOX / "circulaire-13-2026.fr.txt", "--json").stdout)
    again = json.loads(pregon("add", INBOX / "circulaire-13-2026.fr.txt", "--json").stdout)
    assert (added["new"], again["new"]) == (True, False)
    slug = added["campaign"]
    drafts = json.loads(pregon("show", slug, "--json").stdout)["drafts"]
    refused = pregon("approve", drafts[0]["draft"], "--by", "vito")
    assert refused.returncode == 1
    assert "viewer" in refused.stderr
    done = pregon("approve", drafts[0]["draft"], "--by", "ines")
    assert done.returncode == 0
    reach = drafts[0]["recipients"], drafts[0]["excluded"]
    assert done.stdout.strip().endswith("approved by ines; {} mails ({} left out)".format(*reach))
    done = pregon("reject", drafts[1]["draft"], "--by", "ines", "--comment", "shorter", "--json")
    rejected = json.loads(done.stdout)
    assert (rejected["decision"], rejected["state"]) == ("needs_changes", "needs_changes")
    wrong = ("--kind", "nonsense"), ("--channel", "nonsense"), ("--language", "klingon")
    assert [pregon("campaigns", *words).returncode for words in wrong] == [2, 2, 2]
    assert [each["campaign"] for each in json.loads(pregon("campaigns", "--language", "fr", "--json").stdout)] == [slug]
    assert pregon("deliver").returncode == 0
    rows = json.loads(pregon("who", slug, "--json").stdout)
    assert {row["state"] for row in rows} == {"sent", "suppressed"}
    sent = sum(row["state"] == "sent" for row in rows)
    (report,) = json.loads(pregon("report", "--json").stdout)
    assert report["sent"] == sent
    assert "`pregon campaigns` lists them." in pregon("show", "nowhere").stderr


def test_the_rejected_rows_never_replace_the_file_of_contacts(pregon, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("email,language\na@x.example,en\nnobody,en\n", encoding="utf-8")
    done = pregon("contacts", "import", file, "--rejected", file)
    assert (done.returncode, "is the file of contacts itself" in done.stderr) == (1, True)
    assert file.read_text(encoding="utf-8").startswith("email,language\na@x.example")


def test_what_the_command_does_to_people_stands_in_the_log(pregon, tmp_path):
    password = ("--password", "a long enough password")
    assert pregon("user", "add", "boss", "--role", "admin", *password).returncode == 0
    refused = pregon("user", "add", "boss", "--role", "viewer", *password)
    assert (refused.returncode, refused.stderr) == (1, "boss is the last admin; make somebody else an admin first.\n")
    assert pregon("contacts", "import", INBOX.parent / "members.csv", "--dry-run").returncode == 0
    assert pregon("contacts", "import", INBOX.parent / "members.csv").returncode == 0
    assert pregon("contacts", "erase", "nobody@city.example").returncode == 0
    added = pregon("user", "add", "vito", "--role", "viewer", *password, "--json")
    assert json.loads(added.stdout) == {"name": "vito", "role": "viewer", "active": True}
    assert json.loads(pregon("user", "deactivate", "vito", "--json").stdout) == {"name": "vito", "active": False}
    with closing(sqlite3.connect(tmp_path / "home" / "pregon.db")) as database:
        log = database.execute("SELECT person, action, subject, detail FROM audit_log ORDER BY id").fetchall()
    assert log == [
        ("pregon", "person", "boss", "role admin"),
        ("pregon", "import", "contacts", "60 accepted, 0 rejected"),
        ("pregon", "erase", "an address", "erased"),
        ("pregon", "person", "vito", "role viewer"),
        ("pregon", "person", "vito", "deactivated; sessions and tokens ended"),
    ]


@pytest.mark.seeds
@pytest.mark.skipif(not SEED.exists(), reason="the user's own documents are not beside this checkout")
def test_the_real_circular_is_read_as_it_is(pregon):
    item = json.loads(pregon("read", SEED, "--json").stdout)
    expected = {
        "kind": "circular",
        "language": "fr",
        "number": 46,
        "year": 2018,
        "date": "2018-06-25",
        "place": "Barcelone",
        "salutation": "Chers membres",
        "events": [],
        "deadlines": [],
        "videos": [],
        "contacts": ["info@uclg-digitalcities.org"],
        "handles": ["@uclg_cdc"],
    }
    assert {key: item[key] for key in expected} == expected
    (call,) = item["calls"]
    assert (call["capacity"], call["contact"], call["deadline"]) == (10, "info@uclg-digitalcities.org", None)
    assert [question["id"] for question in item["questions"]].count("link.placeholder") == 2
    text = SEED.read_text(encoding="utf-8")
    for start, end in [question["span"] for question in item["questions"]]:
        assert text[start:end].strip()
