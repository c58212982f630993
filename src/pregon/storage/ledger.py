"""Queries of the ledger as a person reads it: searched and paged, with what was tried; and tried again on their word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update

from pregon.storage.base import Queries
from pregon.storage.claims import read_delivery_row
from pregon.storage.funnels import mark_stale
from pregon.storage.tables import contacts, deliveries, drafts, receipts, revisions
from pregon.types import ChannelName, Delivery, DeliverySearch, DeliveryState, Receipt

# Of the receipts, so that a page which only wants to say that all is well does not read a year of them.
_NEWEST = 2_000
_WHOLE_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")


class LedgerQueries(Queries):
    """Pages of the ledger."""

    def search_deliveries(self, search: DeliverySearch) -> tuple[tuple[Delivery, ...], int]:
        """One page of a campaign's ledger, what failed first, and how many rows fit the search."""
        count = select(func.count()).select_from(deliveries).where(_condition(search))
        with self._read() as connection:
            found = connection.execute(count).scalar_one()
        return self.page_deliveries(search), found

    def page_deliveries(self, search: DeliverySearch) -> tuple[Delivery, ...]:
        """The same page without the count, for whoever knows it from the campaign's figures: a million rows take a second."""
        # The order of ix_deliveries_ledger, so that no page sorts a million rows.
        order = (deliveries.c.state, deliveries.c.draft_id, deliveries.c.position, deliveries.c.contact_id)
        query = select(deliveries).where(_condition(search)).order_by(*order)
        with self._read() as connection:
            rows = connection.execute(query.limit(search.limit).offset(search.offset)).all()
        return tuple(map(read_delivery_row, rows))

    def receipts_of(self, delivery_ids: Sequence[str]) -> dict[str, tuple[Receipt, ...]]:
        """What was tried for these deliveries, oldest first."""
        own = select(receipts.c.delivery_id.label("whose"), receipts).where(receipts.c.delivery_id.in_(delivery_ids))
        # One that the deliveries of a request share names the first of them, for which it is its own.
        joined = receipts.join(deliveries, deliveries.c.receipt_id == receipts.c.id)
        shared = select(deliveries.c.id.label("whose"), receipts).select_from(joined)
        shared = shared.where(deliveries.c.id.in_(delivery_ids), deliveries.c.id != receipts.c.delivery_id)
        found: dict[str, tuple[Receipt, ...]] = {}
        with self._read() as connection:
            for row in sorted(connection.execute(own.union_all(shared)), key=lambda row: row.id):
                receipt = Receipt(row.whose, row.kind, DeliveryState(row.state), row.detail, row.at)
                found[row.whose] = (*found.get(row.whose, ()), receipt)
        return found

    def last_successes(self) -> dict[ChannelName, datetime]:
        """When each channel last sent something, as far as the newest receipts tell; others have none lately."""
        newest = select(receipts).order_by(receipts.c.id.desc()).limit(_NEWEST).subquery()
        joined = newest.join(deliveries, deliveries.c.id == newest.c.delivery_id)
        query = select(deliveries.c.channel, func.max(newest.c.at)).select_from(joined)
        query = query.where(newest.c.state == DeliveryState.SENT).group_by(deliveries.c.channel)
        with self._read() as connection:
            return {ChannelName(name): at for name, at in connection.execute(query).tuples()}

    def failed_deliveries(self, campaign_id: int) -> tuple[Delivery, ...]:
        """Every row of a campaign that failed, in the order of the thread."""
        query = select(deliveries).where(
            deliveries.c.campaign_id == campaign_id, deliveries.c.state == DeliveryState.FAILED
        )
        query = query.order_by(deliveries.c.draft_id, deliveries.c.position, deliveries.c.address)
        with self._read() as connection:
            return tuple(map(read_delivery_row, connection.execute(query)))

    def retry_deliveries(self, ids: Sequence[str], reason: str, at: datetime) -> int:
        """Failed rows become pending once more, with their attempts counted anew. No other row is touched."""
        failed = deliveries.c.state == DeliveryState.FAILED
        values = {"state": DeliveryState.PENDING, "reason": reason, "attempts": 0, "due_at": at}
        changed: list[int] = []
        with self._write() as connection:
            for start in range(0, len(ids), 500):
                statement = update(deliveries).where(failed, deliveries.c.id.in_(ids[start : start + 500]))
                statement = statement.values(**values).returning(deliveries.c.campaign_id)
                changed += connection.execute(statement).scalars().all()
            mark_stale(self, connection, changed)
        return len(changed)


def _condition(search: DeliverySearch) -> Any:
    is_whole = _WHOLE_ADDRESS.fullmatch(search.text)
    own = deliveries.c.campaign_id == search.campaign_id
    conditions = [deliveries.c.id.in_(_rows_of_address(search, own)) if is_whole else own]
    if search.states:
        conditions.append(deliveries.c.state.in_(search.states))
    if search.channel:
        conditions.append(deliveries.c.channel == search.channel)
    if search.language is not None:
        conditions.append(deliveries.c.language == search.language)
    if search.text and not is_whole:
        conditions.append(_holds_text(search.text))
    return and_(*conditions)


def _rows_of_address(search: DeliverySearch, own: Any) -> Any:
    """The rows of a person, and of each revision that was written to the address: by indexes alone, where a part of an
    address has to be looked for in every row."""
    address = search.text.lower()
    person = select(contacts.c.id).where(contacts.c.address == address)
    by_person = select(deliveries.c.id).where(own, deliveries.c.contact_id.in_(person))
    to_address = and_(
        deliveries.c.draft_id == drafts.c.id,
        deliveries.c.revision == revisions.c.number,
        deliveries.c.address == address,
    )
    written = drafts.join(revisions, revisions.c.draft_id == drafts.c.id).join(deliveries, to_address)
    by_address = select(deliveries.c.id).select_from(written).where(drafts.c.campaign_id == search.campaign_id)
    return by_person.union(by_address)


def _holds_text(text: str) -> Any:
    columns = (deliveries.c.address, deliveries.c.reason)
    return or_(*(column.icontains(text, autoescape=True) for column in columns))
