"""A burst of 200 events at Prefect's embedded server, then one a second: does it stay alive, and does work go on?

The limit is the watchdog's: a server that does not answer in 5 s is on its way to being restarted. Events are emitted
past the engine's own coalescing, so this is harder than anything the desk does.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from pregon.bootstrap import build_pipeline, load_settings, running_stand_ins, share_pipeline
from pregon.engine import Engine
from pregon.engine.embedded import _emit

ROOT = Path(__file__).parents[1]
LIMIT = 5.0


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="10 minutes of one event a second instead of 30 s")
    seconds = 600 if parser.parse_args().full else 30
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(ROOT, {"PREGON_HOME": folder})
        with running_stand_ins(settings) as stand_ins:
            pipeline = build_pipeline(settings, stand_ins)
            share_pipeline(pipeline)
            engine = Engine(settings)
            engine.start()
            try:
                figures = storm(engine, seconds)
            finally:
                engine.stop()
                share_pipeline(None)
                pipeline.store.close()
    print(json.dumps(figures))


def storm(engine: Engine, seconds: int) -> dict[str, Any]:
    """200 events at once, then one a second; the server's slowest answer and the runs that ended."""
    print(f"200 events at once, then one a second for {seconds} s ...", flush=True)
    for number in range(200):
        _emit("pregon.draft.approved", f"pregon.draft.{number}")
    started, slowest = time.monotonic(), 0.0
    for number in range(seconds):
        _emit("pregon.draft.approved", f"pregon.draft.more-{number}")
        time.sleep(1)
        asked = time.monotonic()
        completed = count_completed(engine.ui_url)
        slowest = max(slowest, time.monotonic() - asked)
    minutes = (time.monotonic() - started) / 60
    return {
        "seconds": seconds,
        "completed_runs": completed,
        "runs_per_minute": round(completed / minutes, 1),
        "slowest_answer_s": round(slowest, 2),
        "ratio_to_limit_of_5_s": round(slowest / LIMIT, 2),
        "restarts": engine.server_restarts,
    }


def count_completed(url: str) -> int:
    """How many flow runs have ended well, asked of the server itself."""
    body = json.dumps({"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}).encode()
    request = urllib.request.Request(url + "/api/flow_runs/count", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.read())


if __name__ == "__main__":
    main()
