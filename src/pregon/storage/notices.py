"""Queries of notices: the outbox of mails that people asked for themselves, and the throttle of the public form.

The same rules as for deliveries: claimed by conditional UPDATE, never sent twice on a guess.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from pregon.storage.base import Queries
from pregon.storage.conditions import of_contacts
from pregon.storage.tables import (
    consents,
    contacts,
    deliveries,
    events,
    form_attempts,
    left_lists,
    memberships,
    notices,
)
from pregon.types import Consent, ContactState, DeliveryState, Notice, Outcome, Wish


class NoticeQueries(Queries):
    """Write, claim, record, answer, forget."""

    def add_notice(self, notice: Notice) -> None:
        """Put a mail into the outbox."""
        wish = json.dumps(asdict(notice.wish), ensure_ascii=False)
        values = {"id": notice.id, "kind": notice.kind, "contact_id": notice.contact_id, "address": notice.address}
        values |= {"language": notice.language, "wish_json": wish, "state": notice.state, "reason": "", "attempts": 0}
        times = {"created_at": notice.created_at, "due_at": notice.created_at}
        with self._write() as connection:
            connection.execute(insert(notices).values(**values, **times))

    def read_notice(self, notice_id: str) -> Notice | None:
        """One notice."""
        with self._read() as connection:
            row = connection.execute(select(notices).where(notices.c.id == notice_id)).first()
        return None if row is None else _notice(row)

    def claim_notices(self, limit: int, at: datetime) -> tuple[Notice, ...]:
        """Claim due notices: nobody else sends them."""
        due = select(notices.c.id).where(notices.c.state == DeliveryState.PENDING, notices.c.due_at <= at)
        with self._write() as connection:
            ids = connection.execute(due.order_by(notices.c.due_at, notices.c.id).limit(limit)).scalars().all()
            claim = update(notices).where(notices.c.id.in_(ids), notices.c.state == DeliveryState.PENDING)
            values = {"state": DeliveryState.SENDING, "claimed_at": at, "attempts": notices.c.attempts + 1}
            rows = connection.execute(claim.values(**values).returning(notices)).all()
        return tuple(map(_notice, rows))

    def lose_notices(self, claimed_before: datetime, at: datetime) -> int:
        """Claims whose worker never came back become unknown. Returns how many."""
        lost = update(notices).where(notices.c.state == DeliveryState.SENDING, notices.c.claimed_at < claimed_before)
        with self._write() as connection:
            return connection.execute(lost.values(state=DeliveryState.UNKNOWN, due_at=at)).rowcount

    def unknown_notices(self, at: datetime) -> tuple[Notice, ...]:
        """Notices whose outcome is unknown and due to be settled."""
        query = select(notices).where(notices.c.state == DeliveryState.UNKNOWN, notices.c.due_at <= at)
        with self._read() as connection:
            return tuple(map(_notice, connection.execute(query.order_by(notices.c.due_at))))

    def record_notices(self, outcomes: Sequence[tuple[Outcome, datetime]]) -> None:
        """Write what became of notices, each with the time of its next try."""
        with self._write() as connection:
            for outcome, due_at in outcomes:
                values: dict[str, Any] = {"state": outcome.state, "reason": outcome.detail, "due_at": due_at}
                if outcome.provider_id:
                    values["provider_id"] = outcome.provider_id
                connection.execute(update(notices).where(notices.c.id == outcome.delivery_id).values(**values))

    def answer_notice(self, notice_id: str, at: datetime) -> bool:
        """Their link was used. Returns whether for the first time."""
        first = update(notices).where(notices.c.id == notice_id, notices.c.answered_at.is_(None))
        with self._write() as connection:
            return connection.execute(first.values(answered_at=at)).rowcount == 1

    def add_attempts(self, marks: Sequence[str], at: datetime) -> None:
        """Somebody filled in the form: by address, by connection."""
        with self._write() as connection:
            connection.execute(insert(form_attempts), [{"mark": mark, "at": at} for mark in marks])

    def count_attempts(self, mark: str, since: datetime) -> int:
        """How often since then."""
        query = select(func.count()).where(form_attempts.c.mark == mark, form_attempts.c.at >= since)
        with self._read() as connection:
            return int(connection.execute(query).scalar_one())

    def forget_signups(self, before: datetime) -> int:
        """Forget who asked and never confirmed, and every trace of asking. Returns how many contacts."""
        old = notices.c.created_at < before
        asked = select(notices.c.contact_id).where(old, notices.c.answered_at.is_(None))
        never = contacts.c.id.in_(asked) & (contacts.c.state == ContactState.PENDING)
        never &= ~exists().where(notices.c.contact_id == contacts.c.id, notices.c.created_at >= before)
        with self._write() as connection:
            found = connection.execute(select(contacts.c.id).where(never)).scalars().all()
            written_to = select(deliveries.c.contact_id).where(of_contacts(found))
            gone = set(found) - set(connection.execute(written_to).scalars())
            for table in (memberships, left_lists, consents):
                connection.execute(delete(table).where(table.c.contact_id.in_(gone)))
            connection.execute(delete(contacts).where(contacts.c.id.in_(gone)))
            strip_notices(connection, old)
            connection.execute(delete(notices).where(old))
            connection.execute(delete(form_attempts).where(form_attempts.c.at < before))
        return len(gone)


def strip_notices(connection: Connection, which: Any) -> None:
    """Forget what the provider reported of these notices: they are in no ledger, and what it says holds the address."""
    ids = select(notices.c.id).where(which)
    connection.execute(update(events).where(events.c.delivery_id.in_(ids)).values(raw="", url=None))


def _notice(row: Row[Any]) -> Notice:
    wish = json.loads(row.wish_json)
    return Notice(
        id=row.id,
        kind=row.kind,
        contact_id=row.contact_id or 0,
        address=row.address,
        language=row.language,
        wish=Wish(wish["name"], tuple(wish["lists"]), Consent(wish["opens"]), Consent(wish["clicks"]), wish["text"]),
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        claimed_at=row.claimed_at,
        answered_at=row.answered_at,
    )
