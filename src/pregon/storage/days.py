"""Queries of the calendar: what is due or went out when, and which days the announced items name."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, exists, false, or_, select, true

from pregon.storage.base import Queries
from pregon.storage.tables import approvals, campaign_items, campaigns, deliveries, drafts, item_days, plans, revisions
from pregon.types import ChannelName, DraftState, ItemDay, ScheduledDraft

_OPEN = (DraftState.DRAFT.value, DraftState.IN_REVIEW.value, DraftState.NEEDS_CHANGES.value)


class DayQueries(Queries):
    """A stretch of days, `start` included and `end` not."""

    def scheduled_drafts(self, start: datetime, end: datetime, channel: str = "") -> tuple[ScheduledDraft, ...]:
        """Approved drafts that were or are due then, and undecided ones that are meant to go out then."""
        approved = and_(
            approvals.c.draft_id == drafts.c.id,
            approvals.c.revision == drafts.c.revision,
            approvals.c.due_at >= start,
            approvals.c.due_at < end,
            drafts.c.state == DraftState.APPROVED.value,
            # An approved plan that changes nothing has no work, and so no day.
            or_(exists().where(deliveries.c.draft_id == drafts.c.id), exists().where(plans.c.draft_id == drafts.c.id)),
        )
        meant = and_(
            revisions.c.draft_id == drafts.c.id,
            revisions.c.number == drafts.c.revision,
            revisions.c.send_at >= start,
            revisions.c.send_at < end,
            drafts.c.state.in_(_OPEN),
        )
        sent = exists().where(deliveries.c.draft_id == drafts.c.id, deliveries.c.sent_at.is_not(None))
        columns = (campaigns.c.slug, campaigns.c.title, drafts.c.id, drafts.c.channel, drafts.c.language)
        wanted = drafts.c.channel == channel if channel else true()
        queries = (
            select(*columns, approvals.c.due_at.label("at"), true().label("yes"), sent.label("sent"))
            .join(drafts, drafts.c.campaign_id == campaigns.c.id)
            .join(approvals, approved),
            select(*columns, revisions.c.send_at.label("at"), false().label("yes"), false().label("sent"))
            .join(drafts, drafts.c.campaign_id == campaigns.c.id)
            .join(revisions, meant),
        )
        with self._read() as connection:
            rows = [row for query in queries for row in connection.execute(query.where(wanted))]
        # A draft that was withdrawn and approved again has two approvals; the last one holds.
        newest = {(row.id, bool(row.yes)): _scheduled(row) for row in sorted(rows, key=lambda row: row.at)}
        return tuple(sorted(newest.values(), key=lambda each: each.due_at))

    def announced_days(self, start: date, end: date) -> tuple[ItemDay, ...]:
        """Deadlines and meetings of the items of campaigns, each once per campaign."""
        query = select(campaigns.c.slug, campaigns.c.title, item_days.c.day, item_days.c.kind, item_days.c.text)
        query = query.join(campaign_items, campaign_items.c.item_id == item_days.c.item_id)
        query = query.join(campaigns, campaigns.c.id == campaign_items.c.campaign_id)
        query = query.where(item_days.c.day >= start.isoformat(), item_days.c.day < end.isoformat())
        with self._read() as connection:
            rows = connection.execute(query.order_by(item_days.c.day, campaigns.c.id, item_days.c.id)).all()
        # The versions of an item in other languages name the same days.
        first = {(row.slug, row.day, row.kind): row for row in reversed(rows)}
        days = (ItemDay(r.slug, r.title, date.fromisoformat(r.day), r.kind, r.text) for r in first.values())
        return tuple(sorted(days, key=lambda each: (each.day, each.campaign)))


def _scheduled(row: Row[Any]) -> ScheduledDraft:
    return ScheduledDraft(
        campaign=row.slug,
        title=row.title,
        draft_id=row.id,
        channel=ChannelName(row.channel),
        language=row.language,
        due_at=row.at,
        is_approved=bool(row.yes),
        is_sent=bool(row.sent),
    )
