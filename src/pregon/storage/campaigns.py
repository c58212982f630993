"""Queries of campaigns: which items share one, which drafts they have, which campaign corrects which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, or_, select, update

from pregon.items import normalise_url
from pregon.storage.base import Queries
from pregon.storage.drafts import insert_draft
from pregon.storage.items import AT_FIRST_HAND, newest_items_query, stored_item
from pregon.storage.rows import read_campaign as read_campaign_row
from pregon.storage.tables import (
    approvals,
    campaign_items,
    campaigns,
    corrections,
    deliveries,
    digest_items,
    drafts,
    item_alternates,
    items,
)
from pregon.types import Campaign, Correction, Decision, Draft, DraftState, Proposal, StoredItem

_MOST_CANDIDATES = 20
_STARTED = ("sending", "sent", "unknown")


class CampaignQueries(Queries):
    """Items and the campaigns that they set in motion."""

    def create_campaign(
        self,
        slug: str,
        source: StoredItem,
        title: str,
        proposals: Sequence[Proposal],
        at: datetime,
        corrects: tuple[Campaign, int, int] | None = None,
    ) -> Campaign:
        """A campaign with its first drafts, or the one that this item already has.

        `corrects` names the campaign, the item and the item's version that it corrects.
        """
        with self._write() as connection:
            row = connection.execute(_of_item(source.id)).first()
            if row is not None:
                return read_campaign_row(row)
            slug = _free_slug(connection, slug)
            values = {"slug": slug, "item_id": source.id, "kind": source.item.kind, "title": title, "created_at": at}
            result = connection.execute(insert(campaigns).values(**values))
            campaign_id = int(result.inserted_primary_key[0])  # type: ignore[index]
            _insert_item(connection, campaign_id, source, at)
            for proposal in proposals:
                insert_draft(connection, campaign_id, source, proposal, at)
            if corrects is not None:
                corrected, item_id, version = corrects
                link = {"corrected_id": corrected.id, "item_id": item_id, "base_version": version}
                connection.execute(insert(corrections).values(campaign_id=campaign_id, **link))
        return Campaign(campaign_id, slug, source.id, source.item.kind, title, at)

    def join_campaign(self, campaign_id: int, source: StoredItem, proposals: Sequence[Proposal], at: datetime) -> None:
        """Add a version in another language to a campaign, with drafts for what the campaign did not have yet."""
        with self._write() as connection:
            if connection.execute(_of_item(source.id)).first() is not None:
                return
            _insert_item(connection, campaign_id, source, at)
            for proposal in proposals:
                insert_draft(connection, campaign_id, source, proposal, at)

    def mark_drafted(self, item_id: int, version: int) -> None:
        """Remember that the drafts know this version of the item."""
        changed = update(campaign_items).where(campaign_items.c.item_id == item_id)
        with self._write() as connection:
            connection.execute(changed.values(drafted_version=version))

    def items_to_draft(self, kinds: Sequence[str]) -> tuple[int, ...]:
        """Ids of items of these kinds that have no campaign, or a version that their drafts do not know yet."""
        query = select(items.c.id).outerjoin(campaign_items, campaign_items.c.item_id == items.c.id)
        behind = or_(campaign_items.c.id.is_(None), campaign_items.c.drafted_version < items.c.version)
        query = query.where(behind, items.c.kind.in_(kinds), AT_FIRST_HAND).order_by(items.c.id)
        with self._read() as connection:
            return tuple(connection.execute(query).scalars())

    def drafted_version(self, item_id: int) -> int | None:
        """The version of an item that its campaign's drafts know; None when it has no campaign."""
        query = select(campaign_items.c.drafted_version).where(campaign_items.c.item_id == item_id)
        with self._read() as connection:
            return connection.execute(query).scalar()

    def campaign_sources(self, campaign: Campaign) -> tuple[StoredItem, ...]:
        """The newest version of each item of a campaign, the one that opened it first."""
        own = select(campaign_items.c.item_id).where(campaign_items.c.campaign_id == campaign.id)
        query = newest_items_query().where(or_(items.c.id.in_(own), items.c.id == campaign.item_id))
        with self._read() as connection:
            found = [stored_item(row) for row in connection.execute(query.order_by(items.c.id))]
        return tuple(sorted(found, key=lambda stored: stored.id != campaign.item_id))

    def list_campaigns(self, limit: int = 200) -> tuple[Campaign, ...]:
        """The newest campaigns first."""
        query = select(campaigns).order_by(campaigns.c.created_at.desc(), campaigns.c.id.desc()).limit(limit)
        with self._read() as connection:
            return tuple(map(read_campaign_row, connection.execute(query)))

    def read_campaign(self, slug: str) -> Campaign | None:
        """One campaign by its slug."""
        return self._campaign(select(campaigns).where(campaigns.c.slug == slug))

    def campaign_by_id(self, campaign_id: int) -> Campaign | None:
        """One campaign by its id."""
        return self._campaign(select(campaigns).where(campaigns.c.id == campaign_id))

    def campaign_of_item(self, item_id: int) -> Campaign | None:
        """The campaign that an item set in motion, or that it joined."""
        return self._campaign(_of_item(item_id))

    def _campaign(self, query: Any) -> Campaign | None:
        with self._read() as connection:
            row = connection.execute(query).first()
        return None if row is None else read_campaign_row(row)

    def find_version_candidates(self, stored: StoredItem) -> tuple[StoredItem, ...]:
        """Items that may be this one in another language: the same number, or named by either as its other version."""
        item = stored.item
        addresses = [url for _, address in item.alternates if (url := normalise_url(address))]
        conditions: list[Any] = [items.c.identity.in_([f"url:{address}" for address in addresses])]
        if stored.identity.startswith("url:"):
            naming = select(item_alternates.c.item_id).where(
                item_alternates.c.address == stored.identity.removeprefix("url:")
            )
            conditions.append(items.c.id.in_(naming))
        if item.number is not None:
            conditions.append(items.c.number == item.number)
        query = newest_items_query().where(
            or_(*conditions), items.c.kind == item.kind, items.c.id != stored.id, AT_FIRST_HAND
        )
        query = query.order_by(items.c.id.desc()).limit(_MOST_CANDIDATES)
        with self._read() as connection:
            return tuple(stored_item(row) for row in connection.execute(query))

    def read_correction(self, campaign_id: int) -> Correction | None:
        """What this campaign corrects; None for one that corrects nothing."""
        query = select(corrections).where(corrections.c.campaign_id == campaign_id)
        with self._read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _correction(row)

    def list_corrections(self, corrected_id: int) -> tuple[Correction, ...]:
        """The corrections of a campaign, newest first."""
        query = select(corrections).where(corrections.c.corrected_id == corrected_id)
        with self._read() as connection:
            return tuple(map(_correction, connection.execute(query.order_by(corrections.c.id.desc()))))

    def announced_items(self, start: datetime, end: datetime) -> tuple[StoredItem, ...]:
        """The items of which a draft was approved from `start` to before `end`, in every language that they have."""
        approved = select(drafts.c.campaign_id).join(approvals, approvals.c.draft_id == drafts.c.id)
        approved = approved.where(
            approvals.c.decision == Decision.APPROVED.value,
            approvals.c.decided_at >= start,
            approvals.c.decided_at < end,
            drafts.c.state == DraftState.APPROVED.value,
        )
        own = select(campaign_items.c.item_id).where(campaign_items.c.campaign_id.in_(approved))
        query = newest_items_query().where(items.c.id.in_(own), AT_FIRST_HAND).order_by(items.c.id)
        with self._read() as connection:
            return tuple(stored_item(row) for row in connection.execute(query))

    def add_digest_items(self, campaign_id: int, members: Sequence[StoredItem]) -> None:
        """Remember which versions of which items a digest tells of."""
        rows = [{"campaign_id": campaign_id, "item_id": each.id, "version": each.version} for each in members]
        with self._write() as connection:
            connection.execute(insert(digest_items), rows)

    def changed_members(self, campaign_id: int) -> tuple[str, ...]:
        """The titles of the items that have changed since a digest was made of them; () when it is no digest."""
        query = select(items.c.title).join(digest_items, digest_items.c.item_id == items.c.id)
        query = query.where(digest_items.c.campaign_id == campaign_id, digest_items.c.version < items.c.version)
        with self._read() as connection:
            return tuple(title or "" for title in connection.execute(query).scalars())

    def started_drafts(self, campaign_id: int) -> tuple[int, ...]:
        """Ids of the campaign's drafts of which something has gone out, or may have."""
        started = exists().where(deliveries.c.draft_id == drafts.c.id, deliveries.c.state.in_(_STARTED))
        query = select(drafts.c.id).where(drafts.c.campaign_id == campaign_id, started)
        with self._read() as connection:
            return tuple(connection.execute(query).scalars())

    def set_draft_source(self, draft: Draft, item_id: int) -> None:
        """Let a draft follow another item: its language has a source text of its own now."""
        with self._write() as connection:
            connection.execute(update(drafts).where(drafts.c.id == draft.id).values(item_id=item_id))


def _of_item(item_id: int) -> Any:
    joined = select(campaign_items.c.campaign_id).where(campaign_items.c.item_id == item_id)
    return select(campaigns).where(campaigns.c.id.in_(joined))


def _insert_item(connection: Connection, campaign_id: int, source: StoredItem, at: datetime) -> None:
    values = {"item_id": source.id, "drafted_version": source.version, "joined_at": at}
    connection.execute(insert(campaign_items).values(campaign_id=campaign_id, **values))


def _free_slug(connection: Connection, slug: str) -> str:
    taken = set(connection.execute(select(campaigns.c.slug).where(campaigns.c.slug.startswith(slug))).scalars())
    number, free = 1, slug
    while free in taken:
        number += 1
        free = f"{slug}-{number}"
    return free


def _correction(row: Row[Any]) -> Correction:
    return Correction(row.campaign_id, row.corrected_id, row.item_id, row.base_version)
