"""Newsletters to a local sink in a process of its own: recipients a second with the ledger, and without it.

With the ledger is the whole way: planned, claimed, built, posted, recorded in a row of its own (SQLite with
synchronous=FULL, or the database of --database, which must be empty). Compared in the same run with
 (a) the same way with the ledger's writes switched off here: recipients are read from the contacts, rows are not written;
 (b) the `sendgrid` helper objects in a loop, 1,000 recipients a request, without any database;
and, to a sink that answers after 100 ms, with what the requests in flight allow. Each part runs in a process of its own,
so that its peak memory is its own. The sink must have seen each delivery exactly once.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from mail_sink import read_sink, running_sink
from pregon.bootstrap import build_pipeline
from pregon.channels.sendgrid import SendGridChannel
from pregon.deliveries import name_mail
from pregon.pipeline import Pipeline
from pregon.sandbox import running_sandbox
from pregon.settings import Settings, load_settings
from pregon.types import ChannelName, Decision, DeliveryState, MailBody, Mailing, Outcome, Role, User

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "src/pregon/sandbox/sample/inbox/circulaire-13-2026.fr.txt"
OFFICER = User(1, "officer", Role.APPROVER)
LEAST_OF_BARE = {"sqlite": 0.5, "postgresql": 0.2}
LEAST_OF_HELPERS, LEAST_OF_FLIGHT, MEGABYTES = 3, 0.6, 200
DELAY = 0.1
_PAGE = 100_000


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="1,000,000 recipients instead of 20,000")
    parser.add_argument("--count", type=int, help="so many recipients")
    parser.add_argument("--database", help="URL of an empty database instead of a SQLite file")
    options = parser.parse_args()
    count = options.count or (1_000_000 if options.full else 20_000)
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(measure(Path(name), count, options.database)))


def measure(folder: Path, count: int, database: str | None) -> dict[str, Any]:
    """All parts, one after another."""
    kind = "postgresql" if database else "sqlite"
    start = time.perf_counter()
    body = in_process(prepare, folder, database, count)
    print(f"{count:,} members are on file after {time.perf_counter() - start:.0f} s", flush=True)
    bare = to_sink(without_ledger, folder, database, count, count=count)
    print(f"without the ledger: {bare}", flush=True)
    whole = to_sink(with_ledger, folder, database, count, count=count)
    print(f"with the ledger: {whole}", flush=True)
    some = max(1000, min(count // 4, 50_000) // 1000 * 1000)
    helpers = to_sink(with_helpers, body, some, count=some)
    slow_count = min(count, 100_000)
    in_process(plan_again, folder, database, slow_count)
    slow = to_sink(with_ledger, folder, database, slow_count, count=slow_count, delay=DELAY)
    email = write_settings(folder, database).channels.email
    allowed = email.in_flight * email.batch_size / DELAY
    return {
        "database": kind,
        "recipients": count,
        "with_ledger": whole,
        "without_ledger": bare,
        "helpers": helpers,
        "of_without_ledger": round(whole["per_second"] / bare["per_second"], 2),
        "limit_of_without_ledger": LEAST_OF_BARE[kind],
        "times_helpers": round(whole["per_second"] / helpers["per_second"], 2),
        "limit_times_helpers": LEAST_OF_HELPERS,
        "answers_after_100_ms": slow,
        "of_what_is_in_flight": round(slow["sending_per_second"] / allowed, 2),
        "limit_of_what_is_in_flight": LEAST_OF_FLIGHT,
        "limit_peak_mb": MEGABYTES,
    }


# --- processes -----------------------------------------------------------------------------------------------


def in_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` returns, in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def to_sink(work: Callable[..., dict[str, Any]], *arguments: Any, count: int, delay: float = 0.0) -> dict[str, Any]:
    """Run `work` against a sink of its own, which must see each of `count` deliveries once."""
    with running_sink(delay) as port:
        figures: dict[str, Any] = in_process(work, *arguments, port)
        seen = read_sink(port)
    if (seen["seen"], seen["different"]) != (count, count):
        raise SystemExit(f"The sink saw {seen['seen']} deliveries, {seen['different']} different ones, of {count}.")
    return figures | {"most_in_flight": seen["most"]}


class Used:
    """What this process used: memory in MB after a quarter of the work, and its peak; microseconds of its processors each.

    The latter says more than the clock where others work on the same machine.
    """

    def __init__(self, count: int) -> None:
        self._count, self._before = count, time.process_time()
        self._now: list[float] = []
        self._over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            self._now.append(pages * resource.getpagesize() / 1e6)

    def figures(self) -> dict[str, float]:
        self._over.set()
        early = max(self._now[: max(1, len(self._now) // 4)], default=0.0)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        each = (time.process_time() - self._before) / self._count * 1e6
        return {"early_mb": round(early), "peak_mb": round(peak), "cpu_us_each": round(each, 1)}


# --- the ways ------------------------------------------------------------------------------------------------


def write_settings(folder: Path, database: str | None, port: int = 0) -> Settings:
    given = {"PREGON_HOME": str(folder)} | ({"PREGON_DATABASE_URL": database} if database else {})
    settings = load_settings(ROOT, given)
    live = {"mode": "live", "host": f"http://127.0.0.1:{port}"} if port else {}
    email = settings.channels.email.model_copy(update=live)
    return settings.model_copy(update={"channels": settings.channels.model_copy(update={"email": email})})


def prepare(folder: Path, database: str | None, count: int) -> tuple[str, str, str]:
    """So many members, and a circular for them that is approved; its subject, text and HTML."""
    settings = write_settings(folder, database)
    with running_sandbox() as sandbox:
        pipeline = build_pipeline(settings, sandbox)
        for first in range(0, count, _PAGE):
            numbers = range(first, min(first + _PAGE, count))
            rows = (f"reader{n}@portamar.example,Reader {n},fr,members" for n in numbers)
            pipeline.contacts.import_text("email,name,language,lists\n" + "\n".join(rows))
        inbox = settings.home / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        (inbox / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
        pipeline.watching.watch(force=True)
        slug = pipeline.drafting.sweep().opened[0].slug
        view = next(view for view in pipeline.reviewing.show_campaign(slug).drafts if view.draft.channel == "email")
        pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, OFFICER)
        pipeline.store.close()
    body = view.revision.content.body
    assert isinstance(body, MailBody)
    return body.subject, body.text, body.html


def plan_again(folder: Path, database: str | None, count: int) -> None:
    """Forget this ledger, keep so many contacts, and leave the plan open: the same work again for a slower sink."""
    pipeline, _ = open_pipeline(folder, database, 0)
    with pipeline.store.engine.begin() as connection:
        connection.execute(text("DELETE FROM receipts"))
        connection.execute(text("DELETE FROM deliveries"))
        kept = {"last": connection.execute(text("SELECT min(id) FROM contacts")).scalar_one() + count - 1}
        connection.execute(text("UPDATE plans SET state = 'open', planned_through = 0"))
        connection.execute(text("UPDATE contacts SET state = 'unsubscribed' WHERE id > :last"), kept)
        connection.execute(text("DELETE FROM memberships WHERE contact_id > :last"), kept)
        connection.execute(text("UPDATE contacts SET lists = '' WHERE id > :last"), kept)
    if database:  # so that nothing tidies up after this beside what is measured
        with pipeline.store.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
    pipeline.store.close()


def open_pipeline(folder: Path, database: str | None, port: int) -> tuple[Pipeline, Any]:
    """The pipeline with mail live to the sink, and its own way of delivering mail alone."""
    with running_sandbox() as sandbox:
        pipeline = build_pipeline(write_settings(folder, database, port), sandbox)
    delivering = copy.copy(pipeline.delivering)
    delivering._channels = {ChannelName.EMAIL: delivering._channels[ChannelName.EMAIL]}
    return pipeline, delivering


def with_ledger(folder: Path, database: str | None, count: int, port: int) -> dict[str, Any]:
    """Plan and deliver."""
    pipeline, delivering = open_pipeline(folder, database, port)
    used, start = Used(count), time.perf_counter()
    assert delivering._planning.plan_all() == count
    planned = time.perf_counter()
    result, end = delivering.deliver(), time.perf_counter()
    assert result.outcomes[ChannelName.EMAIL] == {DeliveryState.SENT: count}, result
    with pipeline.store.engine.connect() as connection:
        rows = connection.execute(text("SELECT count(*) FROM deliveries WHERE state = 'sent'")).scalar_one()
    assert rows == count
    pipeline.store.close()
    figures = {"per_second": round(count / (end - start)), "planned_per_second": round(count / (planned - start))}
    return figures | {"sending_per_second": round(count / (end - planned)), **used.figures()}


def without_ledger(folder: Path, database: str | None, count: int, port: int) -> dict[str, Any]:
    """The same, and nothing is written about it."""
    pipeline, delivering = open_pipeline(folder, database, port)
    delivering._store = Unwritten(pipeline)
    used, start = Used(count), time.perf_counter()
    counts = delivering._send_channel(delivering._channels[ChannelName.EMAIL])
    seconds = time.perf_counter() - start
    assert counts == {DeliveryState.SENT: count}, counts
    pipeline.store.close()
    return {"per_second": round(count / seconds), **used.figures()}


class Unwritten:
    """A store whose ledger is never written: what is due are the contacts, page by page."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._store, self._last = pipeline.store, 0
        (self._plan,) = pipeline.store.list_open_plans()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def exchange_mailings(
        self, finished: Sequence[tuple[Mailing, Outcome]], count: int, limit: int, worker: str, at: datetime, *_: Any
    ) -> tuple[Mailing, ...]:
        return tuple(mailing for _ in range(count) if (mailing := self._next(limit, worker, at)).rows)

    def _next(self, limit: int, worker: str, at: datetime) -> Mailing:
        query = text("SELECT id, address, name FROM contacts WHERE id > :last ORDER BY id LIMIT :limit")
        with self._store._read() as connection:
            rows = connection.execute(query, {"last": self._last, "limit": limit}).all()
        self._last = rows[-1].id if rows else self._last
        plan = self._plan
        return Mailing(
            campaign_id=plan.campaign_id,
            draft_id=plan.draft_id,
            revision=plan.revision,
            language=plan.language,
            track_opens=False,
            track_clicks=False,
            approved_digest=plan.digest,
            claim=worker,
            claimed_at=at,
            rows=[(name_mail(plan.digest, plan.draft_id, row[0], row[1]), row[1], row[2], 1) for row in rows],
        )


def with_helpers(body: tuple[str, str, str], count: int, port: int) -> dict[str, Any]:
    """The library's own objects, in a loop."""
    client = SendGridChannel("key", host=f"http://127.0.0.1:{port}", clock=lambda: datetime.now(UTC))._client
    used, start = Used(count), time.perf_counter()
    for first in range(0, count, 1000):
        assert client.send(build_with_helpers(body, range(first, min(first + 1000, count)))).status_code == 202
    return {"per_second": round(count / (time.perf_counter() - start)), **used.figures()}


def build_with_helpers(body: tuple[str, str, str], numbers: range) -> Any:
    """One request of the library's objects that says the same as one of ours."""
    from sendgrid.helpers import mail

    subject, plain, html = body
    message = mail.Mail(mail.From("news@tidalcities.example", "Tidal Cities"), None, subject, plain, html)
    for number in numbers:
        url, view = (f"https://desk.example/{page}/{number:032x}.{number:022x}" for page in ("unsubscribe", "mail"))
        personal = mail.Personalization()
        personal.add_to(mail.To(f"reader{number}@portamar.example", f"Reader {number}"))
        personal.add_custom_arg(mail.CustomArg("pregon_delivery_id", f"{number:032x}"))
        personal.add_substitution(mail.Substitution("-unsubscribe_url-", url))
        personal.add_substitution(mail.Substitution("-view_url-", view))
        personal.add_header(mail.Header("List-Unsubscribe", f"<{url}>"))
        personal.add_header(mail.Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        message.add_personalization(personal)
    return message


if __name__ == "__main__":
    main()
