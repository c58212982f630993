"""Which rows of a campaign's ledger hold a text: looked for in the contacts, and among the few rows that tell a reason.

A part of an address is looked for in the index of the contacts' addresses and never in a million rows of a ledger. A
text that a thousand addresses hold is no search any more: the first thousand are taken, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from pregon.storage.conditions import in_state_of
from pregon.storage.tables import contacts, deliveries
from pregon.types import DeliveryState

MOST_PEOPLE = 1_000
# States of which every row tells why. What is written of others (tried again, released) is not looked for.
_TOLD = (DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.UNKNOWN, DeliveryState.SUPPRESSED)
_KEY = (
    deliveries.c.id,
    deliveries.c.state,
    deliveries.c.draft_id,
    deliveries.c.position,
    deliveries.c.contact_id,
)


def find_rows(connection: Connection, draft_ids: Sequence[int], text: str) -> tuple[dict[str, Any], bool]:
    """The keys of the rows of these drafts whose address or reason holds a text, by id; and whether these are all."""
    people = _find_people(connection, text)
    found: dict[str, Any] = {}
    is_all = len(people) <= MOST_PEOPLE
    for condition in _conditions(draft_ids, people[:MOST_PEOPLE], text):
        rows = connection.execute(select(*_KEY).where(condition).limit(MOST_PEOPLE + 1)).all()
        is_all = is_all and len(rows) <= MOST_PEOPLE
        found |= {row.id: row for row in rows[:MOST_PEOPLE]}
    return found, is_all


def _find_people(connection: Connection, text: str) -> list[int]:
    own = contacts.c.address.contains(text.lower(), autoescape=True)
    return list(connection.execute(select(contacts.c.id).where(own).limit(MOST_PEOPLE + 1)).scalars())


def _conditions(draft_ids: Sequence[int], people: Sequence[int], text: str) -> Iterator[Any]:
    """One after another, since each takes an index of its own."""
    address = deliveries.c.address.icontains(text, autoescape=True)
    reason = deliveries.c.reason.icontains(text, autoescape=True)
    for draft_id in draft_ids:
        mine = and_(deliveries.c.draft_id == draft_id, deliveries.c.position == 0)
        if people:
            yield and_(mine, deliveries.c.contact_id.in_(people))
        # Whose contact is gone, e.g. after a restore of part of the data: the row still says whom it was written to.
        yield and_(mine, deliveries.c.contact_id.is_(None), or_(address, reason))
        # The parts of a thread and the operations of a playlist; a newsletter has no such rows.
        yield and_(deliveries.c.draft_id == draft_id, deliveries.c.position > 0, or_(address, reason))
    for state in _TOLD:
        yield and_(in_state_of(state, draft_ids), reason)
