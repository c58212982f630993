"""What is changed between approval and sending never leaves: each part of a revision, in storage, template or configuration.

That every leaf of any content is in its digest is shown in `tests/drafts/test_encoding.py`; here the send stops.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import CLEAN, ROOT, SAMPLE, VIDEO, Clock, House  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.sandbox import Sandbox, running_sandbox
from pregon.settings import ForumConfig, Settings, TopicRule, load_settings
from pregon.types import ChannelName, Decision, Kind, MailFields, Media, PostFields

Tamper = Callable[[dict[str, Any]], object]
PICTURE = Media("quay.png", "image/png", b"\x89PNG made up", "The quay at low tide")


@dataclass(frozen=True)
class Approved:
    """A database in which one draft of each channel is approved and due: channel -> its file."""

    files: dict[str, Path]
    settings: Settings
    sandbox: Sandbox
    clock: Clock

    def deliver(self, channel: str, path: Path, settings: Settings | None = None, template: str = "") -> set[str]:
        """Deliver from a copy of the database; the states of the channel's rows."""
        given = (settings or self.settings).model_copy(update={"database_url": f"sqlite:///{path}"})
        pipeline = build_pipeline(given, self.sandbox, clock=self.clock)
        if template:
            templates = dict(pipeline.composing._templates())
            changed = templates[template].replace("<mj-body", '<mj-body css-class="x"', 1)
            templates[template] = changed if ".mjml" in template else f"{changed}\nAnother line\n"
            pipeline.composing._templates = lambda: templates  # type: ignore[method-assign]
        pipeline.delivering.deliver()
        slug = next(campaign.slug for campaign in pipeline.store.list_campaigns())
        states = {row.state.value for row in pipeline.reviewing.who(slug) if row.channel == channel}
        pipeline.store.close()
        return states

    def seen(self) -> dict[str, int]:
        """What the providers were asked to write, by path."""
        counts = self.sandbox.read("requests")["counts"]
        return {name: count for name, count in counts.items() if " GET " not in name and "token" not in name}


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Approved]:
    home = tmp_path_factory.mktemp("approved")
    given, clock = load_settings(ROOT, {"PREGON_HOME": str(home / "home")}), Clock()
    playbook = given.playbooks[Kind.CIRCULAR].model_copy(update={"discourse": TopicRule(tags=("circulars",))})
    forum = ForumConfig(provider="discourse", account="secretariat", categories={"fr": 8})
    settings = given.model_copy(
        update={
            "playbooks": {**given.playbooks, Kind.CIRCULAR: playbook},
            "channels": given.channels.model_copy(update={"discourse": forum}),
        }
    )
    with running_sandbox() as sandbox:
        files = {}
        for channel in ("email", "x", "youtube", "discourse"):
            files[channel] = home / f"{channel}.db"
            _approve(channel, files[channel], settings, sandbox, clock)
        clock.forward(minutes=10)
        yield Approved(files, settings, sandbox, clock)


def _approve(channel: str, path: Path, settings: Settings, sandbox: Sandbox, clock: Clock) -> None:
    here = settings.model_copy(update={"database_url": f"sqlite:///{path}", "home": path.with_suffix("")})
    house = House(build_pipeline(here, sandbox, clock=clock), sandbox, clock, here)
    house.pipeline.contacts.import_text((SAMPLE / "members.csv").read_text(encoding="utf-8"))
    slug = house.open_campaign(VIDEO if channel == "youtube" else CLEAN)
    view = house.draft(slug, channel)
    fields, edits = view.revision.fields, house.pipeline.reviewing
    if channel == "email":
        assert isinstance(fields, MailFields)
        soon = clock() + timedelta(minutes=5)
        edits.edit_draft(view.draft.id, view.revision.number, fields, house.officer, send_at=soon)
    if channel == "x":
        assert isinstance(fields, PostFields)
        pictured = replace(fields, media=((PICTURE,),))
        edits.edit_draft(view.draft.id, view.revision.number, pictured, house.officer)
    view = house.draft(slug, channel)
    edits.decide(view.draft.id, Decision.APPROVED, view.revision.digest, house.officer)
    house.pipeline.store.close()


def put(*path: str | int, value: Any = None) -> Tamper:
    """Change one leaf: text and numbers by a little, or to `value`."""

    def tamper(stored: dict[str, Any]) -> None:
        place: Any = stored
        for step in path[:-1]:
            place = place[step]
        old = place[path[-1]]
        little = old + ("x" if isinstance(old, str) else 1) if old is not None else "x"
        place[path[-1]] = value if value is not None else little

    return tamper


LATER = "2031-01-01T00:00:00+00:00"
# (channel, the column, which part, how it is changed)
PARTS: list[tuple[str, str, str, Tamper]] = [
    *(("email", "content_json", name, put("body", name)) for name in ("subject", "preheader", "html", "text", "mjml")),
    ("email", "content_json", "calendar", put("body", "calendar", value="BEGIN:VCALENDAR")),
    *(("email", "content_json", f"sender {name}", put("sender", name)) for name in ("name", "address")),
    ("email", "content_json", "answers go to", put("sender", "reply_to", value="someone@else.example")),
    ("email", "content_json", "audience's lists", put("audience", "lists", 0)),
    ("email", "content_json", "audience's languages", put("audience", "languages", 0)),
    ("email", "content_json", "time", put("send_at", value=LATER)),
    ("email", "content_json", "campaign", put("campaign")),
    *(("email", "fields_json", name, put(name)) for name in ("subject", "preheader", "title", "lead", "closing")),
    ("email", "fields_json", "button", put("button_url", value="https://elsewhere.example/")),
    ("email", "fields_json", "a block", put("sections", 0, "paragraphs", 0)),
    ("email", "fields_json", "the last block", put("sections", -1, "paragraphs", -1)),
    ("x", "content_json", "text", put("body", "parts", 0, "text")),
    ("x", "content_json", "picture", put("body", "parts", 0, "media", 0, "data", value="AAAA")),
    ("x", "content_json", "alt text", put("body", "parts", 0, "media", 0, "alt_text")),
    ("x", "content_json", "account", put("account")),
    ("x", "content_json", "reply fallback", put("body", "reply_fallback", value=True)),
    ("x", "fields_json", "text", put("parts", 0)),
    ("x", "fields_json", "picture", put("media", 0, 0, "data", value="AAAA")),
    ("x", "fields_json", "alt text", put("media", 0, 0, "alt_text")),
    *(
        ("youtube", column, f"operation's {name}", put(*where, name))
        for column, where in (("content_json", ("body", "operations", 0)), ("fields_json", ("operations", 0)))
        for name in ("op", "playlist_id", "video_id")
    ),
    ("discourse", "content_json", "category", put("body", "category")),
    ("discourse", "content_json", "tag", put("body", "tags", 0)),
    ("discourse", "fields_json", "text", put("parts", 0)),
]


def tampered(approved: Approved, channel: str, folder: Path, statement: Callable[[sqlite3.Connection], object]) -> Path:
    path = folder / "tampered.db"
    shutil.copy(approved.files[channel], path)
    with sqlite3.connect(path) as connection:
        statement(connection)
    connection.close()
    return path


@pytest.mark.parametrize(
    ("channel", "column", "tamper"),
    [pytest.param(channel, column, how, id=f"{channel} {column} {name}") for channel, column, name, how in PARTS],
)
def test_a_changed_part_stops_the_send(
    approved: Approved, tmp_path: Path, channel: str, column: str, tamper: Tamper
) -> None:
    def change(connection: sqlite3.Connection) -> None:
        # The draft's newest revision is the one that was approved.
        query = f"SELECT revisions.id, {column} FROM revisions JOIN approvals USING (draft_id) ORDER BY number DESC"
        number, text = connection.execute(query).fetchone()
        stored = json.loads(text)
        tamper(stored)
        assert json.loads(text) != stored
        connection.execute(f"UPDATE revisions SET {column} = ? WHERE id = ?", (json.dumps(stored), number))

    before = approved.seen()
    states = approved.deliver(channel, tampered(approved, channel, tmp_path, change))
    assert "held" in states
    assert states <= {"held", "suppressed"}
    assert approved.seen() == before


def of_network(**changes: Any) -> Callable[[Settings], Settings]:
    return lambda settings: settings.model_copy(update={"network": settings.network.model_copy(update=changes)})


def of_sender(settings: Settings) -> Settings:
    sender = settings.network.sender.model_copy(update={"name": "Somebody else"})
    return of_network(sender=sender)(settings)


def of_channel(name: str, **changes: Any) -> Callable[[Settings], Settings]:
    def change(settings: Settings) -> Settings:
        channel = settings.channel(ChannelName(name)).model_copy(update=changes)
        return settings.model_copy(update={"channels": settings.channels.model_copy(update={name: channel})})

    return change


def of_audience(settings: Settings) -> Settings:
    playbook = settings.playbooks[Kind.CIRCULAR]
    assert playbook.email
    audience = playbook.email.audience.model_copy(update={"lists": ("everybody",)})
    mail = playbook.email.model_copy(update={"audience": audience})
    playbooks = {**settings.playbooks, Kind.CIRCULAR: playbook.model_copy(update={"email": mail})}
    return settings.model_copy(update={"playbooks": playbooks})


@pytest.mark.parametrize(
    ("channel", "change"),
    [
        ("email", of_sender),
        ("email", of_audience),
        ("email", of_network(website={"fr": "https://elsewhere.example/"})),
        ("x", of_channel("x", account="@somebody")),
        ("youtube", of_channel("youtube", account="Another channel")),
        ("discourse", of_channel("discourse", categories={"fr": 9})),
    ],
)
def test_a_changed_configuration_stops_the_send(
    approved: Approved, tmp_path: Path, channel: str, change: Callable[[Settings], Settings]
) -> None:
    before = approved.seen()
    path = tampered(approved, channel, tmp_path, lambda _: None)
    assert "held" in approved.deliver(channel, path, change(approved.settings))
    assert approved.seen() == before


@pytest.mark.parametrize("template", ["email/base.mjml.j2", "email/base.txt.j2"])
def test_a_changed_template_stops_the_send(approved: Approved, tmp_path: Path, template: str) -> None:
    before = approved.seen()
    path = tampered(approved, "email", tmp_path, lambda _: None)
    assert "held" in approved.deliver("email", path, template=template)
    assert approved.seen() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approvals SET digest = 'sha256:0'",
        "UPDATE approvals SET revision = revision - 1",
        "UPDATE approvals SET decision = 'withdrawn'",
        "UPDATE drafts SET state = 'in_review' WHERE state = 'approved'",
        "DELETE FROM approvals",
    ],
)
@pytest.mark.parametrize("channel", ["email", "x"])
def test_an_approval_that_is_not_what_it_was_stops_the_send(
    approved: Approved, tmp_path: Path, channel: str, statement: str
) -> None:
    before = approved.seen()
    path = tampered(approved, channel, tmp_path, lambda connection: connection.execute(statement))
    assert "sent" not in approved.deliver(channel, path)
    assert approved.seen() == before


@pytest.mark.parametrize("channel", ["email", "x", "youtube", "discourse"])
def test_what_nobody_changed_leaves(approved: Approved, tmp_path: Path, channel: str) -> None:
    before = approved.seen()
    assert "sent" in approved.deliver(channel, tampered(approved, channel, tmp_path, lambda _: None))
    assert approved.seen() != before
