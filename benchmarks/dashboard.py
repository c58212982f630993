"""The dashboard and a campaign's result with ten times as many events: milliseconds at both sizes, and their ratio.

Databases are made by `desk.py`'s own filling. The limit is 100 ms at the median, and a ratio below 1.5: figures are kept
as they are counted, so a page must not grow with the events behind it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from desk import MEDIAN_MS, fill, time_page, walk_samples
from pregon.bootstrap import build_pipeline
from pregon.sandbox import running_sandbox
from pregon.settings import load_settings
from pregon.web.app import build_app

ROOT = Path(__file__).parents[1]
PAGES = ("/dashboard", "/dashboard?page=2", "/campaigns/bench-1/result")
MOST_GROWTH, ROUNDS = 1.5, 30


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="1 and 10 million events instead of a twentieth of them")
    most = 10_000_000 if parser.parse_args().full else 500_000
    small, large = (measure(events) for events in (most // 10, most))
    growth = {page: round(large[page]["median_ms"] / small[page]["median_ms"], 2) for page in PAGES}
    slowest = max(large[page]["median_ms"] for page in PAGES)
    figures = {
        "events": [most // 10, most],
        "pages": {page: [small[page]["median_ms"], large[page]["median_ms"]] for page in PAGES},
        "growth": growth,
        "worst_growth_to_limit": round(max(growth.values()) / MOST_GROWTH, 2),
        "slowest_median_to_limit": round(slowest / MEDIAN_MS, 2),
    }
    print(json.dumps(figures))


def measure(events: int) -> dict[str, Any]:
    """Each page with so many events, a tenth as many contacts and a thousandth as many campaigns."""
    with tempfile.TemporaryDirectory() as name, running_sandbox(Path(name) / "sandbox.db") as sandbox:
        home = Path(name)
        settings = load_settings(ROOT, {"PREGON_HOME": str(home), "PREGON_SECRET_KEY": "b" * 64})
        pipeline = build_pipeline(settings, sandbox)
        walk_samples(pipeline, home)
        fill(home / "pregon.db", campaigns=events // 1000, contacts=events // 10, events=events)
        counted = pipeline.store.refresh_funnels()
        print(f"{events:,} events of {counted:,} campaigns", flush=True)
        with TestClient(build_app(pipeline, hint=lambda *_: None), base_url="https://desk.example") as http:
            page = http.get("/sign-in").text
            csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
            http.post("/sign-in", data={"name": "officer", "password": "a password for the desk", "csrf": csrf})
            times = {address: time_page(http.get, address, ROUNDS) for address in PAGES}
        pipeline.store.close()
    return times


if __name__ == "__main__":
    main()
