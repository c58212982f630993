"""Queries of the metrics stage: append-only events, samples, and the counts that figures are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, case, distinct, func, or_, select, update

from pregon.storage.base import Queries
from pregon.storage.tables import deliveries, events, samples
from pregon.types import ChannelName, EventType, Funnel, Label, ProviderEvent, Sample, StoredEvent

NewEvent = tuple[ProviderEvent, Label, str, bool]
_LOOK_UP = 500


class MetricQueries(Queries):
    """Keep events once, relabel clicks, add up."""

    def add_events(self, new: Iterable[NewEvent], at: datetime) -> int:
        """Append events (with label, rule and whether they count); repeated ones are ignored. Returns how many were new."""
        rows = [_event_values(event, label, rule, counted, at) for event, label, rule, counted in new]
        added = 0
        with self._write() as connection:
            for row in rows:
                statement = self._insert(events).values(**row)
                statement = statement.on_conflict_do_nothing(index_elements=["provider", "key"])
                # Returned rows are counted, since psycopg gives no row count for such an insert.
                added += len(connection.execute(statement.returning(events.c.id)).all())
        return added

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
            for sample in new:
                values = {"delivery_id": sample.delivery_id, "metric": sample.metric}
                statement = self._insert(samples).values(value=sample.value, at=sample.at, **values)
                connection.execute(statement.on_conflict_do_nothing())

    def newest_facts(self) -> tuple[datetime | None, datetime | None]:
        """When the newest event came in, and when the newest counter was read."""
        event = select(events.c.received_at).order_by(events.c.id.desc()).limit(1)
        sample = select(samples.c.at).order_by(samples.c.id.desc()).limit(1)
        with self._read() as connection:
            return connection.execute(event).scalar(), connection.execute(sample).scalar()

    def count_funnels(self, campaign_id: int | None = None) -> tuple[tuple[int, Funnel], ...]:
        """(campaign id, funnel) per campaign, channel and language; of one campaign, or of all."""
        wanted = _stands()
        if campaign_id is not None:
            wanted = and_(wanted, deliveries.c.campaign_id == campaign_id)
        group = (deliveries.c.campaign_id, deliveries.c.channel, deliveries.c.language)
        with self._read() as connection:
            states = connection.execute(_count_states(group).where(wanted).group_by(*group)).all()
            facts = connection.execute(_count_facts(group).where(wanted).group_by(*group)).all()
            polled = connection.execute(_newest_samples(group).where(wanted).group_by(*group, samples.c.metric)).all()
        by_group = {(row[0], row[1], row[2]): row for row in facts}
        counters: dict[tuple[Any, ...], dict[str, int]] = {}
        for row in polled:
            counters.setdefault((row[0], row[1], row[2]), {})[row.metric] = int(row.total)
        return tuple(
            (row[0], _funnel(row, by_group.get((row[0], row[1], row[2])), counters.get((row[0], row[1], row[2]), {})))
            for row in states
        )


def _stands() -> Any:
    """Not the rows of an approval that lapsed: nobody was ever going to get those."""
    return or_(deliveries.c.reason.is_(None), deliveries.c.reason.not_like("withdrawn:%"))


def _count_states(group: tuple[Any, ...]) -> Any:
    def of(state: str) -> Any:
        return func.sum(case((deliveries.c.state == state, 1), else_=0)).label(state)

    names = ("sent", "failed", "suppressed", "unknown", "held")
    pending = func.sum(case((deliveries.c.state.in_(("pending", "sending")), 1), else_=0)).label("pending")
    return select(*group, func.count().label("planned"), *map(of, names), pending)


def _count_facts(group: tuple[Any, ...]) -> Any:
    event = events.c

    def people(condition: Any) -> Any:
        return func.count(distinct(case((condition, event.delivery_id))))

    def times(condition: Any) -> Any:
        return func.sum(case((condition, 1), else_=0))

    counted = event.counted.is_(True)
    clicked = and_(event.type == EventType.CLICKED, counted)
    opened = and_(event.type == EventType.OPENED, counted)
    delivered = event.type == EventType.DELIVERED
    return select(
        *group,
        people(delivered).label("delivered"),
        people(and_(delivered, deliveries.c.track_clicks.is_(True))).label("trackable"),
        people(event.type == EventType.BOUNCED).label("bounced"),
        people(and_(clicked, event.label == Label.HUMAN)).label("clickers"),
        times(and_(clicked, event.label == Label.HUMAN)).label("clicks"),
        times(and_(clicked, event.label != Label.HUMAN)).label("machine_clicks"),
        people(and_(opened, event.label == Label.UNKNOWN)).label("opens"),
        times(and_(opened, event.label != Label.UNKNOWN)).label("machine_opens"),
        people(event.type == EventType.UNSUBSCRIBED).label("unsubscribed"),
        people(event.type == EventType.COMPLAINED).label("complained"),
    ).join(deliveries, deliveries.c.id == events.c.delivery_id)


def _newest_samples(group: tuple[Any, ...]) -> Any:
    newest = select(samples.c.delivery_id, samples.c.metric, func.max(samples.c.at).label("at"))
    last = newest.group_by(samples.c.delivery_id, samples.c.metric).subquery()
    query = select(*group, samples.c.metric, func.sum(samples.c.value).label("total")).select_from(samples)
    query = query.join(
        last,
        and_(last.c.delivery_id == samples.c.delivery_id, last.c.metric == samples.c.metric, last.c.at == samples.c.at),
    )
    return query.join(deliveries, deliveries.c.id == samples.c.delivery_id)


def _funnel(states: Row[Any], facts: Row[Any] | None, counters: dict[str, int]) -> Funnel:
    names = ("planned", "sent", "failed", "suppressed", "unknown", "held", "pending")
    counts = {name: int(getattr(states, name)) for name in names}
    if facts is not None:
        counts |= {str(name): int(value) for name, value in list(facts._mapping.items())[3:]}
    return Funnel(ChannelName(states.channel), states.language or None, samples=counters, **counts)


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
