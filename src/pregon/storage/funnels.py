"""Funnels that are kept: counted once after something changed, then read. Every writer says which campaigns it touched.

`mark_stale` runs in the writer's own transaction, so that no figure can miss a fact that is committed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, case, delete, distinct, func, insert, select, update

from pregon.storage.base import Queries
from pregon.storage.conditions import of_campaign, stands
from pregon.storage.rows import read_campaign
from pregon.storage.tables import campaigns, deliveries, events, funnel_marks, funnels, samples
from pregon.types import Campaign, ChannelName, EventType, Funnel, Label

_STATES = ("sent", "failed", "suppressed", "unknown", "held")
_FACTS = (
    "delivered", "trackable", "bounced", "clickers", "clicks", "machine_clicks", "opens", "machine_opens",
    "unsubscribed", "complained",
)  # fmt: skip
COUNTS = ("planned", *_STATES, "pending", *_FACTS)
_PER_READ = 500


def mark_stale(queries: Queries, connection: Connection, campaign_ids: Iterable[int]) -> None:
    """The kept funnels of these campaigns no longer hold."""
    rows = [{"campaign_id": campaign_id, "mark": 1, "counted": 0} for campaign_id in sorted(set(campaign_ids))]
    if rows:
        statement = queries._insert(funnel_marks)
        # Marks only grow, so a count knows what was written while it was counting, and an older count what is newer.
        grown = {"mark": funnel_marks.c.mark + 1}
        connection.execute(statement.on_conflict_do_update(index_elements=["campaign_id"], set_=grown), rows)


def mark_stale_by_delivery(queries: Queries, connection: Connection, delivery_ids: Sequence[str]) -> None:
    """The kept funnels of the campaigns of these deliveries no longer hold."""
    found: set[int] = set()
    for start in range(0, len(delivery_ids), _PER_READ):
        some = deliveries.c.id.in_(delivery_ids[start : start + _PER_READ])
        found.update(connection.execute(select(distinct(deliveries.c.campaign_id)).where(some)).scalars())
    mark_stale(queries, connection, found)


class FunnelQueries(Queries):
    """Count, keep, read."""

    def count_funnels(self, campaign_ids: Sequence[int]) -> dict[int, tuple[Funnel, ...]]:
        """The funnels of these campaigns, per channel and language, as they are now."""
        self.refresh_funnels(campaign_ids)
        return self.kept_funnels(campaign_ids)

    def kept_funnels(self, campaign_ids: Sequence[int]) -> dict[int, tuple[Funnel, ...]]:
        """The same as it was counted last: while a million mails go out, counting them anew takes long."""
        query = select(funnels).where(funnels.c.campaign_id.in_(campaign_ids))
        query = query.order_by(funnels.c.campaign_id, funnels.c.channel, funnels.c.language)
        found: dict[int, tuple[Funnel, ...]] = {}
        with self._read() as connection:
            for row in connection.execute(query):
                found[row.campaign_id] = (*found.get(row.campaign_id, ()), _read_funnel(row))
        return found

    def page_funnels(self, limit: int, offset: int) -> tuple[tuple[tuple[Campaign, tuple[Funnel, ...]], ...], int]:
        """The campaigns that have figures, newest first, some of them; and how many there are."""
        self.refresh_funnels()
        having = select(funnels.c.campaign_id).distinct()
        query = select(campaigns).where(campaigns.c.id.in_(having))
        query = query.order_by(campaigns.c.created_at.desc(), campaigns.c.id.desc()).limit(limit).offset(offset)
        with self._read() as connection:
            found = [read_campaign(row) for row in connection.execute(query)]
            count = connection.execute(select(func.count()).select_from(having.subquery())).scalar_one()
        figures = self.count_funnels([campaign.id for campaign in found])
        return tuple((campaign, figures.get(campaign.id, ())) for campaign in found), int(count)

    def period_funnels(
        self, since: datetime | None, before: datetime
    ) -> tuple[tuple[Campaign, tuple[Funnel, ...]], ...]:
        """The campaigns that were opened in a period and have figures, oldest first."""
        self.refresh_funnels()
        query = select(campaigns).where(campaigns.c.created_at < before)
        if since is not None:
            query = query.where(campaigns.c.created_at >= since)
        query = query.where(campaigns.c.id.in_(select(funnels.c.campaign_id).distinct()))
        with self._read() as connection:
            found = list(map(read_campaign, connection.execute(query.order_by(campaigns.c.created_at, campaigns.c.id))))
        figures: dict[int, tuple[Funnel, ...]] = {}
        for start in range(0, len(found), _PER_READ):
            figures |= self.count_funnels([campaign.id for campaign in found[start : start + _PER_READ]])
        return tuple((campaign, figures.get(campaign.id, ())) for campaign in found)

    def total_funnels(self) -> tuple[Funnel, ...]:
        """The sums of all campaigns per channel and language, the polled counters among them."""
        self.refresh_funnels()
        sums = [func.sum(funnels.c[name]).label(name) for name in COUNTS]
        group = (funnels.c.channel, funnels.c.language)
        polled: dict[tuple[str, str], Counter[str]] = {}
        with self._read() as connection:
            rows = connection.execute(select(*group, *sums).group_by(*group).order_by(*group)).all()
            for row in connection.execute(select(*group, funnels.c.samples).where(funnels.c.samples != "{}")):
                polled.setdefault((row.channel, row.language), Counter()).update(json.loads(row.samples))
        return tuple(_read_funnel(row, polled.get((row.channel, row.language), {})) for row in rows)

    def refresh_funnels(self, campaign_ids: Sequence[int] | None = None) -> int:
        """Count again what has changed: of these campaigns, or of all. Returns how many campaigns were counted."""
        query = select(funnel_marks.c.campaign_id, funnel_marks.c.mark).where(
            funnel_marks.c.mark > funnel_marks.c.counted
        )
        if campaign_ids is not None:
            query = query.where(funnel_marks.c.campaign_id.in_(campaign_ids))
        with self._read() as connection:
            stale = connection.execute(query.order_by(funnel_marks.c.campaign_id)).all()
        for row in stale:
            self._refresh(row.campaign_id, row.mark)
        return len(stale)

    def _refresh(self, campaign_id: int, mark: int) -> None:
        # Counting a large campaign takes a while: it happens on a reader's connection, which keeps nobody from writing.
        with self._read() as connection:
            counted = _count(connection, campaign_id)
        newer = and_(funnel_marks.c.campaign_id == campaign_id, funnel_marks.c.counted < mark)
        with self._write() as connection:
            if connection.execute(update(funnel_marks).where(newer).values(counted=mark)).rowcount != 1:
                return
            connection.execute(delete(funnels).where(funnels.c.campaign_id == campaign_id))
            if counted:
                connection.execute(insert(funnels), counted)


def _count(connection: Connection, campaign_id: int) -> list[dict[str, Any]]:
    group = (deliveries.c.channel, deliveries.c.language)
    wanted = and_(stands(), of_campaign(campaign_id))
    states = connection.execute(_count_states(group).where(wanted).group_by(*group)).all()
    facts = connection.execute(_count_facts(group).where(wanted).group_by(*group)).all()
    polled = connection.execute(
        _newest_samples(group, campaign_id).where(wanted).group_by(*group, samples.c.metric)
    ).all()
    by_group = {(row.channel, row.language): row for row in facts}
    counters: dict[tuple[str, str], dict[str, int]] = {}
    for row in polled:
        counters.setdefault((row.channel, row.language), {})[row.metric] = int(row.total)
    return [
        {
            "campaign_id": campaign_id,
            "channel": row.channel,
            "language": row.language,
            **{name: int(getattr(row, name)) for name in ("planned", *_STATES, "pending")},
            **{name: _fact(by_group.get((row.channel, row.language)), name) for name in _FACTS},
            "samples": json.dumps(counters.get((row.channel, row.language), {}), sort_keys=True),
        }
        for row in states
    ]


def _fact(row: Row[Any] | None, name: str) -> int:
    return int(getattr(row, name)) if row is not None else 0


def _count_states(group: tuple[Any, ...]) -> Any:
    def of(state: str) -> Any:
        return func.sum(case((deliveries.c.state == state, 1), else_=0)).label(state)

    pending = func.sum(case((deliveries.c.state.in_(("pending", "sending")), 1), else_=0)).label("pending")
    return select(*group, func.count().label("planned"), *map(of, _STATES), pending)


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


def _newest_samples(group: tuple[Any, ...], campaign_id: int) -> Any:
    own = select(deliveries.c.id).where(of_campaign(campaign_id), deliveries.c.channel != "email")
    newest = select(samples.c.delivery_id, samples.c.metric, func.max(samples.c.at).label("at"))
    newest = newest.where(samples.c.delivery_id.in_(own))
    last = newest.group_by(samples.c.delivery_id, samples.c.metric).subquery()
    query = select(*group, samples.c.metric, func.sum(samples.c.value).label("total")).select_from(samples)
    query = query.join(
        last,
        and_(last.c.delivery_id == samples.c.delivery_id, last.c.metric == samples.c.metric, last.c.at == samples.c.at),
    )
    return query.join(deliveries, deliveries.c.id == samples.c.delivery_id)


def _read_funnel(row: Row[Any], polled: Mapping[str, int] | None = None) -> Funnel:
    counts = {name: int(getattr(row, name) or 0) for name in COUNTS}
    samples_of = json.loads(row.samples) if polled is None else dict(polled)
    return Funnel(ChannelName(row.channel), row.language or None, samples=samples_of, **counts)
