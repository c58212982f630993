"""Queries of duties: what the mail provider still has to be told of an address. Noted with the change that causes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from pregon.storage.base import Queries
from pregon.storage.tables import provider_duties
from pregon.types import ProviderDuty

# Whoever is to be forgotten is not kept there as suppressed, either: the salted hash here keeps them out.
_AGAINST = {"suppress": ("release",), "release": ("suppress",), "erase": ("suppress", "release")}


def note_duty(connection: Connection, kind: str, address: str, at: datetime) -> None:
    """Note that the provider has to be told; what it had yet to be told to the contrary falls away."""
    waiting = (provider_duties.c.address == address, provider_duties.c.state == "pending")
    connection.execute(delete(provider_duties).where(*waiting, provider_duties.c.kind.in_(_AGAINST[kind])))
    if connection.execute(select(provider_duties.c.id).where(*waiting, provider_duties.c.kind == kind)).first():
        return
    values = {"kind": kind, "address": address, "state": "pending", "attempts": 0, "detail": ""}
    connection.execute(insert(provider_duties).values(**values, due_at=at, created_at=at))


class DutyQueries(Queries):
    """What is due, and what became of it."""

    def due_duties(self, kind: str, limit: int, at: datetime) -> tuple[tuple[int, str, int], ...]:
        """(id, address, attempts) of what the provider is due to be told, oldest first."""
        query = select(provider_duties.c.id, provider_duties.c.address, provider_duties.c.attempts).where(
            provider_duties.c.kind == kind, provider_duties.c.state == "pending", provider_duties.c.due_at <= at
        )
        with self._read() as connection:
            rows = connection.execute(query.order_by(provider_duties.c.id).limit(limit)).all()
        return tuple((int(row[0]), str(row[1]), int(row[2])) for row in rows)

    def troubled_duties(self, before: datetime, limit: int) -> tuple[ProviderDuty, ...]:
        """What was refused, or was to be told before this time and is not, oldest first."""
        refused = provider_duties.c.state == "failed"
        waiting = and_(provider_duties.c.state == "pending", provider_duties.c.created_at < before)
        query = select(provider_duties).where(or_(refused, waiting)).order_by(provider_duties.c.id).limit(limit)
        with self._read() as connection:
            return tuple(
                ProviderDuty(row.id, row.kind, row.address, row.state == "failed", row.detail, row.created_at)
                for row in connection.execute(query)
            )

    def change_duty(self, duty_id: int, state: str, at: datetime) -> bool:
        """A person's word: pending (told again now) or done (by hand, so that its address goes). Whether it was open."""
        values: dict[str, Any] = {"state": state, "due_at": at}
        values |= {"address": "", "done_at": at} if state == "done" else {}
        still_open = provider_duties.c.state.in_(("pending", "failed"))
        statement = update(provider_duties).where(provider_duties.c.id == duty_id, still_open)
        with self._write() as connection:
            return connection.execute(statement.values(**values)).rowcount > 0

    def settle_duties(self, ids: Sequence[int], state: str, detail: str, due_at: datetime, at: datetime) -> None:
        """Write what became of duties: done, failed or pending until `due_at`. What is done keeps no address."""
        values: dict[str, Any] = {"state": state, "detail": detail, "due_at": due_at}
        if state == "done":
            values |= {"address": "", "done_at": at}
        statement = update(provider_duties).where(provider_duties.c.id.in_(ids))
        with self._write() as connection:
            connection.execute(statement.values(**values, attempts=provider_duties.c.attempts + 1))
