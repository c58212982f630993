"""A desk on a real pipeline: configuration and templates of the project, SQLite in a temporary folder, the sandbox running."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import pregon.sandbox
from pregon.bootstrap import build_pipeline, running_stand_ins
from pregon.pipeline import Pipeline
from pregon.sandbox import Sandbox
from pregon.settings import Settings, load_settings
from pregon.types import Role
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

    def campaign(self, kind: str = "circular", language: str = "fr") -> str:
        """The slug of a sample campaign without open questions."""
        rows = self.pipeline.reviewing.list_campaigns()
        views = [self.pipeline.reviewing.show_campaign(row.campaign.slug) for row in rows]
        fitting = [v for v in views if v.campaign.kind == kind and v.source.item.language == language]
        return fitting[0].campaign.slug

    def draft_ids(self, slug: str) -> dict[str, int]:
        return {d.draft.channel.value: d.draft.id for d in self.pipeline.reviewing.show_campaign(slug).drafts}


def make_settings(folder: Path, base_url: str = ORIGIN) -> Settings:
    for name in ("config", "templates"):
        shutil.copytree(PROJECT / name, folder / name)
    settings = load_settings(folder, {"PREGON_BASE_URL": base_url})
    shutil.copytree(SAMPLE / "inbox", settings.home / "inbox")
    return settings


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    settings = make_settings(tmp_path)
    with running_stand_ins(settings) as sandbox:
        pipeline = build_pipeline(settings, sandbox)
        pipeline.people.import_contacts((SAMPLE / "members.csv").read_text(encoding="utf-8"))
        pipeline.watching.watch(force=True)
        pipeline.drafting.sweep()
        for role in Role:
            pipeline.people.add_user(role.value, PASSWORD, role)
        assert sandbox is not None
        yield Place(pipeline, sandbox)
        pipeline.store.close()


@dataclass
class Browser:
    """A client that fills forms as a person would: with the token that stands on the page."""

    http: TestClient
    csrf: str = ""

    def sign_in(self, name: str) -> Browser:
        answer = self.http.post("/sign-in", data={"name": name, "password": PASSWORD, "next": "/"})
        assert answer.status_code == 303, answer.text
        self.csrf = re.search(r'name="csrf" value="([^"]+)"', self.get("/")).group(1)
        return self

    def get(self, path: str, status: int = 200) -> str:
        answer = self.http.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2000:])
        return answer.text

    def post(self, path: str, status: int = 303, **fields: object) -> str:
        answer = self.http.post(path, data={"csrf": self.csrf} | fields)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2000:])
        return answer.text if status != 303 else answer.headers["location"]


@pytest.fixture
def browse(place: Place) -> Iterator[Callable[[str], Browser]]:
    app = build_app(place.pipeline)

    def signed_in(name: str) -> Browser:
        http = TestClient(app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)
        browser = Browser(http)
        return browser.sign_in(name) if name else browser

    yield signed_in
