"""Deliveries killed with SIGKILL at random points, under random faults of the providers, and started again until done.

Each run is a process of its own that delivers mails, a thread and a playlist change to the sandbox, which runs apart and
lives on, as providers do. After the last kill everything is started again until nothing is open. Counted is what the
providers have: what was sent twice, what is missing, and what is left for a person, each with its reason. What was claimed is made
an hour older between runs; what a person would release (a paused channel) is released, no held or unknown delivery ever is.
Every second campaign hands its mails over ahead of their time; they leave when it is finished. SQLite, or the empty database of
--database.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import re
import signal
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from pregon.bootstrap import build_pipeline
from pregon.pipeline import Pipeline
from pregon.sandbox import Sandbox, running_sandbox
from pregon.settings import Settings, load_settings
from pregon.types import ChannelName, Decision, DeliveryState, Role, User

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "src/pregon/sandbox/sample"
MOST_PER_CAMPAIGN = 60
# A provider allows ten call-backs at once, which are as many as these kills and their faults may need.
MOST_AHEAD = 5
# What had to wait for the first to leave is handed over again, and leaves with the next.
LEAVINGS = 4
FAULTS = {
    "sendgrid": ("drop_after_accept", "drop_before_accept", "500_but_done", "502", "slow", "429", "401"),
    "x": ("drop_after_accept", "drop_before_accept", "500_but_done", "502", "slow", "429_with_reset", "402"),
    "youtube": ("drop_after_accept", "drop_before_accept", "500_but_done", "502", "slow", "quota_exceeded"),
}
OFFICER = User(1, "officer", Role.APPROVER)
DOCUMENT = """# Circular {number}

Circulars of the Tidal Cities Network

Portamar, 9 November 2026

Subject: Call number {number} for towns to test the alert

Dear members,

Eleven towns of the network lost market days to flooding, and call {number} asks more of them to try the shared alert.

## Taking part

We would like to form a small working group ({number} towns maximum) to run test {number} together and to write down what
we learn from it in the autumn. Towns interested in joining working group {number} can contact the secretariat:
alerts@tidalcities.example. Each town of group {number} names one person in its harbour office and notes how many stalls
moved in time. The network pays for the translation of the messages of group {number}, whatever the language is.

Watch the film of call {number} here: [The night of the tide {number}](https://www.youtube.com/watch?v=tide{number:07})

With kind regards,

The Secretariat of the Tidal Cities Network
"""


@dataclass
class World:
    """Where everything is."""

    home: Path
    sandbox: Sandbox
    database: str | None = None
    is_ahead: bool = False

    def open(self) -> Pipeline:
        return build_pipeline(read_settings(self.home, self.database, self.is_ahead), self.sandbox)

    def change(self, statement: str) -> None:
        """Change rows behind the project's back; {an hour before X} is X, a time as the ledger has it, an hour earlier."""
        engine = create_engine(self.database or f"sqlite:///{self.home / 'pregon.db'}")
        an_hour_before = _AN_HOUR_BEFORE[engine.dialect.name]
        with engine.begin() as connection:
            connection.exec_driver_sql(re.sub(r"\{an hour before (\w+)\}", an_hour_before, statement))
        engine.dispose()


_AN_HOUR_BEFORE = {
    "sqlite": r"strftime('%Y-%m-%dT%H:%M:%f', \1, '-1 hour') || '000+00:00'",
    "postgresql": r"""to_char((\1::timestamptz - interval '1 hour') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00'""",
}


def read_settings(home: Path, database: str | None, is_ahead: bool) -> Settings:
    """The sample configuration in small batches, without the limits by which time itself would end a delivery."""
    given = {"PREGON_HOME": str(home)} | ({"PREGON_DATABASE_URL": database} if database else {})
    settings = load_settings(ROOT, given)
    ways = {
        name.value: settings.channel(name).model_copy(
            update={"batch_size": 4, "max_attempts": 10_000, "settle_hours": 1e6, "timeout_seconds": 1.0}
        )
        for name in ChannelName
        if name.value in ("email", "x", "youtube")
    }
    # A thousand kills are more than a day of YouTube's quota.
    ways["youtube"] = ways["youtube"].model_copy(update={"daily_quota": 1_000_000})
    if is_ahead:
        ways["email"] = ways["email"].model_copy(update={"handover_minutes": 60})
    channels = settings.channels.model_copy(update={**ways, "hold_after_hours": 1e6})
    network = settings.network.model_copy(update={"check_links": False})
    return settings.model_copy(update={"channels": channels, "network": network})


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="1,000 kills instead of 40")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--database", help="URL of an empty database instead of a SQLite file")
    options = parser.parse_args()
    kills = options.kills or (1_000 if options.full else 40)
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        providers = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, folder / "sandbox.db"))
        providers.start()
        try:
            world = World(folder / "home", Sandbox(*ours.recv()), options.database)
            figures = walk(world, kills, chance)
        finally:
            ours.send("stop")
            providers.join(20)
    print(json.dumps(figures))
    assert figures["sent_twice"] == 0
    assert figures["lost"] == 0


def serve(pipe: Connection, state: Path) -> None:
    """The providers, in a process that nobody kills."""
    with running_sandbox(state) as sandbox:
        pipe.send((sandbox.url, sandbox.webhook_key))
        pipe.recv()


def walk(world: World, kills: int, chance: random.Random) -> dict[str, Any]:
    """Campaign after campaign: approve, kill until its share of kills is used up, then finish."""
    prepare(world)
    killed, slugs, faults = 0, [], Counter[str]()
    while killed < kills:
        world.is_ahead = not world.is_ahead
        slugs.append(announce(world, len(slugs) + 13))
        for _ in range(MOST_AHEAD if world.is_ahead else MOST_PER_CAMPAIGN):
            faults.update(order_faults(world, chance))
            killed += run(world, kill_after=chance.uniform(0, 0.3))
            let_time_pass(world)
            if killed == kills or not open_rows(world, slugs[-1]):
                break
        finish(world, slugs[-1])
        for _ in range(LEAVINGS if world.is_ahead else 0):
            leave(world)
            finish(world, slugs[-1])
        print(f"{killed:,} kills in {len(slugs)} campaigns", flush=True)
    kind = "postgresql" if world.database else "sqlite"
    return {"database": kind} | count(world, slugs) | {"kills": killed, "faults": dict(faults)}


def prepare(world: World) -> None:
    pipeline = world.open()
    pipeline.contacts.import_text((SAMPLE / "members.csv").read_text(encoding="utf-8"))
    pipeline.store.close()


def announce(world: World, number: int) -> str:
    """One more campaign with an approved mail, thread and playlist change; its slug."""
    inbox = world.home / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / f"{number}.en.md").write_text(DOCUMENT.format(number=number), encoding="utf-8")
    pipeline = world.open()
    pipeline.watching.watch(force=True)
    (campaign,) = pipeline.drafting.sweep().opened
    for view in pipeline.reviewing.show_campaign(campaign.slug).drafts:
        assert not view.obstacles, view.obstacles
        pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, OFFICER)
    pipeline.store.close()
    return campaign.slug


def order_faults(world: World, chance: random.Random) -> list[str]:
    """Up to three faults for the next calls."""
    ordered = []
    for _ in range(chance.randint(0, 3)):
        provider = chance.choice(list(FAULTS))
        fault = chance.choice(FAULTS[provider])
        # Now and then reading back goes wrong as well.
        on = "read" if fault in ("502", "drop_before_accept") and chance.random() < 0.3 else "write"
        if world.is_ahead and provider == "sendgrid" and chance.random() < 0.5:
            on = chance.choice(("batch", "cancel"))
        world.sandbox.set_fault(provider, fault, 1, on=on, seconds=0.2)
        ordered.append(f"{provider} {fault} {on}")
    return ordered


def run(world: World, kill_after: float | None) -> bool:
    """One delivering process; True when it was killed before it had come to its end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            pipeline = world.open()
            for name in ChannelName:
                if pipeline.store.read_pause(name):
                    pipeline.stopping.resume_channel(name, OFFICER)
            os.write(writing, b"r")
            pipeline.delivering.deliver()
            os.write(writing, b"d")
        finally:
            os._exit(0)
    os.close(writing)
    assert os.read(reading, 1) == b"r"
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    reached = os.read(reading, 1)
    os.close(reading)
    os.waitpid(child, 0)
    return reached != b"d"


def let_time_pass(world: World) -> None:
    """What was claimed counts as claimed an hour earlier, so as lost; what waits for its next attempt is due.

    The rows are moved, not the clock: it must stay the providers' own.
    """
    world.change(
        "UPDATE deliveries SET claimed_at = {an hour before claimed_at}, due_at = planned_at "
        "WHERE state IN ('sending', 'unknown', 'pending') AND claimed_at IS NOT NULL"
    )


def leave(world: World) -> None:
    """What was handed over has its time: the provider's clock goes an hour on, and the ledger's batches an hour back."""
    now = datetime.now(UTC)
    world.sandbox.set_clock((now + timedelta(hours=1)).isoformat())
    world.sandbox.read("mails")
    world.sandbox.set_clock(now.isoformat())
    world.change("UPDATE batches SET leaves_at = {an hour before leaves_at}")


def finish(world: World, slug: str) -> None:
    """Start again, without a kill, until nothing is open."""
    for _ in range(60):
        if not open_rows(world, slug):
            return
        run(world, kill_after=None)
        let_time_pass(world)


def open_rows(world: World, slug: str) -> int:
    """How many deliveries of a campaign are neither done nor left for a person."""
    pipeline = world.open()
    states = [row.state for row in pipeline.reviewing.who(slug)]
    waiting = bool(pipeline.store.list_open_plans())
    pipeline.store.close()
    return waiting + sum(state in ("pending", "sending", "unknown") for state in states)


def count(world: World, slugs: list[str]) -> dict[str, Any]:
    """What the providers have, beside what the ledger says."""
    mails = Counter((mail["subject"], mail["to_email"]) for mail in world.sandbox.read("mails"))
    posts = Counter(post["text"] for post in world.sandbox.read("posts"))
    items = Counter(
        (key, str(item))
        for key, playlist in world.sandbox.read("playlists").items()
        for item in playlist
        # Only ours: the channel had videos before.
        if str(item).startswith("tide0")
    )
    pipeline = world.open()
    rows = [row for slug in slugs for row in pipeline.reviewing.who(slug)]
    pipeline.store.close()
    planned = Counter(row.channel.value for row in rows if row.state is not DeliveryState.SUPPRESSED)
    left = [row for row in rows if row.state not in (DeliveryState.SENT, DeliveryState.SUPPRESSED)]
    seen = {"email": len(mails), "x": len(posts), "youtube": len(items)}
    open_by = Counter(row.channel.value for row in left)
    return {
        "campaigns": len(slugs),
        "planned": dict(planned),
        "seen_by_providers": seen,
        "sent_twice": sum(n - 1 for counts in (mails, posts, items) for n in counts.values()),
        "lost": sum(max(0, planned[name] - seen[name] - open_by[name]) for name in seen),
        "left_for_a_person": [f"{row.channel} {row.state}: {row.reason}" for row in left],
    }


if __name__ == "__main__":
    main()
