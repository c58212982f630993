"""What `pregon serve` uses while nothing happens: share of one core, and memory, of all its processes together.

The limit is a share of one core: a small machine must have room for what it is there for.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from served import serving

LIMIT = 0.10
SETTLE_SECONDS = 20


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="ten minutes instead of one")
    seconds = 600 if parser.parse_args().full else 60
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "home") as served:
        print(f"pregon serve is ready; {SETTLE_SECONDS} s to settle, then {seconds} s of nothing ...", flush=True)
        time.sleep(SETTLE_SECONDS)
        before, began = served.processor_seconds(), time.perf_counter()
        time.sleep(seconds)
        used, lasted = served.processor_seconds() - before, time.perf_counter() - began
        figures = {
            "seconds": round(lasted),
            "processes": len(served.processes()),
            "of_one_core": round(used / lasted, 3),
            "limit_of_one_core": LIMIT,
            "ratio_to_limit": round(used / lasted / LIMIT, 2),
            "megabytes": round(served.megabytes()),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
