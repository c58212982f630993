"""Queries of the audit log: lines are added and read, never changed."""

from __future__ import annotations

from sqlalchemy import insert, select

from pregon.storage.base import Queries
from pregon.storage.tables import audit_log
from pregon.types import AuditEntry


class AuditQueries(Queries):
    """Who did what, when."""

    def add_audit(self, entry: AuditEntry) -> None:
        """Add a line."""
        values = {"person": entry.person, "action": entry.action, "subject": entry.subject, "detail": entry.detail}
        with self._write() as connection:
            connection.execute(insert(audit_log).values(at=entry.at, **values))

    def list_audit(self, subject: str | None = None, limit: int = 500) -> tuple[AuditEntry, ...]:
        """The newest lines first, of one subject or of all."""
        query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(audit_log.c.subject == subject)
        with self._read() as connection:
            rows = connection.execute(query).all()
        return tuple(AuditEntry(row.at, row.person, row.action, row.subject, row.detail) for row in rows)
