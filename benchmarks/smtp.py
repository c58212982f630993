"""Newsletters to a local mail sink: recipients a second with the ledger, without it, and through Django's SMTP backend.

The sink is a process of its own that takes every mail and forgets it. With the ledger means the whole way: claimed,
built, sent, recorded in a row of its own (SQLite, synchronous=FULL). Without means the same channel with the same
shipments and no database. Django is handed the finished subject, text and HTML and one open connection, its usual way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pregon.bootstrap import build_pipeline
from pregon.channels.smtp import SmtpChannel
from pregon.deliveries import sign_deliveries
from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL
from pregon.pipeline import Pipeline
from pregon.sandbox import running_sandbox
from pregon.sandbox.smtp import SmtpSession
from pregon.settings import Settings, load_settings
from pregon.types import Content, Decision, DeliveryState, MailBody, OutgoingMails, Role, Shipment, User

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "src/pregon/sandbox/sample/inbox/circulaire-13-2026.fr.txt"
LEAST_OF_BARE, LEAST_OF_PEER = 0.8, 10
OFFICER = User(1, "officer", Role.APPROVER)


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="50,000 recipients instead of 5,000")
    parser.add_argument("--connections", type=int, default=4)
    options = parser.parse_args()
    count = 50_000 if options.full else 5_000
    with running_sink() as port, tempfile.TemporaryDirectory() as name:
        settings = write_settings(Path(name), port, options.connections)
        with running_sandbox() as sandbox:
            pipeline = build_pipeline(settings, sandbox)
            fill(pipeline, settings, count)
            content, seconds = deliver(pipeline, count)
        bare = send_barely(content, port, count, options.connections)
        peer = send_with_django(content, port, max(500, count // 20))
        pipeline.store.close()
    body = content.body
    assert isinstance(body, MailBody)
    size = len(body.html.encode()) + len(body.text.encode())
    figures = {
        "recipients": count,
        "mail_bytes": size,
        "connections": options.connections,
        "with_ledger_per_second": round(count / seconds),
        "without_ledger_per_second": round(bare),
        "of_without_ledger": round(count / seconds / bare, 2),
        "limit_of_without_ledger": LEAST_OF_BARE,
        "django_per_second": round(peer) if peer else None,
        "times_django": round(count / seconds / peer, 1) if peer else None,
        "limit_times_django": LEAST_OF_PEER,
    }
    print(json.dumps(figures))


def serve_sink(listener: socket.socket) -> None:
    """Take every mail and forget it."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SmtpSession(lambda *_mail: None), sock=listener)
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def running_sink() -> Iterator[int]:
    """The sink's port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    process = multiprocessing.get_context("fork").Process(target=serve_sink, args=(listener,), daemon=True)
    process.start()
    try:
        yield listener.getsockname()[1]
    finally:
        process.terminate()
        process.join()
        listener.close()


def write_settings(folder: Path, port: int, connections: int) -> Settings:
    settings = load_settings(ROOT, {"PREGON_HOME": str(folder)})
    live: dict[str, Any] = {"provider": "smtp", "mode": "live", "host": "127.0.0.1", "port": port, "security": "none"}
    live |= {"return_path": "bounce@mail.example", "connections": connections}
    email = settings.channels.email.model_copy(update=live)
    return settings.model_copy(update={"channels": settings.channels.model_copy(update={"email": email})})


def fill(pipeline: Pipeline, settings: Settings, count: int) -> None:
    """So many members, and a circular for them that is approved."""
    rows = (f"reader{number}@portamar.example,Reader {number},fr,members" for number in range(count))
    pipeline.contacts.import_text("email,name,language,lists\n" + "\n".join(rows))
    inbox = settings.home / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    pipeline.watching.watch(force=True)
    slug = pipeline.drafting.sweep().opened[0].slug
    view = next(view for view in pipeline.reviewing.show_campaign(slug).drafts if view.draft.channel == "email")
    pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, OFFICER)
    pipeline.delivering._planning.plan_all()


def deliver(pipeline: Pipeline, count: int) -> tuple[Content, float]:
    """Send what was approved; its content, and the seconds it took."""
    (campaign,) = pipeline.reviewing.list_campaigns()
    shown = pipeline.reviewing.show_campaign(campaign.campaign.slug).drafts
    content = next(view.revision.content for view in shown if view.draft.channel == "email")
    start = time.perf_counter()
    result = pipeline.delivering.deliver()
    seconds = time.perf_counter() - start
    sent = sum(states.get(DeliveryState.SENT, 0) for states in result.outcomes.values())
    assert sent == count, result
    return content, seconds


def send_barely(content: Content, port: int, count: int, connections: int) -> float:
    """Recipients a second by the same channel in the same batches with links of their own, and no database."""
    channel = SmtpChannel(
        "127.0.0.1",
        return_path="bounce@mail.example",
        key=b"benchmark",
        port=port,
        security="none",
        connections=connections,
        batch_size=1000,
    )
    people = [(f"{number:032x}", f"reader{number}@portamar.example", f"Reader {number}", 1) for number in range(count)]
    pages = {UNSUBSCRIBE_URL: "https://desk.example/unsubscribe/", VIEW_URL: "https://desk.example/mail/"}
    start, sent = time.perf_counter(), 0
    for first in range(0, count, channel.batch_size):
        rows = people[first : first + channel.batch_size]
        marks = sign_deliveries((row[0] for row in rows), b"benchmark")
        batch = Shipment(content, OutgoingMails(rows, marks, pages, datetime.now(UTC)))
        sent += sum(outcome.state is DeliveryState.SENT for outcome in channel.send(batch))
    assert sent == count
    return count / (time.perf_counter() - start)


def send_with_django(content: Content, port: int, count: int) -> float | None:
    """Recipients a second by Django's SMTP backend over one open connection; None without Django."""
    try:
        import django
        from django.conf import settings
        from django.core.mail import EmailMultiAlternatives, get_connection
    except ImportError:
        return None
    settings.configure(DEFAULT_CHARSET="utf-8", USE_TZ=True, EMAIL_TIMEOUT=10)
    django.setup()
    body = content.body
    assert isinstance(body, MailBody)
    connection = get_connection("django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port)

    def build(number: int) -> EmailMultiAlternatives:
        to, url = (
            f"Reader {number} <reader{number}@portamar.example>",
            f"https://desk.example/unsubscribe/{number:032x}",
        )
        headers = {"List-Unsubscribe": f"<{url}>"}
        text, html = body.text.replace("-unsubscribe_url-", url), body.html.replace("-unsubscribe_url-", url)
        mail = EmailMultiAlternatives(body.subject, text, "news@tidalcities.example", [to], headers=headers)
        mail.attach_alternative(html, "text/html")
        return mail

    start = time.perf_counter()
    sent = connection.send_messages([build(number) for number in range(count)])
    assert sent == count
    return float(count / (time.perf_counter() - start))


if __name__ == "__main__":
    main()
