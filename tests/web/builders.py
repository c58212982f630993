"""What the desk's tests share: a settled place to work in, and a client that fills forms as a person would."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from starlette.testclient import TestClient

import pregon.sandbox
from passwords import add_person
from pregon.bootstrap import build_pipeline, running_stand_ins
from pregon.pipeline import Pipeline
from pregon.sandbox import Sandbox
from pregon.settings import Settings, load_settings
from pregon.types import CampaignSearch, Decision, Delivery, DeliveryState, Role
from pregon.web.app import build_app

PROJECT = Path(__file__).parents[2]
SAMPLE = Path(pregon.sandbox.__file__).parent / "sample"
PASSWORD = "correct horse battery"
ORIGIN = "http://desk.test"


@dataclass
class Place:
    """A running pipeline, the stand-ins that it speaks to, and what was hinted."""

    pipeline: Pipeline
    sandbox: Sandbox
    hints: list[tuple[str, str]] = field(default_factory=list)

    def hint(self, event: str, resource: str) -> None:
        self.hints.append((event, resource))

    def campaign(self, kind: str = "circular", language: str = "fr") -> str:
        """The slug of a sample campaign without open questions."""
        rows = self.pipeline.reviewing.list_campaigns(CampaignSearch(kind=kind))
        slugs = (row.campaign.slug for row in rows)
        return next(s for s in slugs if self.pipeline.reviewing.show_campaign(s).source.item.language == language)

    def send(self, slug: str) -> list[Delivery]:
        """Approve and deliver a campaign; its sent deliveries."""
        person = self.pipeline.people.user("approver")
        for view in self.pipeline.reviewing.show_campaign(slug).drafts:
            self.pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, person)
        self.pipeline.delivering.deliver()
        return [row for row in self.pipeline.reviewing.who(slug) if row.state is DeliveryState.SENT]

    def draft_ids(self, slug: str) -> dict[str, int]:
        return {d.draft.channel.value: d.draft.id for d in self.pipeline.reviewing.show_campaign(slug).drafts}


def make_settings(folder: Path, base_url: str = ORIGIN, prepared: Path | None = None) -> Settings:
    """The project's configuration and templates in `folder`, with a copy of a prepared home or only the inbox."""
    for name in ("config", "templates"):
        shutil.copytree(PROJECT / name, folder / name)
    settings = load_settings(folder, {"PREGON_BASE_URL": base_url})
    if prepared is not None:
        shutil.copytree(prepared, settings.home)
    else:
        shutil.copytree(SAMPLE / "inbox", settings.home / "inbox")
    return settings


def prepare_home(settings: Settings) -> None:
    """The sample documents drafted, the sample members imported, and a person of every role."""
    with running_stand_ins(settings) as sandbox:
        pipeline = build_pipeline(settings, sandbox)
        pipeline.contacts.import_text((SAMPLE / "members.csv").read_text(encoding="utf-8"))
        pipeline.watching.watch(force=True)
        pipeline.drafting.sweep()
        for role in Role:
            add_person(pipeline, role.value, PASSWORD, role)
        pipeline.store.close()


@contextmanager
def open_place(settings: Settings) -> Iterator[Place]:
    """A running pipeline on a prepared home."""
    with running_stand_ins(settings) as sandbox:
        assert sandbox is not None
        pipeline = build_pipeline(settings, sandbox)
        yield Place(pipeline, sandbox)
        pipeline.store.close()


class Compiled(BytecodeCache):
    """The pages as Jinja compiled them, by their text: once for all desks of these tests."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        kept = self._kept.get((bucket.key, bucket.checksum))
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_COMPILED = Compiled()


def build_desk(place: Place) -> FastAPI:
    """The desk of a place."""
    app = build_app(place.pipeline, hint=place.hint)
    app.state.desk.pages.bytecode_cache = _COMPILED
    return app


@dataclass
class Browser:
    """A client that fills forms as a person would: with the token that stands on the page."""

    http: TestClient
    csrf: str = ""

    def sign_in(self, name: str) -> Browser:
        answer = self.http.post("/sign-in", data={"name": name, "password": PASSWORD, "next": "/"})
        assert answer.status_code == 303, answer.text
        self.csrf = re.search(r'name="csrf" value="([^"]+)"', self.get("/account")).group(1)
        return self

    def get(self, path: str, status: int = 200) -> str:
        answer = self.http.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2000:])
        return answer.text

    def post(self, path: str, status: int = 303, **fields: object) -> str:
        answer = self.http.post(path, data={"csrf": self.csrf} | fields)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2000:])
        return answer.text if status != 303 else answer.headers["location"]
