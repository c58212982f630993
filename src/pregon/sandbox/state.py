"""What the stand-ins remember, in one SQLite file: JSON records by kind and id. Knows nothing of the providers."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT '', value TEXT NOT NULL, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS records_status ON records (kind, status);
"""


class State:
    """Records in the order they came. Safe to use from several threads."""

    def __init__(self, path: Path | str) -> None:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(str(path), check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    def put(self, kind: str, values: Iterable[tuple[str, Record]], status: str = "") -> None:
        """Add or replace records in one transaction; a replaced record keeps its place."""
        rows = [(kind, identity, status, json.dumps(value)) for identity, value in values]
        with self._lock, self._database:
            self._database.executemany(
                "INSERT INTO records (kind, id, status, value) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value, status = excluded.status",
                rows,
            )

    def mark(self, kind: str, ids: Iterable[str], status: str) -> None:
        """Set the status of records."""
        with self._lock, self._database:
            self._database.executemany(
                "UPDATE records SET status = ? WHERE kind = ? AND id = ?",
                [(status, kind, identity) for identity in ids],
            )

    def get(self, kind: str, identity: str) -> Record | None:
        """One record, or None."""
        rows = self._select("SELECT value FROM records WHERE kind = ? AND id = ?", (kind, identity))
        return json.loads(rows[0][0]) if rows else None

    def all(self, kind: str, status: str | None = None) -> list[Record]:
        """All records of a kind, oldest first, or those with this status."""
        if status is None:
            rows = self._select("SELECT value FROM records WHERE kind = ? ORDER BY number", (kind,))
        else:
            rows = self._select(
                "SELECT value FROM records WHERE kind = ? AND status = ? ORDER BY number", (kind, status)
            )
        return [json.loads(row[0]) for row in rows]

    def count(self, kind: str, status: str | None = None) -> int:
        """How many records of a kind there are (with this status)."""
        query, values = "SELECT count(*) FROM records WHERE kind = ?", (kind,)
        if status is not None:
            return int(self._select(f"{query} AND status = ?", (*values, status))[0][0])
        return int(self._select(query, values)[0][0])

    def next_number(self) -> int:
        """A number larger than any record's, for ids that must grow."""
        return int(self._select("SELECT coalesce(max(number), 0) + 1 FROM records", ())[0][0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _select(self, query: str, values: tuple[str, ...]) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()
