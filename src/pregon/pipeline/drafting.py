"""The draft use case: from a stored item to a campaign with a draft for every channel that its playbook asks for.

A version in another language joins the campaign; a source that changes is drafted anew, or corrected when its message
has gone out. A person's edits are never overwritten: the desk says what has changed since.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pregon.drafts import POST_CHANNELS, campaign_slug, propose
from pregon.errors import DecisionError, NotFoundError, PregonError
from pregon.items import are_versions, fingerprint_item
from pregon.pipeline.composing import Composing
from pregon.pipeline.material import Material, Materials, complete_source
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import Campaign, ChannelName, Draft, Kind, Proposal, Revision, StoredItem

MACHINE = "pregon"
_CORRECTABLE = (ChannelName.EMAIL, *POST_CHANNELS)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The campaigns that were opened or drafted anew, and the items that could not be: (item id, sentence) each."""

    opened: tuple[Campaign, ...]
    failed: tuple[tuple[int, str], ...]


class Drafting:
    """Items -> drafts."""

    def __init__(self, store: Storage, composing: Composing, materials: Materials, clock: Clock) -> None:
        self._store, self._composing, self._materials, self._clock = store, composing, materials, clock

    def sweep(self) -> SweepResult:
        """Draft every item that has no campaign, or has changed since: what a lost event left behind.

        One item's trouble stops no other.
        """
        kinds = [kind for kind in Kind if self._composing.playbook(kind)]
        opened: list[Campaign] = []
        failed: list[tuple[int, str]] = []
        for item_id in self._store.items_to_draft(kinds):
            try:
                campaign = self.open_campaign(item_id)
            except PregonError as error:
                failed.append((item_id, str(error)))
                continue
            except Exception as error:  # a mistake of ours about one item, which every pass would meet again
                failed.append((item_id, f"{type(error).__name__}: {error}"))
                continue
            opened += [campaign] if campaign is not None else []
        return SweepResult(tuple(opened), tuple(failed))

    def open_campaign(self, item_id: int) -> Campaign | None:
        """The campaign of an item with its drafts: made, joined or brought up to date now. None without a playbook."""
        stored = self._store.read_item(item_id)
        if stored is None:
            raise NotFoundError(f"There is no item {item_id}.")
        if self._composing.playbook(stored.item.kind) is None:
            return None
        existing = self._store.campaign_of_item(item_id)
        if existing is not None:
            self._follow(existing, stored)
            return existing
        for candidate in self._store.find_version_candidates(stored):
            campaign = self._store.campaign_of_item(candidate.id)
            if campaign is not None and are_versions(stored.item, candidate.item) and self._join(campaign, stored):
                return campaign
        return self._open(stored)

    def _open(self, stored: StoredItem) -> Campaign:
        slug = campaign_slug(stored.item, stored.identity)
        proposals = self._composing.compose_drafts(
            stored.item, self._composing.context(stored.item.kind, slug, (), stored)
        )
        return self._store.create_campaign(slug, stored, stored.item.title or slug, proposals, self._clock())

    # --- versions in other languages

    def _join(self, campaign: Campaign, stored: StoredItem) -> bool:
        """Take a version in another language into a campaign, unless that language has a text there already."""
        before, language = self._materials.gather(campaign), stored.item.language
        if language not in self._composing.languages or before.source_in(language or ""):
            return False
        sources = (*before.sources, stored)
        languages = self._materials.choose_languages(campaign, sources)
        material = Material(campaign, sources, before.answers, languages)
        drafts = self._store.list_drafts([campaign.id])
        context = self._materials.context(material, stored)
        wanted = [each for each in (language,) if each in context.draft_languages(stored.item)]
        taken = {(draft.channel, draft.language) for draft in drafts}
        proposals = self._composing.compose_drafts(stored.item, context, tuple(wanted))
        new = [p for p in proposals if p.language and (p.channel, p.language) not in taken]
        self._store.join_campaign(campaign.id, stored, new, self._clock())
        self._adopt([draft for draft in drafts if draft.language == language], stored, proposals)
        self._readdress([draft for draft in drafts if draft.language != language], material)
        return True

    def _adopt(self, drafts: Iterable[Draft], stored: StoredItem, proposals: Iterable[Proposal]) -> None:
        """Compose the drafts that lacked a text of their language from the version that has one."""
        composed = {(proposal.channel, proposal.language): proposal for proposal in proposals}
        for draft in drafts:
            proposal = composed.get((draft.channel, draft.language))
            if proposal is not None and self._is_untouched(draft) and self._save(draft, stored, proposal):
                self._store.set_draft_source(draft, stored.id)

    def _readdress(self, drafts: Iterable[Draft], material: Material) -> None:
        """Render drafts again whose readers are fewer now: those of the new language have a draft of their own."""
        for draft in drafts:
            source, revision = material.source_of(draft), self._revision(draft)
            proposal = propose(
                draft.channel,
                draft.language or None,
                revision.fields,
                source.item,
                self._materials.context(material, source),
                send_at=revision.content.send_at,
            )
            if proposal.digest != revision.digest:
                self._save(draft, source, proposal, by=revision.created_by)

    # --- a source that has changed

    def _follow(self, campaign: Campaign, stored: StoredItem) -> None:
        if (self._store.drafted_version(stored.id) or 0) >= stored.version:
            return
        material = self._materials.gather(campaign)
        drafts = [d for d in self._store.list_drafts([campaign.id]) if material.source_of(d).id == stored.id]
        started = set(self._store.started_drafts(campaign.id))
        self._compose_again(material, stored, [draft for draft in drafts if draft.id not in started])
        gone = [draft for draft in drafts if draft.id in started and draft.channel in _CORRECTABLE]
        if gone:
            self._correct(material, stored, gone)
        self._store.write_days(complete_source(stored, material.answers))
        self._store.mark_drafted(stored.id, stored.version)

    def _compose_again(self, material: Material, stored: StoredItem, drafts: list[Draft]) -> None:
        """Compose what nobody edited anew. An edited draft stays, and the desk says that its source has changed."""
        stored = complete_source(stored, material.answers)
        context = self._materials.context(material, stored)
        languages = tuple(dict.fromkeys(draft.language for draft in drafts if draft.language))
        composed = {
            (p.channel, p.language or ""): p
            for p in self._composing.compose_drafts(stored.item, context, languages or None)
        }
        for draft in drafts:
            proposal = composed.get((draft.channel, draft.language))
            if proposal is not None and self._is_untouched(draft):
                self._save(draft, stored, proposal)

    def _correct(self, material: Material, stored: StoredItem, gone: list[Draft]) -> None:
        """Draft a correction of what has gone out: one for each change that a reader would notice, not one for each edit."""
        campaign, earlier = material.campaign, self._corrections(material.campaign, stored)
        newest = earlier[0] if earlier else None
        if newest is not None and not self._store.started_drafts(newest.id):
            self._correct_again(newest, stored)
            return
        base_id, base_version = stored.id, min(self._revision(draft).item_version for draft in gone)
        if newest is not None:
            base_id, base_version = newest.item_id, self._version_of(newest.item_id)
        before = self._store.read_item(base_id, base_version)
        if before is None or fingerprint_item(before.item) == fingerprint_item(stored.item):
            return
        item = self._save_correction(f"correction:{stored.id}:{len(earlier) + 1}", stored)
        self._open_correction(campaign, item, gone, (campaign, base_id, base_version))

    def _open_correction(
        self, campaign: Campaign, item: StoredItem, gone: list[Draft], corrects: tuple[Campaign, int, int]
    ) -> None:
        slug, before = f"{campaign.slug}-correction", self._store.read_item(corrects[1], corrects[2])
        languages = self._materials.gather(campaign).languages
        context = self._composing.context(
            item.item.kind,
            slug,
            (),
            item,
            languages=languages,
            previous=before.item if before else None,
            calendar_id=campaign.slug,
            changes=corrects[2],
        )
        asked = tuple(dict.fromkeys(draft.language for draft in gone))
        pairs = {(draft.channel, draft.language) for draft in gone}
        proposals = [
            p
            for p in self._composing.compose_drafts(item.item, context, asked)
            if (p.channel, p.language or "") in pairs
        ]
        title = self._composing.name_correction(item.item)
        self._store.create_campaign(slug, item, title, proposals, self._clock(), corrects)

    def _correct_again(self, correction: Campaign, stored: StoredItem) -> None:
        """The source changed once more before its correction went out: the one correction says all of it."""
        before = self._store.read_item(correction.item_id)
        if before is None:
            return
        after = self._save_correction(before.identity, stored)
        material = self._materials.gather(correction)
        self._compose_again(material, after, list(self._store.list_drafts([correction.id])))

    def _save_correction(self, identity: str, stored: StoredItem) -> StoredItem:
        fingerprint, now = fingerprint_item(stored.item), self._clock()
        saved = self._store.save_item(identity, fingerprint, stored.item, "text/plain", stored.origin, now)
        return StoredItem(saved.id, identity, saved.version, fingerprint, stored.item, stored.origin, now)

    def _corrections(self, campaign: Campaign, stored: StoredItem) -> list[Campaign]:
        """The corrections of what this item set in motion, newest first."""
        found = [self._store.campaign_by_id(each.campaign_id) for each in self._store.list_corrections(campaign.id)]
        prefix = f"correction:{stored.id}:"
        return [each for each in found if each is not None and self._identity(each.item_id).startswith(prefix)]

    # --- parts

    def _identity(self, item_id: int) -> str:
        stored = self._store.read_item(item_id)
        return stored.identity if stored else ""

    def _version_of(self, item_id: int) -> int:
        stored = self._store.read_item(item_id)
        return stored.version if stored else 0

    def _revision(self, draft: Draft) -> Revision:
        revision = self._store.read_revision(draft.id, draft.revision)
        if revision is None:
            raise NotFoundError(f"Draft {draft.id} has no revision {draft.revision}.")
        return revision

    def _is_untouched(self, draft: Draft) -> bool:
        return self._revision(draft).created_by == MACHINE

    def _save(self, draft: Draft, source: StoredItem, proposal: Proposal, by: str = MACHINE) -> bool:
        try:
            self._store.add_revision(draft.id, draft.revision, source.version, proposal, by, self._clock())
        except DecisionError:
            # A part has gone out, or somebody saved meanwhile; the desk shows that the source has changed since.
            return False
        return True
