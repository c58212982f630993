"""A pipeline on a database and a sandbox of its own, with a clock that the test moves."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import create_engine, make_url, text

from postgres import postgres_server
from pregon.bootstrap import build_pipeline
from pregon.pipeline import Pipeline
from pregon.sandbox import Sandbox, running_sandbox
from pregon.settings import Settings, load_settings
from pregon.storage import Store, open_store
from pregon.storage.tables import metadata
from pregon.types import Decision, Role, User

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "src" / "pregon" / "sandbox" / "sample"
# The sample's members who read French or English and are on the list `members` get the circular.
CLEAN = "circulaire-13-2026.fr.txt"
OPEN = "circular-12-2026.en.md"
VIDEO = "video-night-of-the-spring-tide.en.md"

__all__ = ["postgres_server"]


# For a test that shows the same of both databases: what it is about has no SQL of its own.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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

    def drop(self, name: str, words: str | None = None) -> None:
        inbox = self.settings.home / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        data = (SAMPLE / "inbox" / name).read_bytes() if words is None else words.encode()
        (inbox / name).write_bytes(data)
        written = time.time_ns() - 60_000_000_000  # older than a file that may still be growing
        os.utime(inbox / name, ns=(written, written))

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


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the newest shape without a row: made once, copied for each test."""
    path = tmp_path_factory.mktemp("empty") / "pregon.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres_store(postgres: str) -> Iterator[Store]:
    """A database of the newest shape on a real PostgreSQL: made once, emptied after each test."""
    name = f"test_{secrets.token_hex(6)}"
    _administer(postgres, f"CREATE DATABASE {name}")
    store = open_store(make_url(postgres).set(database=name).render_as_string(hide_password=False))
    yield store
    store.close()
    _administer(postgres, f"DROP DATABASE {name}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database: SQLite in the test's folder, and a real PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "pregon.db")
        yield f"sqlite:///{tmp_path / 'pregon.db'}"
        return
    store: Store = request.getfixturevalue("postgres_store")
    yield store.engine.url.render_as_string(hide_password=False)
    _empty(store)


def _empty(store: Store) -> None:
    """Rows go, and numbers begin again; a lock that a test left behind is an error, not a wait."""
    statements = [f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables)]
    restart = "SELECT setval(format('%I.%I', schemaname, sequencename), 1, false) FROM pg_sequences"
    with store.engine.begin() as connection:
        # The audit log refuses that anything is taken out of it.
        unlocked = [
            "ALTER TABLE audit_log DISABLE TRIGGER USER",
            *statements,
            "ALTER TABLE audit_log ENABLE TRIGGER USER",
        ]
        connection.exec_driver_sql("; ".join(["SET LOCAL lock_timeout = '10s'", *unlocked]))
        connection.exec_driver_sql(restart.replace("%", "%%"))


def _administer(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    environment = {"PREGON_HOME": str(tmp_path / "home"), "PREGON_DATABASE_URL": database_url}
    settings = load_settings(ROOT, environment)
    clock = Clock()
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox(tmp_path / "sandbox.db"))
        pipeline = build_pipeline(settings, sandbox, clock=clock)
        pipeline.contacts.import_text((SAMPLE / "members.csv").read_text(encoding="utf-8"))
        yield House(pipeline, sandbox, clock, settings)
        pipeline.store.close()
        # Its server takes 0.1 to 0.2 s to stop, all of it waiting: it stops beside the next test.
        Thread(target=stack.pop_all().close, name="sandbox stops").start()


def wait_for_lock(house):
    """Until another session of the database waits for a lock."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    deadline = time.monotonic() + 10
    with house.pipeline.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(query).scalar_one():
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.02)
