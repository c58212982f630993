"""Item after item through `pregon serve`: whether its memory stays flat, and whether the last is as fast as the first.

Circulars are dropped into the watched folder one by one, and a page of the desk is opened after each. Compared in the same
run: memory and time of the last quarter with those of the second; the first warms everything up.
"""

from __future__ import annotations

import argparse
import json
import operator
import statistics
import tempfile
import urllib.request
from pathlib import Path

from latency import drop, write_documents
from served import serving

GROWTH, SLOWER = 1.15, 1.5


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="1,000 items instead of 60")
    parser.add_argument("--items", type=int)
    options = parser.parse_args()
    count = options.items or (1_000 if options.full else 60)
    memory, seconds = list[tuple[float, float]](), list[float]()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "home") as served:
        for document in write_documents(Path(folder) / "documents", count):
            seconds.append(drop(document, served.home))
            with urllib.request.urlopen(f"{served.url}/sign-in", timeout=30) as page:
                page.read()
            memory.append(served.megabytes_each())
            if len(memory) % max(1, count // 6) == 0:
                print(
                    f"{len(memory):,} items: {sum(memory[-1]):.0f} MB, {statistics.median(seconds[-10:]):.2f} s",
                    flush=True,
                )
    quarter = count // 4
    (early, late), own, server = (
        (statistics.median(map(size, memory[quarter : 2 * quarter])), statistics.median(map(size, memory[-quarter:])))
        for size in (sum, operator.itemgetter(0), operator.itemgetter(1))
    )
    quick, slow = statistics.median(seconds[quarter : 2 * quarter]), statistics.median(seconds[-quarter:])
    figures = {
        "items": count,
        "megabytes_second_quarter": round(early),
        "megabytes_last_quarter": round(late),
        "growth": round(late / early, 2),
        "limit_of_growth": GROWTH,
        "desk_and_worker_megabytes": [round(size) for size in own],
        "prefect_server_megabytes": [round(size) for size in server],
        "kilobytes_per_item": round((late - early) * 1024 / (count / 2)),
        "seconds_second_quarter": round(quick, 2),
        "seconds_last_quarter": round(slow, 2),
        "slower": round(slow / quick, 2),
        "limit_slower": SLOWER,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
