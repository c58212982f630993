"""Hints say only "look", so a burst of them needs one look at its start and one after it, not one each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

QUIET_SECONDS = 2.0


class Hints:
    """Passes the first hint of each kind on at once, and at most one more per `quiet` seconds after that."""

    def __init__(self, emit: Callable[[str, str], None], quiet: float = QUIET_SECONDS) -> None:
        self._emit, self._quiet = emit, quiet
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._waiting: dict[str, threading.Timer] = {}

    def give(self, event: str, resource: str) -> None:
        """Take a hint. The last of a burst is never dropped: it is what the trailing look is for."""
        with self._lock:
            if event in self._waiting:
                return
            wait = self._last.get(event, float("-inf")) + self._quiet - time.monotonic()
            if wait > 0:
                timer = threading.Timer(wait, self._pass_on, (event, resource))
                timer.daemon = True
                self._waiting[event] = timer
                timer.start()
                return
            self._last[event] = time.monotonic()
        self._emit(event, resource)

    def stop(self) -> None:
        """Forget what waits: the next start sweeps."""
        with self._lock:
            for timer in self._waiting.values():
                timer.cancel()
            self._waiting.clear()

    def _pass_on(self, event: str, resource: str) -> None:
        with self._lock:
            self._waiting.pop(event, None)
            self._last[event] = time.monotonic()
        self._emit(event, resource)
