"""Read a document and compose its drafts: the part of the work that stores nothing and asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from pregon.drafts import POST_CHANNELS, DraftContext, campaign_slug, compose_drafts, read_words
from pregon.errors import NotFoundError
from pregon.items import read_item, says_cancelled
from pregon.pipeline.protocols import ChannelReader, Clock, TemplateReader
from pregon.pipeline.translating import Translating
from pregon.settings import Playbook, Settings
from pregon.types import Answer, Audience, Document, Draft, Fields, Item, Kind, Proposal, Span, StoredItem


class Composing:
    """Documents -> items -> proposals, by the network's playbooks and templates."""

    def __init__(
        self,
        templates: TemplateReader,
        settings: Settings,
        clock: Clock,
        translating: Translating | None = None,
        channel_reader: ChannelReader | None = None,
    ) -> None:
        self._templates, self._settings, self._clock = templates, settings, clock
        self._channel_reader = channel_reader
        self._translating = translating or Translating()

    def today(self) -> date:
        """The day that it is in the network's zone."""
        return self._settings.network.day_of(self._clock())

    def read(self, document: Document, kind: Kind | None = None) -> Item:
        """Read a document into an item."""
        return read_item(document, network=self._settings.network, today=self.today(), kind=kind)

    def warm_up(self) -> None:
        """Load what the first document would otherwise wait for: language model, templates, MJML."""
        sample = Document("The secretariat has news for its members. " * 3, "text/plain", "warm-up")
        item = self.read(sample, Kind.NEWS)
        if self.playbook(Kind.NEWS):
            self.compose(item, "warm-up")

    def playbook(self, kind: Kind) -> Playbook | None:
        """The active standing rule for a kind of item."""
        playbook = self._settings.playbooks.get(kind)
        return playbook if playbook and playbook.active else None

    @property
    def settings(self) -> Settings:
        """The configuration that this composes by."""
        return self._settings

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the network works in, in its order."""
        return self._settings.network.languages

    def list_audiences(self) -> tuple[Audience, ...]:
        """Every audience that the playbooks name, and every segment as one; without languages, which follow a draft."""
        playbooks = [each for each in self._settings.playbooks.values() if each.email]
        rules = [each.email.audience for each in playbooks if each.email]
        rules += [self._settings.digest.email.audience] if self._settings.digest else []
        named = [Audience(rule.name, rule.lists, (), rule.rule.as_rule() if rule.rule else None) for rule in rules]
        segments = [Audience(name, (), (), rule.as_rule()) for name, rule in self._settings.segments.items()]
        return tuple(dict.fromkeys([*named, *segments]))

    def follows_sources(self, kind: Kind) -> bool:
        """Whether items of this kind are drafted in the languages that they are written in."""
        playbook = self.playbook(kind)
        return playbook is not None and playbook.languages == "source"

    def context(
        self,
        kind: Kind,
        campaign: str,
        answers: tuple[Answer, ...] = (),
        stored: StoredItem | None = None,
        *,
        languages: tuple[str, ...] = (),
        previous: Item | None = None,
        siblings: tuple[Item, ...] = (),
        calendar_id: str = "",
        changes: int = 0,
    ) -> DraftContext:
        """What composing and rendering need for a campaign of this kind. Raises `NotFoundError` without a playbook.

        `answers` are those to the questions of `stored`; the rest as in `DraftContext`.
        """
        playbook = self.playbook(kind)
        if playbook is None:
            raise NotFoundError(
                f"No active playbook says what a {kind} sets in motion; add one to config/playbooks.yaml."
            )
        return DraftContext(
            network=self._settings.network,
            playbook=playbook,
            templates=self._templates(),
            campaign=campaign,
            account=self._settings.channels.x.account,
            accounts={name: self._settings.channel(name).account for name in POST_CHANNELS},
            youtube_channel=self._settings.channels.youtube.account,
            forum=self._settings.channels.discourse,
            answers=answers_by_span(stored.item, answers) if stored else {},
            today=self.today(),
            languages=languages,
            previous=previous,
            siblings=siblings,
            calendar_id=calendar_id,
            calendar_sequence=changes,
            is_cancelled=stored is not None and says_cancelled(stored.item),
        )

    def digest_context(self, campaign: str, languages: tuple[str, ...]) -> DraftContext:
        """What a digest needs. Raises `NotFoundError` when the playbooks ask for none."""
        rule = self._settings.digest
        if rule is None:
            raise NotFoundError("config/playbooks.yaml asks for no digest; add the key digest.")
        return DraftContext(
            network=self._settings.network,
            playbook=Playbook(email=rule.email, approval=rule.approval),
            templates=self._templates(),
            campaign=campaign,
            today=self.today(),
            languages=languages,
        )

    def name_correction(self, item: Item) -> str:
        """The title of a campaign that corrects what was said of this item."""
        language = item.language if item.language in self.languages else self.languages[0]
        words = read_words(self._templates(), language or "")
        return words.text("correction.subject", subject=item.title or words.text(f"kinds.{item.kind.value}"))

    def compose(
        self, item: Item, identity: str, dead_links: Mapping[str, tuple[str, str]] | None = None
    ) -> tuple[Proposal, ...]:
        """Every draft that the playbook asks for, of an item that is not stored.

        `dead_links` maps addresses that were found dead to (error or warning, what was found).
        """
        context = self.context(item.kind, campaign_slug(item, identity))
        return self.compose_drafts(item, replace(context, links=dead_links or {}))

    def compose_drafts(
        self, item: Item, context: DraftContext, asked: tuple[str, ...] | None = None
    ) -> tuple[Proposal, ...]:
        """Every draft that the playbook asks for (in the `asked` languages only), translated where that is configured."""
        context = self.look_at_channel(item, context)
        return self._translating.fill(item, context, compose_drafts(item, context, asked))

    def look_at_channel(self, item: Item, context: DraftContext) -> DraftContext:
        """The context with what the YouTube channel has, where the item has a video and the playbook a playlist for it.

        What was read is minutes old at most; a channel that cannot be read stays unknown.
        """
        if self._channel_reader is None or not item.videos or context.playbook.youtube is None:
            return context
        videos = tuple(dict.fromkeys(video.video_id for video in item.videos))
        return replace(context, youtube_state=self._channel_reader(videos))

    def compose_one(self, item: Item, context: DraftContext, draft: Draft) -> Fields | None:
        """The fields of one draft, composed anew; None when the playbook no longer asks for it."""
        asked = (draft.language,) if draft.language else None
        for proposal in self.compose_drafts(item, context, asked):
            if (proposal.channel, proposal.language or "") == (draft.channel, draft.language):
                return proposal.fields
        return None


def answers_by_span(item: Item, answers: Iterable[Answer]) -> Mapping[Span, str]:
    """What was answered to an item's questions, by the span of the question."""
    spans = {(question.id, question.span[0]): question.span for question in item.questions}
    return {
        spans[answer.question, answer.span_start]: answer.answer
        for answer in answers
        if (answer.question, answer.span_start) in spans
    }
