"""Signed event batches through the whole intake: events a second, and as a ratio to bare inserts, a row at a time.

Batches of 1, 100 and 1,000 events are verified, matched with their deliveries, labelled, kept once and marked for the
figures (SQLite, synchronous=FULL). The peer inserts the same rows into a table of the same shape in plain sqlite3, one
statement an event and one transaction a batch, and does nothing else. A batch that comes again must bring nothing new.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from base64 import b64encode
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from delivery import open_pipeline, prepare
from pregon.bootstrap import build_event_reader
from pregon.pipeline import Pipeline

BATCHES = (1, 100, 1000)
_HEADER = "X-Twilio-Email-Event-Webhook-"
_PLAIN = """CREATE TABLE events (id INTEGER PRIMARY KEY, provider TEXT, key TEXT, type TEXT, at TEXT, received_at TEXT,
delivery_id TEXT, url TEXT, label TEXT, rule TEXT, counted INTEGER, raw TEXT, UNIQUE (provider, key))"""
_INSERT = "INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="up to 100,000 events in a size of batch instead of 5,000")
    count = 100_000 if parser.parse_args().full else 5_000
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), None, count)
        pipeline, delivering = open_pipeline(Path(name), None, 9)
        delivering._planning.plan_all()
        with pipeline.store.engine.begin() as connection:
            # Events come of mails that were sent; one of a mail that still waits settles it, which is another path.
            connection.execute(text("UPDATE deliveries SET state = 'sent'"))
            ids = list(connection.execute(text("SELECT id FROM deliveries")).scalars())
        key = trust_key(pipeline)
        for size in BATCHES:
            bodies = make_bodies(ids[: min(count, size * 200)], size)
            here = receive(pipeline, key, bodies)
            peer = insert_plainly(Path(name) / f"plain{size}.db", bodies)
            ratio = round(here / peer, 2)
            figures[str(size)] = {"per_second": round(here), "plain_per_second": round(peer), "ratio_to_plain": ratio}
        pipeline.store.close()
    print(json.dumps({"by_events_a_batch": figures}))


def trust_key(pipeline: Pipeline) -> ec.EllipticCurvePrivateKey:
    """A key whose signatures the pipeline takes from now on."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()
    secrets = pipeline.settings.secrets.model_copy(update={"sendgrid_webhook_key": public})
    reader = build_event_reader(pipeline.settings.model_copy(update={"secrets": secrets}), None)
    pipeline.measuring._readers = {"sendgrid": reader}
    return key


def make_bodies(ids: list[str], size: int) -> list[bytes]:
    """Batches of `size` deliveries that arrived, as the provider sends them."""
    now = int(time.time())
    events = [
        {
            "email": f"reader{number}@portamar.example",
            "timestamp": now,
            "event": "delivered",
            "sg_event_id": f"{size}-{number:020}",
            "sg_message_id": "sink.recvd-1",
            "pregon_delivery_id": delivery_id,
        }
        for number, delivery_id in enumerate(ids)
    ]
    return [json.dumps(events[first : first + size]).encode() for first in range(0, len(events), size)]


def receive(pipeline: Pipeline, key: ec.EllipticCurvePrivateKey, bodies: list[bytes]) -> float:
    """Events a second, from the signed bytes to the commit."""
    stamp = str(int(time.time()))
    signed = [
        {
            f"{_HEADER}Signature": b64encode(key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode(),
            f"{_HEADER}Timestamp": stamp,
        }
        for body in bodies
    ]
    start, new = time.perf_counter(), 0
    for headers, body in zip(signed, bodies, strict=True):
        new += pipeline.measuring.receive_events("sendgrid", headers, body)
    seconds = time.perf_counter() - start
    assert new == sum(len(json.loads(body)) for body in bodies)
    assert pipeline.measuring.receive_events("sendgrid", signed[0], bodies[0]) == 0
    return new / seconds


def insert_plainly(path: Path, bodies: list[bytes]) -> float:
    """Events a second by one insert an event, one transaction a batch, as durable."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(_PLAIN)
    start, count = time.perf_counter(), 0
    for body in bodies:
        connection.execute("BEGIN IMMEDIATE")
        for event in json.loads(body):
            row = ("sendgrid", event["sg_event_id"], event["event"], str(event["timestamp"]), "now")
            row += (event["pregon_delivery_id"], None, "unknown", "none", 1, json.dumps(event))
            connection.execute(_INSERT, row)
            count += 1
        connection.execute("COMMIT")
    seconds = time.perf_counter() - start
    connection.close()
    return count / seconds


if __name__ == "__main__":
    main()
