"""However the provider's events come, the figures are the same: before the answer, late, 46 times, backwards, unsigned."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from conftest import CLEAN, House  # type: ignore[import-not-found]

from pregon.channels.sendgrid import parse_events
from pregon.errors import SignatureError
from pregon.types import DeliveryState, EventType

NAMES = {"bounce": "bounced", "open": "opened", "click": "clicked", "spamreport": "complained"}


@contextmanager
def receiving(house: House) -> Iterator[list[int]]:
    """The desk's webhook, as small as it can be; what it answered."""
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                house.pipeline.measuring.receive_events("sendgrid", self.headers, body)  # type: ignore[arg-type]
                answers.append(204)
            except SignatureError:
                answers.append(403)
            self.send_response(answers[-1])
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        house.sandbox.set_webhook(f"http://127.0.0.1:{server.server_port}/webhooks/sendgrid")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield answers
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "fault", ["", "events_early", "events_late", "events_repeated", "events_reversed", "events_unsigned"]
)
def test_the_figures_are_those_of_the_events_however_they_come(house: House, fault: str) -> None:
    if fault:
        house.sandbox.set_fault("sendgrid", fault)
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    with receiving(house) as answers:
        house.pipeline.delivering.deliver()
        for _ in range(2):
            house.sandbox.react()
    assert (403 in answers) == (fault == "events_unsigned")
    told = [event["entry"] for event in house.sandbox.read("events")]
    rows = [row for row in house.pipeline.reviewing.who(slug) if row.state is DeliveryState.SENT]
    kept = house.pipeline.store.list_events([row.id for row in rows])
    assert sorted(event.key for event in kept) == sorted(entry["sg_event_id"] for entry in told)
    kinds = [EventType(NAMES.get(entry["event"], entry["event"])) for entry in told]
    figures = house.pipeline.measuring.funnels(slug)[0].rows[0]
    assert (figures.sent, figures.delivered, figures.bounced) == (
        len(rows),
        kinds.count(EventType.DELIVERED),
        kinds.count(EventType.BOUNCED),
    )
    tracked = {row.id: row for row in rows if row.track_clicks}
    clicked = {entry["pregon_delivery_id"] for entry in told if entry["event"] == "click"} & tracked.keys()
    assert figures.clickers <= len(clicked) <= figures.clickers + figures.machine_clicks


def test_one_event_with_what_no_database_keeps_loses_no_other(house: House) -> None:
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    row = next(row for row in house.pipeline.reviewing.who(slug) if row.track_clicks)
    about = {"timestamp": int(house.clock().timestamp()) + 60, "pregon_delivery_id": row.id}
    odd: list[Any] = [
        {"event": "click", "url": "https://a.example/\ud83d", "useragent": "Mozilla \ud83d\0", **about},
        {"event": "open", "sg_event_id": "x" * 5000, **about},
        {"event": "click", "timestamp": 10**30, "pregon_delivery_id": row.id},
        {"event": "delivered", "pregon_delivery_id": "\0\ud83d" * 60, "email": "\ud83d@x.example", "timestamp": -5},
        {"event": ["open"], "timestamp": {}},
        {"event": "delivered", "sg_event_id": "plain", **about},
    ]
    house.pipeline.measuring._readers["sendgrid"] = lambda headers, body: parse_events(body)
    body = json.dumps(odd).encode()
    assert house.pipeline.measuring.receive_events("sendgrid", {}, body) == 4
    assert house.pipeline.measuring.receive_events("sendgrid", {}, body) == 0
    kept = {event.type: event for event in house.pipeline.store.list_events([row.id])}
    assert kept[EventType.DELIVERED].key == "plain"
    assert kept[EventType.CLICKED].url == "https://a.example/?"
