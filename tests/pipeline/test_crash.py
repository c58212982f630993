"""Killed with SIGKILL at random points of a delivery, and started again until done: nothing twice, nothing lost."""

import random
import time
from collections import Counter
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from conftest import CLEAN, ROOT, SAMPLE  # type: ignore[import-not-found]
from crashing import deliver_in_threes, name_world  # type: ignore[import-not-found]
from sqlalchemy import create_engine

import forking
from pregon.bootstrap import load_settings, running_pipeline
from pregon.sandbox import running_sandbox
from pregon.types import Decision, DeliveryState, Role, User

KILLS = 12


def prepare(home: Path, database_url: str) -> tuple[str, int, int]:
    """One campaign with an approved mail and post; (slug, recipients, parts)."""
    settings = load_settings(ROOT, name_world(home, database_url))
    (home / "inbox").mkdir(parents=True)
    (home / "inbox" / CLEAN).write_bytes((SAMPLE / "inbox" / CLEAN).read_bytes())
    officer = User(1, "officer", Role.APPROVER)
    with running_pipeline(settings) as pipeline:
        pipeline.contacts.import_text((SAMPLE / "members.csv").read_text(encoding="utf-8"))
        pipeline.watching.watch(force=True)
        (campaign,) = pipeline.drafting.sweep().opened
        views = pipeline.reviewing.show_campaign(campaign.slug).drafts
        for view in views:
            pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, officer)
        return campaign.slug, views[0].recipients, len(views[1].revision.content.body.parts)


# A time as the ledger has it, an hour earlier.
AN_HOUR_BEFORE = {
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%f', claimed_at, '-1 hour') || '000+00:00'",
    "postgresql": """to_char((claimed_at::timestamptz - interval '1 hour') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00'""",
}


def age_claims(database_url: str) -> None:
    """Let an hour pass for what was claimed, so that the next start asks the provider."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE deliveries SET claimed_at = {AN_HOUR_BEFORE[engine.dialect.name]}, due_at = planned_at "
            "WHERE claimed_at IS NOT NULL AND state IN ('sending', 'unknown', 'pending')"
        )
    engine.dispose()


def start(home: Path, database_url: str) -> tuple[BaseProcess, Connection]:
    child, words = forking.start(deliver_in_threes, ROOT, name_world(home, database_url))
    assert words.recv() == "ready"
    return child, words


def said_done(words: Connection) -> bool:
    with suppress(EOFError):
        return words.recv() == "done"
    return False


@pytest.mark.timeout(200)
def test_nothing_twice_and_nothing_lost(tmp_path: Path, database_url: str) -> None:
    home = tmp_path / "home"
    slug, recipients, parts = prepare(home, database_url)
    chance = random.Random(20261123)
    interrupted = 0
    for _ in range(KILLS):
        child, words = start(home, database_url)
        time.sleep(chance.uniform(0, 0.25))
        child.kill()
        child.join()
        interrupted += not said_done(words)
        age_claims(database_url)
    for _ in range(4):
        child, _ = start(home, database_url)
        child.join(60)
        assert child.exitcode == 0
        age_claims(database_url)

    with running_sandbox(home / "sandbox.db") as sandbox:
        mails = Counter(mail["to_email"] for mail in sandbox.read("mails"))
        posts = Counter(post["text"] for post in sandbox.read("posts"))
    with running_pipeline(load_settings(ROOT, name_world(home, database_url))) as pipeline:
        rows = pipeline.reviewing.who(slug)
    assert interrupted > 0, "no kill came before the end: the test shows nothing"
    assert set(mails.values()) == {1}, "sent twice"
    assert set(posts.values()) == {1}
    assert (len(mails), len(posts)) == (recipients, parts), "lost"
    assert {row.state for row in rows} == {DeliveryState.SENT, DeliveryState.SUPPRESSED}
