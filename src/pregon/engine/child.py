"""Prefect's server, which ends by itself when the process that started it is gone, even if that was killed.

Run as `python -m pregon.engine.child PORT`. Two servers on one SQLite database would stall each other.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

_LOOK_EVERY = 1.0


def main() -> None:
    """Start the server in this process and keep an eye on the parent."""
    parent = os.getppid()
    threading.Thread(target=_end_with_parent, args=(parent,), name="parent-watch", daemon=True).start()
    sys.argv = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", sys.argv[1]]
    runpy.run_module("prefect", run_name="__main__")


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
