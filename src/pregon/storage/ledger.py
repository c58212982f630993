"""Queries of the ledger as a person reads it: searched and paged, with what was tried; and tried again on their word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update

from pregon.storage.base import Queries
from pregon.storage.claims import read_delivery_row
from pregon.storage.funnels import mark_stale
from pregon.storage.tables import deliveries, receipts
from pregon.types import Delivery, DeliverySearch, DeliveryState, Receipt


class LedgerQueries(Queries):
    """Pages of the ledger."""

    def search_deliveries(self, search: DeliverySearch) -> tuple[tuple[Delivery, ...], int]:
        """One page of a campaign's ledger, what failed first, and how many rows fit the search."""
        condition = _condition(search)
        query = select(deliveries).where(condition)
        # The order of ix_deliveries_ledger, so that no page sorts a million rows.
        query = query.order_by(deliveries.c.state, deliveries.c.draft_id, deliveries.c.position, deliveries.c.address)
        count = select(func.count()).select_from(deliveries).where(condition)
        with self._read() as connection:
            rows = connection.execute(query.limit(search.limit).offset(search.offset)).all()
            return tuple(map(read_delivery_row, rows)), connection.execute(count).scalar_one()

    def receipts_of(self, delivery_ids: Sequence[str]) -> dict[str, tuple[Receipt, ...]]:
        """What was tried for these deliveries, oldest first."""
        query = select(receipts).where(receipts.c.delivery_id.in_(delivery_ids)).order_by(receipts.c.id)
        found: dict[str, tuple[Receipt, ...]] = {}
        with self._read() as connection:
            for row in connection.execute(query):
                receipt = Receipt(row.delivery_id, row.kind, DeliveryState(row.state), row.detail, row.at)
                found[row.delivery_id] = (*found.get(row.delivery_id, ()), receipt)
        return found

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
    conditions = [deliveries.c.campaign_id == search.campaign_id]
    if search.states:
        conditions.append(deliveries.c.state.in_(search.states))
    if search.channel:
        conditions.append(deliveries.c.channel == search.channel)
    if search.language is not None:
        conditions.append(deliveries.c.language == search.language)
    if search.text:
        found = (
            column.icontains(search.text, autoescape=True) for column in (deliveries.c.address, deliveries.c.reason)
        )
        conditions.append(or_(*found))
    return and_(*conditions)
