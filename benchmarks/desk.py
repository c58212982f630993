"""Every page of the desk with 10,000 campaigns, 1,000,000 contacts and 10,000,000 events: median and p95 per page.

The database is made here: a few campaigns are walked through the real pipeline and then repeated in bulk with the
database's own driver. Limits, from issue-sized expectations: 100 ms at the median, 250 ms at p95 and at the very
first call, and 300 ms for an approval that addresses a million. Pages are asked of the real application by an HTTP client in the same process.
"""

from __future__ import annotations

import argparse
import json
import math
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.testclient import TestClient

from pregon.bootstrap import build_pipeline
from pregon.pipeline import Pipeline
from pregon.sandbox import running_sandbox
from pregon.settings import load_settings
from pregon.types import ChannelName, Decision, Role, User
from pregon.web.app import build_app
from pregon.web.warming import warm_desk

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "src/pregon/sandbox/sample"
MEDIAN_MS, P95_MS, APPROVE_MS = 100, 250, 300
NOW = datetime.now(UTC)
LANGUAGES = ("en", "fr", "es")
DELIVERY_COLUMNS = (
    "id, campaign_id, draft_id, approval_id, revision, channel, language, position, address, contact_id, state, reason, "
    "attempts, due_at, claimed_at, claimed_by, sent_at, provider_id, track_opens, track_clicks, planned_at"
)


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the sizes above instead of a hundredth of them")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    scale = 1 if options.full else 100
    sizes = {"campaigns": 10_000 // scale, "contacts": 1_000_000 // scale, "events": 10_000_000 // scale}
    with tempfile.TemporaryDirectory() as name, running_sandbox(Path(name) / "sandbox.db") as sandbox:
        home = Path(name)
        settings = load_settings(ROOT, {"PREGON_HOME": str(home), "PREGON_SECRET_KEY": "b" * 64})
        pipeline = build_pipeline(settings, sandbox)
        slugs = walk_samples(pipeline, home)
        started = time.perf_counter()
        fill(home / "pregon.db", **sizes)
        print(f"filled with {sizes} in {time.perf_counter() - started:.0f} s", flush=True)
        started = time.perf_counter()
        counted = pipeline.store.refresh_funnels()
        print(f"{counted:,} campaigns counted in {time.perf_counter() - started:.0f} s", flush=True)
        pages, approve = measure(pipeline, slugs, options.rounds)
        pipeline.store.close()
    worst = max(pages.values(), key=lambda page: page["p95_ms"])
    figures = {
        **sizes,
        "pages": pages,
        "slowest_median_to_limit": round(max(page["median_ms"] for page in pages.values()) / MEDIAN_MS, 2),
        "slowest_p95_to_limit": round(worst["p95_ms"] / P95_MS, 2),
        "slowest_first_to_limit": round(max(page["first_ms"] for page in pages.values()) / P95_MS, 2),
        "approve_ms": approve,
        "approve_to_limit": round(approve / APPROVE_MS, 2),
    }
    print(json.dumps(figures))


def walk_samples(pipeline: Pipeline, home: Path) -> list[str]:
    """The sample's documents as campaigns, one of them sent; the slugs."""
    (home / "inbox").mkdir(exist_ok=True)
    for path in (SAMPLE / "inbox").iterdir():
        (home / "inbox" / path.name).write_bytes(path.read_bytes())
    pipeline.contacts.import_text((SAMPLE / "members.csv").read_text(encoding="utf-8"))
    pipeline.people.add_user("officer", "a password for the desk", Role.ADMIN)
    pipeline.watching.watch(force=True)
    slugs = [campaign.slug for campaign in pipeline.drafting.sweep().opened]
    for slug in slugs:
        for view in pipeline.reviewing.show_campaign(slug).drafts:
            if view.draft.channel is ChannelName.EMAIL and not view.obstacles:
                officer = User(1, "officer", Role.ADMIN)
                pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, officer)
    pipeline.delivering.deliver()
    return slugs


def fill(path: Path, *, campaigns: int, contacts: int, events: int) -> None:
    """Repeat what is there until it is as large as asked. Two campaigns have an audience of everybody."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN")
    people = list(fill_contacts(connection, contacts))
    made = fill_campaigns(connection, campaigns)
    rows = fill_deliveries(connection, made, people)
    fill_events(connection, rows, events)
    connection.execute("INSERT OR IGNORE INTO funnel_marks SELECT DISTINCT campaign_id, 1, 0 FROM deliveries")
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.close()


def fill_contacts(connection: sqlite3.Connection, count: int) -> Iterator[tuple[int, str]]:
    at = stamp(NOW)
    first = connection.execute("SELECT max(id) FROM contacts").fetchone()[0] + 1
    people = [(first + n, f"reader{n}@cities.example") for n in range(count)]
    rows = (
        (key, address, f"Reader {n}", LANGUAGES[n % 3], "unsubscribed" if n % 50 == 0 else "subscribed",
         f"City {n % 4000}", f"City {n % 4000}", "ES", "unknown", "granted" if n % 3 else "unknown", at, at,
         "|members|public|" if n % 2 else "|public|")
        for n, (key, address) in enumerate(people)
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO contacts (id, address, name, language, state, organisation, city, country, open_tracking, "
        f"click_tracking, created_at, updated_at, lists) VALUES ({marks(13)})",
        rows,
    )
    connection.executemany("INSERT INTO memberships VALUES (?, 'public')", ((key,) for key, _ in people))
    connection.executemany("INSERT INTO memberships VALUES (?, 'members')", ((key,) for key, _ in people[1::2]))
    connection.executemany(
        "INSERT OR IGNORE INTO suppressions (address, reason, detail, created_at) VALUES (?, 'bounced', '', ?)",
        ((address, at) for _, address in people[::100]),
    )
    return iter(people)


def fill_campaigns(connection: sqlite3.Connection, count: int) -> list[tuple[int, int, int]]:
    """Copies of the campaigns that are there, with their items, drafts and revisions: (campaign, draft, approval)."""
    connection.row_factory = sqlite3.Row
    kept = {
        table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
        for table in ("campaigns", "items", "item_versions", "drafts", "revisions", "approvals")
    }
    connection.row_factory = None
    made = []
    ids = {table: max((row["id"] for row in rows), default=0) for table, rows in kept.items()}
    for number in range(count):
        origin = kept["campaigns"][number % len(kept["campaigns"])]
        at = stamp(NOW - timedelta(hours=number))
        campaign, item = ids["campaigns"] + number + 1, ids["items"] + number + 1
        source = next(row for row in kept["items"] if row["id"] == origin["item_id"])
        put(connection, "items", source | {"id": item, "identity": f"bench:{number}", "title": f"Notice {number}"})
        version = next(row for row in kept["item_versions"] if row["item_id"] == origin["item_id"])
        put(connection, "item_versions", version | {"id": None, "item_id": item})
        put(connection, "campaigns", origin | {"id": campaign, "item_id": item, "slug": f"bench-{number}",
                                               "title": f"Notice {number}", "created_at": at})  # fmt: skip
        mark = {"id": None, "campaign_id": campaign, "item_id": item, "drafted_version": version["version"]}
        put(connection, "campaign_items", mark | {"joined_at": at})
        waits = number % 40 == 0
        for draft in (row for row in kept["drafts"] if row["campaign_id"] == origin["id"]):
            made += copy_draft(connection, kept, draft, campaign, item, at, waits=waits)
    return made


def copy_draft(
    connection: sqlite3.Connection, kept: dict[str, list[dict[str, object]]], draft: dict[str, object],
    campaign: int, item: int, at: str, *, waits: bool,
) -> list[tuple[int, int, int]]:  # fmt: skip
    state = "in_review" if waits else "approved"
    values = draft | {"id": None, "campaign_id": campaign, "item_id": item, "state": state, "updated_at": at}
    key = put(connection, "drafts", values)
    for revision in (row for row in kept["revisions"] if row["draft_id"] == draft["id"]):
        put(connection, "revisions", revision | {"id": None, "draft_id": key, "created_at": at})
    if waits:
        return []
    approval = {"id": None, "draft_id": key, "revision": draft["revision"], "digest": "sha256:bench"}
    said = {"decision": "approved", "decided_by": "officer", "comment": "", "decided_at": at}
    given = put(connection, "approvals", approval | said)
    return [(campaign, key, given)] if draft["channel"] == "email" else []


def fill_deliveries(
    connection: sqlite3.Connection, made: list[tuple[int, int, int]], people: list[tuple[int, str]]
) -> int:
    """A row per contact for two campaigns, and a hundred for each other one. Returns how many."""
    at, number = stamp(NOW), 0

    def rows() -> Iterator[tuple[object, ...]]:
        nonlocal number
        for index, (campaign, draft, approval) in enumerate(made):
            for key, address in people if index < 2 else people[:100]:
                yield (f"{number:032x}", campaign, draft, approval, 1, "email", "fr", 0, address, key, "sent", None,
                       1, at, at, "w", at, None, 0, 1, at)  # fmt: skip
                number += 1

    connection.executemany(f"INSERT INTO deliveries ({DELIVERY_COLUMNS}) VALUES ({marks(21)})", rows())
    return number


def fill_events(connection: sqlite3.Connection, deliveries: int, count: int) -> None:
    at, kinds = stamp(NOW), ("processed", "delivered", "clicked", "clicked", "opened")

    def rows() -> Iterator[tuple[object, ...]]:
        for n in range(count):
            kind = kinds[n // deliveries % len(kinds)]
            label = "human" if n % 3 else "machine"
            yield ("sendgrid", f"bench-{n}", kind, at, at, f"{n % deliveries:032x}", None, label, "bench", 1, "{}")

    connection.executemany(
        "INSERT INTO events (provider, key, type, at, received_at, delivery_id, url, label, rule, counted, raw) "
        f"VALUES ({marks(11)})",
        rows(),
    )


def put(connection: sqlite3.Connection, table: str, values: dict[str, object]) -> int:
    names = ", ".join(f'"{name}"' for name in values)
    cursor = connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks(len(values))})",
        tuple(values.values()),
    )
    return int(cursor.lastrowid or 0)


def marks(count: int) -> str:
    return ", ".join("?" * count)


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def measure(pipeline: Pipeline, slugs: list[str], rounds: int) -> tuple[dict[str, dict[str, float]], float]:
    """Each page's median and p95 in milliseconds, and how long approving for everybody took."""
    waiting = next(
        view
        for n in range(0, 400, 40)
        for view in pipeline.reviewing.show_campaign(f"bench-{n}").drafts
        if view.draft.channel is ChannelName.EMAIL and not view.obstacles
    )
    slug = f"bench-{1}"
    draft = waiting.draft.id
    app = build_app(pipeline, hint=lambda *_: None)
    # As `pregon serve` does while it starts.
    print(f"the desk was warm after {warm_desk(app.state.desk):.1f} s", flush=True)
    with TestClient(app, base_url="https://desk.example") as http:
        page = http.get("/sign-in").text
        csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
        http.post("/sign-in", data={"name": "officer", "password": "a password for the desk", "csrf": csrf})
        addresses = [
            "/", "/?q=Notice+77", "/?page=3", f"/campaigns/{slugs[0]}", f"/campaigns/{slug}", f"/campaigns/{slug}/result",
            "/campaigns/bench-2/result", f"/drafts/{draft}/edit", f"/drafts/{draft}/history", f"/drafts/{draft}/preview",
            "/dashboard", "/dashboard?page=40", "/calendar", "/sources", "/channels", "/contacts", "/contacts?q=reader77",
            "/audit", "/people", "/account", "/segments", "/suppressions", f"/campaigns/{slug}/result?state=sent",
            f"/campaigns/{slug}/result?q=reader77@cities.example", f"/campaigns/{slug}/result?q=ader771",
        ]  # fmt: skip
        pages = {address: time_page(http.get, address, rounds) for address in addresses}
        csrf = http.get("/").text.partition('name="csrf" value="')[2].partition('"')[0]
        body = {"csrf": csrf, "digest": waiting.revision.digest, "decision": "approved"}
        started = time.perf_counter()
        answer = http.post(f"/drafts/{draft}/decision", data=body, follow_redirects=False)
        approve = (time.perf_counter() - started) * 1000
        assert answer.status_code == 303, answer.text[:400]
        assert len(pipeline.store.list_open_plans()) == 1 or waiting.recipients <= 5_000
    return pages, round(approve, 1)


def time_page(get: Callable[..., object], address: str, rounds: int) -> dict[str, float]:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        answer = get(address)
        times.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, (address, answer.status_code)  # type: ignore[attr-defined]
    print(f"{address:32} {statistics.median(times):8.1f} ms", flush=True)
    return {
        "first_ms": round(times[0], 1),
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(sorted(times)[math.ceil(0.95 * rounds) - 1], 1),
    }


if __name__ == "__main__":
    main()
