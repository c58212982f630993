"""One, two and four delivering processes on one ledger: recipients a second, and that nobody is claimed twice.

Requests of 100 mails go to a local sink that answers after 100 ms, so waiting is what more workers share. The sink must have
seen each delivery exactly once, and the ledger must say sent for each. SQLite, or the empty database of --database.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import text

from delivery import DELAY, in_process, open_pipeline, plan_again, prepare
from mail_sink import read_sink, running_sink
from pregon.types import ChannelName, DeliveryState

WORKERS = (1, 2, 4)
LEAST_GAIN = {2: 1.4, 4: 1.8}
BATCH = 100


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="200,000 recipients instead of 20,000")
    parser.add_argument("--database", help="URL of an empty database instead of a SQLite file")
    options = parser.parse_args()
    count = 200_000 if options.full else 20_000
    with tempfile.TemporaryDirectory() as name:
        in_process(prepare, Path(name), options.database, count)
        speeds = {workers: measure(Path(name), options.database, count, workers) for workers in WORKERS}
    figures = {
        "database": "postgresql" if options.database else "sqlite",
        "recipients": count,
        "per_second": speeds,
        "gain": {workers: round(speeds[workers] / speeds[1], 2) for workers in LEAST_GAIN},
        "least_gain": LEAST_GAIN,
        "claimed_twice": 0,
    }
    print(json.dumps(figures))


def measure(folder: Path, database: str | None, count: int, workers: int) -> int:
    """Recipients a second of so many workers, from the moment all are ready to the moment the last has nothing to do."""
    in_process(plan_again, folder, database, count)
    in_process(list_recipients, folder, database, count)
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(workers + 1), context.Queue()
    with running_sink(DELAY) as port:
        started = [context.Process(target=work, args=(folder, database, port, ready, results)) for _ in range(workers)]
        for process in started:
            process.start()
        ready.wait()
        begun = time.perf_counter()
        sent = [results.get() for _ in started]
        seconds = time.perf_counter() - begun
        for process in started:
            process.join()
        seen = read_sink(port)
    found = (sum(sent), seen["seen"], seen["different"], in_process(count_sent, folder, database))
    if set(found) != {count}:
        raise SystemExit(
            f"{workers} workers sent {found[0]}, the sink saw {found[1:3]}, the ledger {found[3]} of {count}"
        )
    print(f"{workers} workers: {count / seconds:,.0f} a second, shares {sorted(sent)}", flush=True)
    return round(count / seconds)


def list_recipients(folder: Path, database: str | None, count: int) -> None:
    """Plan, so that claiming and sending are what is measured."""
    pipeline, delivering = open_pipeline(folder, database, 0)
    assert delivering._planning.plan_all() == count
    pipeline.store.close()


def work(folder: Path, database: str | None, port: int, ready: Barrier, results: Any) -> None:
    """One worker: deliver until nothing is due."""
    pipeline, delivering = open_pipeline(folder, database, port)
    channel = delivering._channels[ChannelName.EMAIL]
    channel.batch_size = BATCH
    ready.wait()
    counts = delivering._send_channel(channel)
    results.put(counts.get(DeliveryState.SENT, 0))
    pipeline.store.close()


def count_sent(folder: Path, database: str | None) -> int:
    """What the ledger says."""
    pipeline, _ = open_pipeline(folder, database, 0)
    with pipeline.store.engine.connect() as connection:
        sent: int = connection.execute(text("SELECT count(*) FROM deliveries WHERE state = 'sent'")).scalar_one()
    pipeline.store.close()
    return sent


if __name__ == "__main__":
    main()
