"""Queries of send windows: what is due while its channel may not send waits for the next opening."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, update

from pregon.storage.base import Queries
from pregon.storage.conditions import in_state
from pregon.storage.tables import contacts, deliveries
from pregon.types import ChannelName, DeliveryState

# Rows of one transaction: short enough that nobody else who writes waits long.
_PAGE = 20_000
_WAITS = "waits for the hours in which this channel sends"


class OpeningQueries(Queries):
    """Due deliveries -> later ones."""

    def list_due_countries(self, channel: ChannelName, at: datetime) -> tuple[str, ...]:
        """The countries, as they are written, of those whom something is due for; "" for whom none is known."""
        query = (
            select(contacts.c.country)
            .select_from(deliveries.outerjoin(contacts, contacts.c.id == deliveries.c.contact_id))
            .where(_is_due(channel, at))
        )
        with self._read() as connection:
            return tuple(sorted({country or "" for country in connection.execute(query.distinct()).scalars()}))

    def postpone(
        self, channel: ChannelName, at: datetime, until: datetime, countries: Collection[str] | None = None
    ) -> int:
        """Let what is due wait until a time: all of it, or that for readers in some countries. Returns how many rows."""
        due = _is_due(channel, at)
        if countries is not None:
            readers = select(contacts.c.id).where(contacts.c.country.in_(sorted(countries)))
            nobody = deliveries.c.contact_id.is_(None) if "" in countries else None
            where = deliveries.c.contact_id.in_(readers)
            due = and_(due, where if nobody is None else or_(where, nobody))
        page = select(deliveries.c.id).where(due).limit(_PAGE)
        statement = update(deliveries).where(deliveries.c.id.in_(page), in_state(DeliveryState.PENDING))
        postponed = 0
        while True:
            with self._write() as connection:
                moved = connection.execute(statement.values(due_at=until, reason=_WAITS)).rowcount
            postponed += moved
            if moved < _PAGE:
                return postponed


def _is_due(channel: ChannelName, at: datetime) -> Any:
    return and_(deliveries.c.channel == channel, in_state(DeliveryState.PENDING), deliveries.c.due_at <= at)
