"""Forgetting a person: what names them goes, what counts stays.

A delivery that is under way keeps its address until it is settled: without it nobody could ask the provider whether
it went out. `finish_erasures` takes it then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, and_, cast, delete, func, literal, select, update

from pregon.storage.base import Queries
from pregon.storage.conditions import of_contacts
from pregon.storage.duties import note_duty
from pregon.storage.funnels import mark_stale
from pregon.storage.notices import strip_notices
from pregon.storage.tables import (
    campaigns,
    consents,
    contacts,
    deliveries,
    events,
    left_lists,
    memberships,
    notices,
    receipts,
    suppressions,
)
from pregon.types import Consent, ContactState, DeliveryState, SuppressionReason

_UNDER_WAY = (DeliveryState.SENDING, DeliveryState.UNKNOWN)
_FORGOTTEN = {"name": "", "organisation": "", "city": "", "country": "", "lists": ""}


class ErasureQueries(Queries):
    """Export and erase."""

    def export_contact(self, contact_id: int) -> dict[str, Any]:
        """The deliveries to a contact and what is known to have become of them, as plain values."""
        mine = of_contacts([contact_id])
        query = select(deliveries, campaigns.c.title).join(campaigns, campaigns.c.id == deliveries.c.campaign_id)
        counted = select(events.c.delivery_id, events.c.type, func.count().label("number")).join(
            deliveries, deliveries.c.id == events.c.delivery_id
        )
        counted = counted.where(mine, events.c.counted).group_by(events.c.delivery_id, events.c.type)
        with self._read() as connection:
            known: dict[str, dict[str, int]] = {}
            for row in connection.execute(counted):
                known.setdefault(row.delivery_id, {})[row.type] = int(row.number)
            rows = connection.execute(query.where(mine).order_by(deliveries.c.planned_at)).all()
        return {
            "deliveries": [
                {
                    "campaign": row.title,
                    "state": row.state,
                    "reason": row.reason,
                    "sent_at": row.sent_at.isoformat() if row.sent_at else None,
                    "events": known.get(row.id, {}),
                }
                for row in rows
            ]
        }

    def erase_address(self, address: str, mark: str, at: datetime) -> int:
        """Forget whoever has this address; `mark` is the salted hash that keeps them out. Returns the contact's id, or 0."""
        with self._write() as connection:
            contact_id = connection.execute(select(contacts.c.id).where(contacts.c.address == address)).scalar() or 0
            connection.execute(delete(suppressions).where(suppressions.c.address == address))
            values = {"address": mark, "reason": SuppressionReason.UNSUBSCRIBED, "detail": "erased", "created_at": at}
            kept = self._insert(suppressions).values(**values).on_conflict_do_nothing(index_elements=["address"])
            connection.execute(kept)
            note_duty(connection, "erase", address, at)
            # What a provider reported without our id.
            unmatched = and_(
                events.c.delivery_id.is_(None), func.lower(events.c.raw).contains(address, autoescape=True)
            )
            connection.execute(update(events).where(unmatched).values(raw="", url=None))
            if contact_id:
                self._forget(connection, contact_id, at)
        return int(contact_id)

    def _forget(self, connection: Connection, contact_id: int, at: datetime) -> None:
        for table in (memberships, left_lists, consents):
            connection.execute(delete(table).where(table.c.contact_id == contact_id))
        asked = notices.c.contact_id == contact_id
        strip_notices(connection, asked)
        connection.execute(delete(notices).where(asked))
        answers = {"open_tracking": Consent.UNKNOWN, "click_tracking": Consent.UNKNOWN}
        gone = {"address": f"erased:{contact_id}", "state": ContactState.UNSUBSCRIBED, "erased_at": at}
        changed = update(contacts).where(contacts.c.id == contact_id)
        connection.execute(changed.values(**_FORGOTTEN, **answers, **gone, updated_at=at))
        waiting = update(deliveries).where(
            of_contacts([contact_id]), deliveries.c.state.in_((DeliveryState.PENDING, DeliveryState.HELD))
        )
        reason = "the person asked to be erased"
        out = waiting.values(state=DeliveryState.SUPPRESSED, reason=reason).returning(deliveries.c.campaign_id)
        mark_stale(self, connection, connection.execute(out).scalars().all())
        _blank(connection, of_contacts([contact_id]))

    def finish_erasures(self) -> int:
        """Take the address from deliveries that were under way when somebody was erased. Returns how many."""
        erased = select(contacts.c.id).where(contacts.c.erased_at.is_not(None))
        # Read first: nobody else who writes waits for it.
        with self._read() as connection:
            left = connection.execute(select(deliveries.c.id).where(of_contacts(erased), *_is_done())).scalars().all()
        if not left:
            return 0
        with self._write() as connection:
            return _blank(connection, deliveries.c.id.in_(left))


def _blank(connection: Connection, whose: Any) -> int:
    """Take address and raw data from deliveries that are not under way, and from their events and receipts."""
    done = (whose, *_is_done())
    ids = select(deliveries.c.id).where(*done)
    connection.execute(update(events).where(events.c.delivery_id.in_(ids)).values(raw=""))
    connection.execute(update(receipts).where(receipts.c.delivery_id.in_(ids)).values(raw=""))
    marked = literal("erased:") + cast(deliveries.c.contact_id, String)
    return connection.execute(update(deliveries).where(*done).values(address=marked)).rowcount


def _is_done() -> tuple[Any, ...]:
    return deliveries.c.state.not_in(_UNDER_WAY), deliveries.c.address.not_like("erased:%")
