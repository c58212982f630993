"""Queries of the list of campaigns: found, filtered and counted in the database, and read in a few statements per page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, false, func, or_, select

from pregon.drafts import decode_content
from pregon.storage.base import Queries
from pregon.storage.drafts import read_answer
from pregon.storage.items import newest_items_query, stored_item
from pregon.storage.rows import read_campaign
from pregon.storage.tables import answers, campaign_items, campaigns, drafts, item_days, items, revisions
from pregon.types import Answer, Campaign, CampaignSearch, Check, Content, DraftState, StoredItem

_DECIDED = (DraftState.APPROVED.value, DraftState.CANCELLED.value)


class InboxQueries(Queries):
    """What a page of the list shows."""

    def search_campaigns(self, search: CampaignSearch) -> tuple[tuple[Campaign, ...], int]:
        """One page of campaigns, and how many there are in all."""
        condition = _condition(search)
        query = select(campaigns).where(condition).order_by(*_order(search)).limit(search.limit).offset(search.offset)
        with self._read() as connection:
            rows = connection.execute(query).all()
            count = connection.execute(select(func.count()).select_from(campaigns).where(condition)).scalar_one()
        return tuple(map(read_campaign, rows)), count

    def items_of(self, campaign_ids: Sequence[int]) -> dict[int, tuple[StoredItem, ...]]:
        """The newest version of each item of each of these campaigns."""
        query = newest_items_query().add_columns(campaign_items.c.campaign_id)
        query = query.join(campaign_items, campaign_items.c.item_id == items.c.id)
        query = query.where(campaign_items.c.campaign_id.in_(campaign_ids)).order_by(items.c.id)
        found: dict[int, tuple[StoredItem, ...]] = {}
        with self._read() as connection:
            for row in connection.execute(query):
                found[row.campaign_id] = (*found.get(row.campaign_id, ()), stored_item(row))
        return found

    def answers_of(self, campaign_ids: Sequence[int]) -> dict[int, tuple[Answer, ...]]:
        """The answers given in each of these campaigns."""
        query = select(answers).where(answers.c.campaign_id.in_(campaign_ids)).order_by(answers.c.id)
        found: dict[int, tuple[Answer, ...]] = {}
        with self._read() as connection:
            for r in connection.execute(query):
                found[r.campaign_id] = (*found.get(r.campaign_id, ()), read_answer(r))
        return found

    def newest_checks(self, draft_ids: Sequence[int]) -> dict[int, tuple[Check, ...]]:
        """What was found about each of these drafts' newest revision."""
        rows = self._newest(revisions.c.checks_json, draft_ids)
        return {key: tuple(Check(**check) for check in json.loads(value)) for key, value in rows.items()}

    def newest_contents(self, draft_ids: Sequence[int]) -> dict[int, Content]:
        """What each of these drafts' newest revision will send."""
        return {key: decode_content(value) for key, value in self._newest(revisions.c.content_json, draft_ids).items()}

    def newest_item_versions(self, draft_ids: Sequence[int]) -> dict[int, int]:
        """Which version of its item each of these drafts' newest revision was written from."""
        return self._newest(revisions.c.item_version, draft_ids)

    def _newest(self, column: Any, draft_ids: Sequence[int]) -> dict[int, Any]:
        newest = and_(drafts.c.id == revisions.c.draft_id, drafts.c.revision == revisions.c.number)
        query = select(drafts.c.id, column).join(revisions, newest).where(drafts.c.id.in_(draft_ids))
        with self._read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _order(search: CampaignSearch) -> list[Any]:
    if not search.waiting:
        return [campaigns.c.created_at.desc(), campaigns.c.id.desc()]
    oldest = [campaigns.c.created_at, campaigns.c.id]
    if search.urgent_from is None or search.urgent_until is None:
        return oldest
    days = select(func.min(item_days.c.day)).where(
        item_days.c.item_id == campaigns.c.item_id,
        item_days.c.kind == "deadline",
        item_days.c.day.between(search.urgent_from.isoformat(), search.urgent_until.isoformat()),
    )
    return [func.coalesce(days.scalar_subquery(), "9999"), *oldest]


def _condition(search: CampaignSearch) -> Any:
    open_drafts = select(drafts.c.campaign_id).where(drafts.c.state.not_in(_DECIDED))
    conditions = [campaigns.c.kind == search.kind] if search.kind else []
    if search.waiting is not None:
        conditions.append(campaigns.c.id.in_(open_drafts) if search.waiting else campaigns.c.id.not_in(open_drafts))
    if search.channel:
        conditions.append(_has_draft(drafts.c.channel == search.channel))
    if search.language:
        conditions.append(_has_draft(drafts.c.language == search.language))
    if search.text:
        conditions.append(_matches(search.text))
    return and_(*conditions, campaigns.c.id > 0)


def _has_draft(condition: Any) -> Any:
    return campaigns.c.id.in_(select(drafts.c.campaign_id).where(condition))


def _matches(text: str) -> Any:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
    by_number = select(items.c.id).where(items.c.number == number) if number is not None else None
    numbered = campaigns.c.item_id.in_(by_number) if by_number is not None else false()
    return or_(campaigns.c.title.icontains(text, autoescape=True), numbered)
