"""The draft use case: from a stored item to a campaign with a draft for every channel that its playbook asks for."""

from __future__ import annotations

from dataclasses import dataclass

from pregon.drafts import campaign_slug, compose_drafts
from pregon.errors import DecisionError, NotFoundError, PregonError
from pregon.pipeline.composing import Composing
from pregon.pipeline.protocols import Clock, DraftStore, ItemStore
from pregon.types import Campaign, Draft, Kind, Proposal, StoredItem


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The campaigns that were opened, and the items that could not be drafted: (item id, sentence) each."""

    opened: tuple[Campaign, ...]
    failed: tuple[tuple[int, str], ...]


class Drafting:
    """Items -> drafts."""

    def __init__(self, items: ItemStore, drafts: DraftStore, composing: Composing, clock: Clock) -> None:
        self._items, self._drafts, self._composing, self._clock = items, drafts, composing, clock

    def open_campaign(self, item_id: int) -> Campaign | None:
        """The campaign of an item with its drafts, made now unless it exists. None when no playbook applies."""
        stored = self._items.read_item(item_id)
        if stored is None:
            raise NotFoundError(f"There is no item {item_id}.")
        if self._composing.playbook(stored.item.kind) is None:
            return None
        existing = self._drafts.campaign_of_item(item_id)
        if existing is not None:
            self._refresh(existing, stored)
            return existing
        slug = campaign_slug(stored.item, stored.identity)
        proposals = compose_drafts(stored.item, self._composing.context(stored.item.kind, slug))
        title = stored.item.title or slug
        return self._drafts.create_campaign(
            slug, item_id, stored.version, stored.item.kind, title, proposals, self._clock()
        )

    def sweep(self) -> SweepResult:
        """Open a campaign for every item that lacks one: what a lost event left behind. One item's trouble stops no other."""
        kinds = [kind for kind in Kind if self._composing.playbook(kind)]
        opened: list[Campaign] = []
        failed: list[tuple[int, str]] = []
        for item_id in self._items.items_without_campaign(kinds):
            try:
                campaign = self.open_campaign(item_id)
            except PregonError as error:
                failed.append((item_id, str(error)))
                continue
            opened += [campaign] if campaign is not None else []
        return SweepResult(tuple(opened), tuple(failed))

    def _refresh(self, campaign: Campaign, stored: StoredItem) -> None:
        """Compose anew what a changed source affects. A person's edits are never overwritten: the desk marks them."""
        drafts = {(d.channel, d.language): d for d in self._drafts.list_drafts([campaign.id])}
        answers = self._drafts.list_answers(campaign.id)
        context = self._composing.context(campaign.kind, campaign.slug, answers, stored.item)
        for proposal in compose_drafts(stored.item, context):
            draft = drafts.get((proposal.channel, proposal.language or ""))
            if draft is not None and self._may_refresh(draft, stored.version):
                self._try_refresh(draft, stored.version, proposal)

    def _may_refresh(self, draft: Draft, version: int) -> bool:
        revision = self._drafts.read_revision(draft.id, draft.revision)
        return revision is not None and revision.created_by == "pregon" and revision.item_version < version

    def _try_refresh(self, draft: Draft, version: int, proposal: Proposal) -> None:
        try:
            self._drafts.add_revision(draft.id, draft.revision, version, proposal, "pregon", self._clock())
        except DecisionError:
            # It has gone out already; the desk shows that the source has changed since.
            return
