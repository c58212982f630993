"""Queries of the ledger as a person reads it: searched and paged, with what was tried; and tried again on their word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, true, update

from pregon.storage.base import Queries
from pregon.storage.claims import read_delivery_row
from pregon.storage.conditions import in_state, in_state_of, of_campaign, stands
from pregon.storage.funnels import mark_stale
from pregon.storage.ledger_search import find_rows
from pregon.storage.tables import contacts, deliveries, drafts, receipts
from pregon.types import ChannelName, Delivery, DeliverySearch, DeliveryState, DraftState, FoundDeliveries, Receipt

# Of the receipts, so that a page which only wants to say that all is well does not read a year of them.
_NEWEST = 2_000
# What comes first on a page, and what comes last: these in one order together, as they were planned.
_SELDOM = (DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.UNKNOWN)
_USUAL = (DeliveryState.SENDING, DeliveryState.PENDING, DeliveryState.SENT)
_RANK = (*_SELDOM, DeliveryState.SUPPRESSED, *_USUAL)
# Of a search, in which rows of one kind stand together.
_PLACES = {state: min(place, _RANK.index(_USUAL[0])) for place, state in enumerate(_RANK)}
_ORDER = (deliveries.c.draft_id, deliveries.c.position, deliveries.c.contact_id)
# The same, but sorted: for the few rows whose index has no such order.
_SORTED = (deliveries.c.draft_id + 0, deliveries.c.position, deliveries.c.contact_id)
_WHOLE_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}")


class LedgerQueries(Queries):
    """Pages of the ledger."""

    def search_deliveries(self, search: DeliverySearch) -> FoundDeliveries:
        """One page of a campaign's ledger, what is out of the ordinary first, and how many rows fit the search.

        Rows of an approval that lapsed are found by a text alone: they are in no figure.
        """
        with self._read() as connection:
            if _WHOLE_ADDRESS.fullmatch(search.text):
                rows = _rows_of_person(connection, search)
                return FoundDeliveries(rows[search.offset :][: search.limit], len(rows))
            if search.text:
                return _search(connection, search)
            own = deliveries.c.draft_id.in_(_draft_ids(connection, search))
            states = deliveries.c.state.in_(search.states) if search.states else true()
            count = _count(connection, and_(own, states, stands()))
        return FoundDeliveries(self.page_deliveries(search), count)

    def page_deliveries(self, search: DeliverySearch) -> tuple[Delivery, ...]:
        """A page without the count, for whoever knows it from the campaign's figures: counting a million rows takes long.

        What is looked for is not asked here.
        """
        with self._read() as connection:
            return tuple(map(read_delivery_row, _page(connection, search)))

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

    def count_reasons(
        self, campaign_id: int, channel: ChannelName, language: str, state: DeliveryState, most: int
    ) -> dict[str, int]:
        """Why so many deliveries of a channel and language are held or unknown: the most frequent reasons, and how many."""
        search = DeliverySearch(campaign_id, channel=channel, language=language)
        with self._read() as connection:
            own = in_state_of(state, _draft_ids(connection, search))
            query = select(deliveries.c.reason, func.count()).where(own).group_by(deliveries.c.reason)
            query = query.order_by(func.count().desc(), deliveries.c.reason).limit(most)
            return {reason or "": count for reason, count in connection.execute(query).tuples()}

    def failed_deliveries(self, campaign_id: int) -> tuple[Delivery, ...]:
        """Every row of a campaign that failed, in the order of the thread, of what is approved now."""
        standing = and_(drafts.c.state == DraftState.APPROVED, drafts.c.revision == deliveries.c.revision)
        joined = select(deliveries).join(drafts, and_(drafts.c.id == deliveries.c.draft_id, standing))
        query = joined.where(of_campaign(campaign_id), in_state(DeliveryState.FAILED))
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


def _page(connection: Connection, search: DeliverySearch) -> list[Row[Any]]:
    """A page over several parts of the ledger one after another, each in the order of an index: nothing large is sorted."""
    rows: list[Row[Any]] = []
    skip = search.offset
    for part, order in _parts(connection, search):
        query = select(deliveries).where(part).order_by(*order)
        found = connection.execute(query.limit(search.limit - len(rows)).offset(skip)).all()
        rows += found
        if len(rows) == search.limit:
            break
        skip = 0 if found or not skip else skip - _count(connection, part)
    return rows


def _parts(connection: Connection, search: DeliverySearch) -> Iterator[tuple[Any, Sequence[Any]]]:
    ids = _draft_ids(connection, search)
    for state in _SELDOM:
        if state in (search.states or _SELDOM):
            yield in_state_of(state, ids), _SORTED if state is DeliveryState.UNKNOWN else _ORDER
    if not search.states or DeliveryState.SUPPRESSED in search.states:
        left_out = and_(in_state(DeliveryState.SUPPRESSED), stands())
        yield from ((and_(left_out, deliveries.c.draft_id == each), _ORDER) for each in ids)
    usual = [state for state in _USUAL if state in (search.states or _USUAL)]
    if usual:
        yield from ((and_(deliveries.c.draft_id == each, deliveries.c.state.in_(usual)), _ORDER) for each in ids)


def _draft_ids(connection: Connection, search: DeliverySearch) -> list[int]:
    query = select(drafts.c.id).where(drafts.c.campaign_id == search.campaign_id)
    if search.channel:
        query = query.where(drafts.c.channel == search.channel)
    if search.language is not None:
        query = query.where(drafts.c.language == search.language)
    return list(connection.execute(query.order_by(drafts.c.id)).scalars())


def _count(connection: Connection, wanted: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(deliveries).where(wanted)).scalar_one())


def _search(connection: Connection, search: DeliverySearch) -> FoundDeliveries:
    """What holds a text, in the order of the pages; only the rows of the page are read in full."""
    found, is_all = find_rows(connection, _draft_ids(connection, search), search.text)
    keys = [key for key in found.values() if not search.states or key.state in search.states]
    keys.sort(key=lambda key: (_PLACES[key.state], key.draft_id, key.position, key.contact_id or 0))
    ids = [key.id for key in keys[search.offset :][: search.limit]]
    rows = {row.id: row for row in connection.execute(select(deliveries).where(deliveries.c.id.in_(ids)))}
    return FoundDeliveries(tuple(read_delivery_row(rows[key]) for key in ids), len(keys), is_all)


def _rows_of_person(connection: Connection, search: DeliverySearch) -> tuple[Delivery, ...]:
    """The rows of whoever has an address. By indexes alone, where a part of an address has to be looked for in every row."""
    address, ids = search.text.lower(), _draft_ids(connection, search)
    person = select(contacts.c.id).where(contacts.c.address == address)
    # Whose contact is gone, e.g. after a restore of part of the data: the row still says whom it was written to.
    nobody = and_(deliveries.c.contact_id.is_(None), deliveries.c.address == address)
    found: list[Row[Any]] = []
    for whose in (deliveries.c.contact_id.in_(person), nobody):
        mine = and_(deliveries.c.draft_id.in_(ids), deliveries.c.position == 0, whose)
        found += connection.execute(select(deliveries).where(mine).order_by(*_ORDER))
    rows = list(map(read_delivery_row, found))
    listed = [row for row in rows if row.state in (search.states or _RANK)]
    return tuple(sorted(listed, key=lambda row: _RANK.index(row.state)))
