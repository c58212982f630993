"""Queries of the audit log: lines are added and read, never changed; the database itself refuses that.

Each line's hash covers the line and the hash before it, so whoever reaches the file itself cannot change, take out or
put in a line without the chain saying where.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text

from pregon.storage.base import Queries
from pregon.storage.tables import audit_log
from pregon.types import AuditEntry


class AuditQueries(Queries):
    """Who did what, when."""

    def add_audit(self, entry: AuditEntry) -> None:
        """Add a line, sealed to the one before it."""
        values = {"person": entry.person, "action": entry.action, "subject": entry.subject, "detail": entry.detail}
        with self._write() as connection:
            self._wait_for_turn(connection)
            newest = select(audit_log.c.hash).order_by(audit_log.c.id.desc()).limit(1)
            before = connection.execute(newest).scalar() or ""
            seal = seal_line(before, entry)
            connection.execute(insert(audit_log).values(at=entry.at, prev_hash=before, hash=seal, **values))

    def _wait_for_turn(self, connection: Connection) -> None:
        # Two lines must not seal the same one. SQLite has one writer anyway.
        if self.engine.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE audit_log IN SHARE ROW EXCLUSIVE MODE"))

    def list_audit(self, subject: str | None = None, limit: int = 500) -> tuple[AuditEntry, ...]:
        """The newest lines first, of one subject or of all."""
        query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(audit_log.c.subject == subject)
        with self._read() as connection:
            rows = connection.execute(query).all()
        return tuple(map(_entry, rows))

    def walk_audit(self) -> Iterator[AuditEntry]:
        """Every line, oldest first, without holding all of them at once."""
        after = 0
        while True:
            query = select(audit_log).where(audit_log.c.id > after).order_by(audit_log.c.id).limit(2_000)
            with self._read() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            yield from map(_entry, rows)
            after = rows[-1].id

    def find_broken_line(self) -> AuditEntry | None:
        """The first line whose seal does not fit; None when the whole log is as it was written."""
        before = ""
        for entry in self.walk_audit():
            if entry.hash != seal_line(before, entry):
                return entry
            before = entry.hash
        return None


def seal_line(before: str, entry: AuditEntry) -> str:
    """SHA-256 over the hash before and the line, as JSON without spaces; times with microseconds in UTC."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    line = [before, at, entry.person, entry.action, entry.subject, entry.detail]
    return hashlib.sha256(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(row.at, row.person, row.action, row.subject, row.detail, row.hash)
