"""A pipeline on a database and a sandbox of its own, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pregon.bootstrap import build_pipeline
from pregon.pipeline import Pipeline
from pregon.sandbox import Sandbox, running_sandbox
from pregon.settings import Settings, load_settings
from pregon.types import Decision, Role, User

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "src" / "pregon" / "sandbox" / "sample"
# The sample's members who read French or English and are on the list `members` get the circular.
CLEAN = "circulaire-13-2026.fr.txt"
OPEN = "circular-12-2026.en.md"
VIDEO = "video-night-of-the-spring-tide.en.md"


@dataclass
class Clock:
    """Stands still until it is moved."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **delta: float) -> None:
        self.at += timedelta(**delta)


@dataclass
class House:
    """Everything a test needs to walk the stages."""

    pipeline: Pipeline
    sandbox: Sandbox
    clock: Clock
    settings: Settings

    def drop(self, name: str, text: str | None = None) -> None:
        inbox = self.settings.home / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        data = (SAMPLE / "inbox" / name).read_bytes() if text is None else text.encode()
        (inbox / name).write_bytes(data)

    def watch(self) -> list[str]:
        """Watch and draft; the slugs of the campaigns that this opened."""
        self.pipeline.watching.watch(force=True)
        return [campaign.slug for campaign in self.pipeline.drafting.sweep().opened]

    def open_campaign(self, name: str = CLEAN) -> str:
        self.drop(name)
        return self.watch()[0]

    def draft(self, slug: str, channel: str):
        return next(v for v in self.pipeline.reviewing.show_campaign(slug).drafts if v.draft.channel == channel)

    def approve(self, slug: str, channel: str) -> None:
        view = self.draft(slug, channel)
        self.pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, self.officer)

    def states(self, slug: str, channel: str | None = None) -> list[str]:
        rows = self.pipeline.reviewing.who(slug)
        return [row.state.value for row in rows if channel in (None, row.channel.value)]

    @property
    def officer(self) -> User:
        return User(1, "officer", Role.APPROVER)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    settings = load_settings(ROOT, {"PREGON_HOME": str(tmp_path / "home")})
    clock = Clock()
    with running_sandbox(tmp_path / "sandbox.db") as sandbox:
        pipeline = build_pipeline(settings, sandbox, clock=clock)
        pipeline.people.import_contacts((SAMPLE / "members.csv").read_text(encoding="utf-8"))
        yield House(pipeline, sandbox, clock, settings)
        pipeline.store.close()
