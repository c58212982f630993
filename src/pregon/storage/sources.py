"""Queries of the sources stage: polls, sightings, subscriptions at hubs, and what asking a link found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update

from pregon.storage.base import Queries
from pregon.storage.tables import link_states, sightings, sources, subscriptions
from pregon.types import LinkHealth, LinkState, SourceHealth, SourceState, Subscription, SubscriptionState

# SQLite takes 32,766 bound values in a statement, older ones 999.
_AT_ONCE = 500
_IS_RUNNING = subscriptions.c.state == SubscriptionState.RUNNING.value


class SourceQueries(Queries):
    """What was seen where, who tells of changes, and which links were alive."""

    def read_source(self, source_id: str) -> SourceState:
        """What is remembered of a source; an empty state for one never polled."""
        with self._read() as connection:
            row = connection.execute(select(sources).where(sources.c.id == source_id)).first()
        if row is None:
            return SourceState()
        names = [field.name for field in fields(SourceState)]
        return SourceState(**{name: getattr(row, name) for name in names})

    def write_source(self, source_id: str, at: datetime, **values: Any) -> None:
        """Remember a poll: any of the columns of `sources`."""
        values["last_polled_at"] = at
        statement = self._insert(sources).values(id=source_id, **values)
        statement = statement.on_conflict_do_update(index_elements=["id"], set_=values)
        with self._write() as connection:
            connection.execute(statement)

    def mark_due(self, source_id: str, at: datetime) -> None:
        """Have a source polled with the next pass: somebody said that it changed."""
        with self._write() as connection:
            connection.execute(update(sources).where(sources.c.id == source_id).values(next_check_at=at))

    def list_source_health(self) -> tuple[SourceHealth, ...]:
        """The last poll of every source ever polled, and what it brought last."""
        taken = sightings.c.result == "taken"
        seen = select(sightings.c.source_id, func.max(sightings.c.seen_at)).where(taken).group_by(sightings.c.source_id)
        leases = select(subscriptions.c.source_id, subscriptions.c.lease_ends_at)
        with self._read() as connection:
            rows = connection.execute(select(sources).order_by(sources.c.id)).all()
            last_seen = {row[0]: row[1] for row in connection.execute(seen)}
            lease_ends = {row[0]: row[1] for row in connection.execute(leases.where(_IS_RUNNING))}
        return tuple(
            SourceHealth(
                id=r.id,
                last_polled_at=r.last_polled_at,
                next_check_at=r.next_check_at,
                failures=r.failures,
                last_error=r.last_error,
                moved_to=r.moved_to,
                gone=r.gone,
                held_until=r.held_until,
                last_seen_at=last_seen.get(r.id),
                lease_ends_at=lease_ends.get(r.id),
            )
            for r in rows
        )

    def seen_content(self, source_id: str, key: str) -> str | None:
        """The content hash under which this entry was last taken or skipped."""
        query = select(sightings.c.content_hash).where(sightings.c.source_id == source_id, sightings.c.key == key)
        with self._read() as connection:
            return connection.execute(query).scalar()

    def read_sighting(self, source_id: str, key: str) -> tuple[str, str, int | None] | None:
        """(result, detail, item id) of what was done with this entry; None when it was never seen."""
        query = select(sightings.c.result, sightings.c.detail, sightings.c.item_id)
        query = query.where(sightings.c.source_id == source_id, sightings.c.key == key)
        with self._read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.result, row.detail, row.item_id)

    def record_sighting(
        self, source_id: str, key: str, content_hash: str, result: str, detail: str, item_id: int | None, at: datetime
    ) -> None:
        """Remember what was done with an entry of a source."""
        values = {"content_hash": content_hash, "result": result, "detail": detail, "item_id": item_id, "seen_at": at}
        statement = self._insert(sightings).values(source_id=source_id, key=key, **values)
        statement = statement.on_conflict_do_update(index_elements=["source_id", "key"], set_=values)
        with self._write() as connection:
            connection.execute(statement)

    def list_subscriptions(self) -> tuple[Subscription, ...]:
        """Every subscription asked for and not yet ended."""
        with self._read() as connection:
            rows = connection.execute(select(subscriptions).order_by(subscriptions.c.source_id)).all()
        return tuple(_subscription(row) for row in rows)

    def read_subscription(self, token: str) -> Subscription | None:
        """The subscription whose callback ends in this token."""
        with self._read() as connection:
            row = connection.execute(select(subscriptions).where(subscriptions.c.token == token)).first()
        return None if row is None else _subscription(row)

    def save_subscription(self, subscription: Subscription) -> None:
        """Remember how far a subscription has come."""
        values = asdict(subscription) | {"state": subscription.state.value}
        statement = self._insert(subscriptions).values(**values)
        statement = statement.on_conflict_do_update(index_elements=["token"], set_=values)
        with self._write() as connection:
            connection.execute(statement)

    def end_subscription(self, token: str) -> None:
        """Forget a subscription that has ended: what still comes to its callback is refused."""
        with self._write() as connection:
            connection.execute(delete(subscriptions).where(subscriptions.c.token == token))

    def read_link_states(self, addresses: Sequence[str]) -> dict[str, LinkState]:
        """What is remembered of these addresses, however old."""
        found: dict[str, LinkState] = {}
        keys = [_key(address) for address in addresses]
        with self._read() as connection:
            for start in range(0, len(keys), _AT_ONCE):
                query = select(link_states).where(link_states.c.key.in_(keys[start : start + _AT_ONCE]))
                for row in connection.execute(query):
                    found[row.address] = LinkState(row.address, LinkHealth(row.health), row.detail, row.checked_at)
        return found

    def save_link_states(self, states: Iterable[LinkState]) -> None:
        """Remember what asking these addresses found."""
        with self._write() as connection:
            for state in states:
                values = asdict(state) | {"health": state.health.value}
                statement = self._insert(link_states).values(key=_key(state.address), **values)
                connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))

    def forget_link_states(self, before: datetime) -> int:
        """Drop what was found before this time; returns how much."""
        with self._write() as connection:
            return connection.execute(delete(link_states).where(link_states.c.checked_at < before)).rowcount


def _key(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        token=row.token,
        source_id=row.source_id,
        hub=row.hub,
        topic=row.topic,
        state=SubscriptionState(row.state),
        next_try_at=row.next_try_at,
        lease_ends_at=row.lease_ends_at,
        failures=row.failures,
        detail=row.detail,
    )
