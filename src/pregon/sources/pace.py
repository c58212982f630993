"""How hosts are spared: one visit to a host at a time, and a pause between two of them, whoever asks.

Hosts of this machine are not spared: nobody else pays for them, and tests and benchmarks poll them by the thousand.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pregon.sources.network import is_loopback


class HostPace:
    """Keeps visits to one host apart, within this process."""

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._lock = threading.Lock()
        self._doors: dict[str, threading.Lock] = {}
        self._left_at: dict[str, float] = {}

    @contextmanager
    def visit(self, host: str, *, deadline: float | None = None) -> Iterator[bool]:
        """Wait until `host` may be visited and hold it meanwhile; False when `deadline` (monotonic) came first."""
        if not host or is_loopback(host):
            yield True
            return
        door = self._door(host)
        if not door.acquire(timeout=-1 if deadline is None else max(0.0, deadline - time.monotonic())):
            yield False
            return
        try:
            pause = self._left_at.get(host, float("-inf")) + self._gap - time.monotonic()
            in_time = deadline is None or time.monotonic() + pause < deadline
            if in_time and pause > 0:
                time.sleep(pause)
            try:
                yield in_time
            finally:
                if in_time:
                    self._left_at[host] = time.monotonic()
        finally:
            door.release()

    def _door(self, host: str) -> threading.Lock:
        with self._lock:
            return self._doors.setdefault(host, threading.Lock())
