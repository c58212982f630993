"""What a campaign is drafted from: the versions of its item, what an officer answered, what it corrects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pregon.approvals import open_questions
from pregon.drafts import DraftContext
from pregon.errors import NotFoundError
from pregon.items import answer_item, ask_across_languages
from pregon.pipeline.composing import Composing, answers_by_span
from pregon.pipeline.protocols import CampaignStore, DraftStore, ItemStore
from pregon.types import Answer, Campaign, Correction, Draft, Item, Question, StoredItem


@dataclass(frozen=True, slots=True)
class Material:
    """`sources` are the item's versions, the one that opened the campaign first; `previous` is what went out before.

    `changed_members` are the titles of a digest's items that have changed since. `languages` are those of the campaign's drafts where the playbook follows the sources and they are several.
    """

    campaign: Campaign
    sources: tuple[StoredItem, ...]
    answers: tuple[Answer, ...]
    languages: tuple[str, ...] = ()
    correction: Correction | None = None
    corrected: Campaign | None = None
    previous: Item | None = None
    changed_members: tuple[str, ...] = ()

    @property
    def is_digest(self) -> bool:
        """Whether the campaign gathers items that were announced by campaigns of their own."""
        return self.main.identity.startswith("digest:")

    @property
    def main(self) -> StoredItem:
        """The item that opened the campaign."""
        return self.sources[0]

    def source_of(self, draft: Draft) -> StoredItem:
        """The item that a draft is composed from."""
        return next((source for source in self.sources if source.id == draft.item_id), self.main)

    def source_in(self, language: str) -> StoredItem | None:
        """The version in a language."""
        return next((source for source in self.sources if source.item.language == language), None)

    def answers_on(self, source: StoredItem) -> tuple[Answer, ...]:
        """What was answered to one item's questions."""
        return tuple(answer for answer in self.answers if answer.item_id in (None, source.id))

    def siblings_of(self, source: StoredItem) -> tuple[Item, ...]:
        """The versions of an item in other languages."""
        return tuple(other.item for other in self.sources if other.id != source.id)

    def open_questions(self, source: StoredItem) -> tuple[Question, ...]:
        """One item's questions that nobody has answered, those about its other versions among them."""
        questions = (*source.item.questions, *ask_across_languages(source.item, self.siblings_of(source)))
        return open_questions(questions, self.answers_on(source))


def complete_source(source: StoredItem, answers: Sequence[Answer]) -> StoredItem:
    """A source with what an officer answered to its questions; the stored item stays as it was read."""
    own = [answer for answer in answers if answer.item_id in (None, source.id)]
    return replace(source, item=answer_item(source.item, answers_by_span(source.item, own))) if own else source


class Materials:
    """Gathers a campaign's material, and makes of it what composing needs."""

    def __init__(self, items: ItemStore, campaigns: CampaignStore, drafts: DraftStore, composing: Composing) -> None:
        self._items, self._campaigns, self._drafts, self._composing = items, campaigns, drafts, composing

    def gather(self, campaign: Campaign) -> Material:
        """Everything a campaign's drafts are made of. Raises `NotFoundError` when its item is missing."""
        answers = self._drafts.list_answers(campaign.id)
        sources = tuple(complete_source(source, answers) for source in self._campaigns.campaign_sources(campaign))
        if not sources:
            raise NotFoundError(f"The item of campaign {campaign.slug} is missing.")
        correction = self._campaigns.read_correction(campaign.id)
        if correction is None:
            languages, changed = self.choose_languages(campaign, sources), self._campaigns.changed_members(campaign.id)
            return Material(campaign, sources, answers, languages, changed_members=changed)
        corrected = self._campaigns.campaign_by_id(correction.corrected_id)
        before = self._items.read_item(correction.item_id, correction.base_version)
        # A correction reaches those whom the message reached, in the languages that it had.
        languages = self.gather(corrected).languages if corrected else ()
        return Material(campaign, sources, answers, languages, correction, corrected, before.item if before else None)

    def choose_languages(self, campaign: Campaign, sources: Sequence[StoredItem]) -> tuple[str, ...]:
        """The languages of the drafts where the sources decide; () where the playbook does, or where there is but one."""
        spoken = {source.item.language for source in sources}
        known = tuple(language for language in self._composing.languages if language in spoken)
        follows = sources[0].identity.startswith("digest:") or self._composing.follows_sources(campaign.kind)
        return known if follows and len(known) > 1 else ()

    def context(self, material: Material, source: StoredItem) -> DraftContext:
        """What composing and rendering need for the drafts of one of the campaign's items."""
        if material.is_digest:
            return self._composing.digest_context(material.campaign.slug, material.languages)
        return self._composing.context(
            material.campaign.kind,
            material.campaign.slug,
            material.answers_on(source),
            source,
            languages=material.languages,
            previous=material.previous,
            siblings=material.siblings_of(source),
            calendar_id=material.corrected.slug if material.corrected else "",
            changes=source.version - 1 + (material.correction.base_version if material.correction else 0),
        )
