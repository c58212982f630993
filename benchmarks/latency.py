"""From a document dropped into the watched folder to its drafts in the database, under `pregon serve`.

The limit is the promise of 3 s; the peer is the same work done by one direct call (`take` and `open_campaign`) in this
run, so the ratio says what noticing, scheduling and starting a flow run costs. The outputs are compared: both ways
must give drafts with the same digests.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pregon.bootstrap import load_settings, open_document, running_pipeline

ROOT = Path(__file__).parents[1]
LIMIT = 3.0
PREGON = Path(sys.executable).parent / "pregon"


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="40 documents instead of 12")
    count = 40 if parser.parse_args().full else 12
    with tempfile.TemporaryDirectory() as folder:
        texts = write_documents(Path(folder) / "documents", count)
        print(f"{count} circulars, one by one, first by a direct call, then dropped under pregon serve ...")
        direct, expected = run_direct(Path(folder) / "direct", texts)
        served, found = run_served(Path(folder) / "served", texts)
    if found != expected:
        raise SystemExit("The two ways gave different drafts.")
    median = statistics.median(served)
    figures = {
        "documents": count,
        "served_median_s": round(median, 3),
        "served_p95_s": round(sorted(served)[int(0.95 * (count - 1))], 3),
        "served_max_s": round(max(served), 3),
        "direct_median_s": round(statistics.median(direct), 3),
        "ratio_to_direct": round(median / statistics.median(direct), 1),
        "ratio_to_limit_of_3_s": round(median / LIMIT, 2),
    }
    print(json.dumps(figures))


def write_documents(folder: Path, count: int) -> list[Path]:
    """Circulars that differ in number and date."""
    folder.mkdir()
    sample = ROOT / "src/pregon/sandbox/sample/inbox/circular-14-2026.es.txt"
    text = sample.read_text(encoding="utf-8")
    paths = []
    for number in range(100, 100 + count):
        path = folder / f"circular-{number}.txt"
        path.write_text(text.replace("Circular 14", f"Circular {number}"), encoding="utf-8")
        paths.append(path)
    return paths


def run_direct(home: Path, documents: list[Path]) -> tuple[list[float], set[str]]:
    """The same work without Prefect: seconds each, and the digests of all drafts."""
    seconds = []
    with running_pipeline(load_settings(ROOT, {"PREGON_HOME": str(home)})) as pipeline:
        pipeline.composing.warm_up()
        for document in documents:
            started = time.perf_counter()
            saved = pipeline.watching.take(open_document(str(document)))
            pipeline.drafting.open_campaign(saved.id)
            seconds.append(time.perf_counter() - started)
    return seconds, read_digests(home / "pregon.db")


def run_served(home: Path, documents: list[Path]) -> tuple[list[float], set[str]]:
    """The promise: seconds from the moment the file is whole to the moment its campaign can be read."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PREGON_HOME": str(home), "PREGON_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen([PREGON, "serve"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr or ():
            if "engine is ready" in line:
                break
        time.sleep(3)
        return [drop(document, home) for document in documents], read_digests(home / "pregon.db")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)


def drop(document: Path, home: Path) -> float:
    """Seconds until the dropped document's campaign is there."""
    before = count_campaigns(home / "pregon.db")
    whole = home / "inbox" / f".{document.name}"
    shutil.copy(document, whole)
    started = time.perf_counter()
    whole.rename(home / "inbox" / document.name)
    while count_campaigns(home / "pregon.db") == before:
        if time.perf_counter() - started > 60:
            raise SystemExit(f"{document.name} did not reach the desk in a minute.")
        time.sleep(0.01)
    return time.perf_counter() - started


def count_campaigns(database: Path) -> int:
    """How many campaigns can be read now."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return int(connection.execute("SELECT count(*) FROM campaigns").fetchone()[0])


def read_digests(database: Path) -> set[str]:
    """The digests of all revisions."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return {row[0] for row in connection.execute("SELECT digest FROM revisions")}


if __name__ == "__main__":
    main()
