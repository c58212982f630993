"""How long a count of contacts may be reused: until this process commits a change to them, and for a minute at most.

Counting who an audience reaches walks all contacts; a page shows several such counts. Planning never uses a kept one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Engine, event

# What another process changed shows after so many seconds.
KEPT_SECONDS = 60.0
_TOUCHES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|WITH)\b.*?\b(?:contacts|memberships|suppressions)\b", re.I | re.S)
_MOST = 200
T = TypeVar("T")


class KeptCounts:
    """Values by key, forgotten when a transaction that changed contacts is committed on this engine."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._values: dict[object, tuple[float, Any]] = {}
        self._generation, self._flag = 0, f"pregon_touched_contacts_{id(self)}"
        event.listen(engine, "before_cursor_execute", self._notice)
        event.listen(engine, "commit", self._forget)
        event.listen(engine, "rollback", self._drop)

    def keep(self, key: object, count: Callable[[], T]) -> T:
        """The kept value of a key, else what `count` returns, kept from now on."""
        with self._lock:
            generation = self._generation
            at, value = self._values.get(key, (0.0, None))
            if key in self._values and self._clock() - at < KEPT_SECONDS:
                kept: T = value
                return kept
        counted = count()
        with self._lock:
            # A commit while counting: nobody knows whether the count saw it.
            if generation == self._generation:
                if len(self._values) >= _MOST:
                    self._values.clear()
                self._values[key] = (self._clock(), counted)
        return counted

    def note_change(self, connection: Any) -> None:
        """This transaction changes contacts by the driver's own means, where no statement is noticed."""
        connection.info[self._flag] = True

    def _notice(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if _TOUCHES.match(statement):
            connection.info[self._flag] = True

    def _drop(self, connection: Any) -> None:
        # A connection that was lost has no notes any more; asking for them would hide how it was lost.
        if not connection.invalidated:
            connection.info.pop(self._flag, None)

    def _forget(self, connection: Any) -> None:
        if connection.info.pop(self._flag, False):
            with self._lock:
                self._generation += 1
                self._values.clear()
