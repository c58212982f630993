"""The list of campaigns as an officer needs it in the morning: what waits, how urgent it is, what stands in its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pregon.pipeline.material import Material, complete_source
from pregon.pipeline.protocols import Clock, Storage
from pregon.settings import Settings
from pregon.types import (
    Campaign,
    CampaignSearch,
    ChannelName,
    Check,
    Content,
    Draft,
    DraftState,
    Item,
    ThreadBody,
)

_URGENT = timedelta(days=14)
_DECIDED = (DraftState.APPROVED, DraftState.CANCELLED)


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One campaign of the list. `errors` and `warnings` count failing checks; `deadline` is the item's next one.

    `is_stale`: the source of a draft that waits has changed since the draft was written.
    """

    campaign: Campaign
    drafts: tuple[Draft, ...]
    number: int | None
    languages: tuple[str, ...]
    questions: int
    errors: int
    warnings: int
    cost_usd: float
    deadline: date | None
    is_urgent: bool
    is_correction: bool = False
    is_digest: bool = False
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Some rows of the list, and how many fit the search in all."""

    rows: tuple[InboxRow, ...]
    count: int


class Inbox:
    """Campaigns -> what a person should look at next."""

    def __init__(self, store: Storage, settings: Settings, clock: Clock) -> None:
        self._store, self._settings, self._clock = store, settings, clock

    def search(self, search: CampaignSearch) -> InboxPage:
        """One page of campaigns; among those that wait, the ones whose deadline is near come first."""
        today = self._settings.network.day_of(self._clock())
        urgent = replace(search, urgent_from=today, urgent_until=today + _URGENT)
        campaigns, count = self._store.search_campaigns(urgent)
        return InboxPage(tuple(self._read_rows(campaigns)), count)

    def find_handed_over(self, rows: Iterable[InboxRow]) -> frozenset[int]:
        """The drafts of which a provider keeps something that has not left yet."""
        own = [draft.id for row in rows for draft in row.drafts if draft.channel is ChannelName.EMAIL]
        return frozenset(each.draft_id for each in self._store.list_handed_over(own, self._clock(), timedelta(0)))

    def _read_rows(self, campaigns: Iterable[Campaign]) -> list[InboxRow]:
        wanted = tuple(campaigns)
        sources = self._store.items_of([campaign.id for campaign in wanted])
        answers = self._store.answers_of([campaign.id for campaign in wanted])
        drafts = self._store.list_drafts([campaign.id for campaign in wanted])
        undecided = [draft for draft in drafts if draft.state not in _DECIDED]
        checks = self._store.newest_checks([draft.id for draft in undecided])
        written = self._store.newest_item_versions([draft.id for draft in undecided])
        posts = self._store.newest_contents([draft.id for draft in undecided if draft.channel is ChannelName.X])
        rows = []
        for campaign in wanted:
            stored = sorted(sources[campaign.id], key=lambda each: each.id != campaign.item_id)
            item = complete_source(stored[0], answers.get(campaign.id, ())).item
            own = tuple(draft for draft in drafts if draft.campaign_id == campaign.id)
            material = Material(campaign, tuple(stored), answers.get(campaign.id, ()))
            questions = sum(len(material.open_questions(source)) for source in stored)
            row = self._row(campaign, item, own, questions, checks, posts)
            versions = {source.id: source.version for source in stored}
            behind = any(
                written.get(draft.id, 0) < versions.get(draft.item_id or stored[0].id, 0)
                for draft in own
                if draft.id in written
            )
            kind = stored[0].identity.partition(":")[0]
            rows.append(replace(row, is_correction=kind == "correction", is_digest=kind == "digest", is_stale=behind))
        return rows

    def _row(
        self,
        campaign: Campaign,
        item: Item,
        drafts: tuple[Draft, ...],
        questions: int,
        checks: Mapping[int, tuple[Check, ...]],
        posts: Mapping[int, Content],
    ) -> InboxRow:
        found = [check for draft in drafts for check in checks.get(draft.id, ())]
        bodies = [posts[draft.id].body for draft in drafts if draft.id in posts]
        today = self._settings.network.day_of(self._clock())
        deadline = _next_deadline(item, today)
        return InboxRow(
            campaign=campaign,
            drafts=drafts,
            number=item.number,
            languages=tuple(dict.fromkeys(draft.language for draft in drafts if draft.language)),
            questions=questions,
            errors=sum(check.level == "error" for check in found),
            warnings=sum(check.level == "warning" for check in found),
            cost_usd=sum(body.cost_usd for body in bodies if isinstance(body, ThreadBody)),
            deadline=deadline,
            is_urgent=deadline is not None and deadline - today <= _URGENT,
        )


def _next_deadline(item: Item, today: date) -> date | None:
    days = [deadline.date for deadline in item.deadlines] + [call.deadline for call in item.calls if call.deadline]
    return min((day for day in days if day >= today), default=None)
