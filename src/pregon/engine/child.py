"""Prefect's server, which ends by itself when the process that started it is gone, even if that was killed.

Run as `python -m pregon.engine.child PORT`. Two servers on one SQLite database would stall each other.
"""

from __future__ import annotations

import gc
import os
import runpy
import signal
import sys
import threading
import time

_LOOK_EVERY = 1.0
_COLLECT_EVERY = 10


def main() -> None:
    """Start the server in this process and keep an eye on the parent."""
    parent = os.getppid()
    # A collection on the event loop's thread can wait for a SQLite mutex and so stall the server for good, as seen
    # under a burst of events. It collects on the watching thread instead, which may wait.
    gc.disable()
    threading.Thread(target=_end_with_parent, args=(parent,), name="parent-watch", daemon=True).start()
    sys.argv = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", sys.argv[1]]
    runpy.run_module("prefect", run_name="__main__")


def _end_with_parent(parent: int) -> None:
    looks = 0
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
        looks += 1
        if looks % _COLLECT_EVERY == 0:
            gc.collect()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
