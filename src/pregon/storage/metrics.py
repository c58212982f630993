"""Queries of the metrics stage: append-only events, samples, and the counts that figures are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, distinct, select, update

from pregon.storage.base import Queries
from pregon.storage.funnels import mark_stale_by_delivery
from pregon.storage.tables import deliveries, events, samples
from pregon.types import EventType, Label, ProviderEvent, Sample, StoredEvent

NewEvent = tuple[ProviderEvent, Label, str, bool]
_LOOK_UP = 500


class MetricQueries(Queries):
    """Keep events and counters once, relabel clicks."""

    def add_events(self, new: Iterable[NewEvent], at: datetime) -> int:
        """Append events (with label, rule and whether they count); repeated ones are ignored. Returns how many were new."""
        rows = [_event_values(event, label, rule, counted, at) for event, label, rule, counted in new]
        added = 0
        with self._write() as connection:
            if rows:
                statement = self._insert(events).on_conflict_do_nothing(index_elements=["provider", "key"])
                # Returned rows are counted, since psycopg gives no row count for such an insert.
                added = len(connection.execute(statement.returning(events.c.id), rows).all())
            ids = [row["delivery_id"] for row in rows if row["delivery_id"]]
            mark_stale_by_delivery(self, connection, ids)
        return added

    def known_events(self, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these events, each by its provider and key, are kept already."""
        by_provider: dict[str, list[str]] = {}
        for provider, key in wanted:
            by_provider.setdefault(provider, []).append(key)
        found: set[tuple[str, str]] = set()
        with self._read() as connection:
            for provider, keys in by_provider.items():
                for start in range(0, len(keys), _LOOK_UP):
                    some = events.c.key.in_(keys[start : start + _LOOK_UP])
                    query = select(events.c.key).where(events.c.provider == provider, some)
                    found.update((provider, key) for key in connection.execute(query).scalars())
        return found

    def list_events(self, delivery_ids: Sequence[str]) -> tuple[StoredEvent, ...]:
        """All events of some deliveries, oldest first."""
        found: list[StoredEvent] = []
        with self._read() as connection:
            for start in range(0, len(delivery_ids), _LOOK_UP):
                chunk = delivery_ids[start : start + _LOOK_UP]
                query = select(events).where(events.c.delivery_id.in_(chunk)).order_by(events.c.at)
                found += map(_stored_event, connection.execute(query))
        return tuple(found)

    def relabel_events(self, provider: str, labels: dict[str, tuple[Label, str]]) -> None:
        """Give events another label and the rule for it; the raw fact stays."""
        with self._write() as connection:
            for key, (label, rule) in labels.items():
                statement = update(events).where(events.c.provider == provider, events.c.key == key)
                connection.execute(statement.values(label=label, rule=rule))
            wanted = and_(events.c.provider == provider, events.c.key.in_(list(labels)))
            ids = connection.execute(select(distinct(events.c.delivery_id)).where(wanted)).scalars().all()
            mark_stale_by_delivery(self, connection, [each for each in ids if each])

    def strip_events(self, before: datetime) -> int:
        """Forget the raw data and the addresses followed of events older than this. Returns how many had any."""
        old = update(events).where(events.c.at < before, events.c.raw != "")
        with self._write() as connection:
            return connection.execute(old.values(raw="", url=None)).rowcount

    def delivery_by_provider_id(self, provider_id: str) -> str | None:
        """The delivery that a provider's own id names, when only one has it."""
        query = select(deliveries.c.id).where(deliveries.c.provider_id == provider_id).limit(2)
        with self._read() as connection:
            ids = list(connection.execute(query).scalars())
        return ids[0] if len(ids) == 1 else None

    def add_samples(self, new: Iterable[Sample]) -> None:
        """Append polled counters."""
        with self._write() as connection:
            polled = list(new)
            mark_stale_by_delivery(self, connection, [sample.delivery_id for sample in polled])
            for sample in polled:
                values = {"delivery_id": sample.delivery_id, "metric": sample.metric}
                statement = self._insert(samples).values(value=sample.value, at=sample.at, **values)
                connection.execute(statement.on_conflict_do_nothing())

    def newest_facts(self) -> tuple[datetime | None, datetime | None]:
        """When the newest event came in, and when the newest counter was read."""
        event = select(events.c.received_at).order_by(events.c.id.desc()).limit(1)
        sample = select(samples.c.at).order_by(samples.c.id.desc()).limit(1)
        with self._read() as connection:
            return connection.execute(event).scalar(), connection.execute(sample).scalar()


def _event_values(event: ProviderEvent, label: Label, rule: str, counted: bool, at: datetime) -> dict[str, Any]:
    return {
        "provider": event.provider,
        "key": event.key,
        "type": event.type,
        "at": event.at,
        "received_at": at,
        "delivery_id": event.delivery_id,
        "url": event.url,
        "label": label,
        "rule": rule,
        "counted": counted,
        "raw": event.raw,
    }


def _stored_event(row: Row[Any]) -> StoredEvent:
    return StoredEvent(
        row.key, EventType(row.type), row.at, row.delivery_id, row.url, Label(row.label), row.rule, row.counted
    )
