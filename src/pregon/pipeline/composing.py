"""Read a document and compose its drafts: the part of the work that stores nothing and asks nobody."""

from __future__ import annotations

from collections.abc import Mapping

from pregon.drafts import DraftContext, campaign_slug, compose_drafts
from pregon.errors import NotFoundError
from pregon.items import read_item
from pregon.pipeline.protocols import Clock, TemplateReader
from pregon.settings import Playbook, Settings
from pregon.types import Answer, Document, Draft, Fields, Item, Kind, Proposal, Span


class Composing:
    """Documents -> items -> proposals, by the network's playbooks and templates."""

    def __init__(self, templates: TemplateReader, settings: Settings, clock: Clock) -> None:
        self._templates, self._settings, self._clock = templates, settings, clock

    def read(self, document: Document, kind: Kind | None = None) -> Item:
        """Read a document into an item."""
        return read_item(document, network=self._settings.network, today=self._clock().date(), kind=kind)

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

    def context(
        self, kind: Kind, campaign: str, answers: tuple[Answer, ...] = (), item: Item | None = None
    ) -> DraftContext:
        """What composing and rendering need for a campaign of this kind. Raises `NotFoundError` without a playbook."""
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
            youtube_channel=self._settings.channels.youtube.account,
            answers=_by_span(item, answers) if item else {},
            today=self._clock().date(),
        )

    def compose(self, item: Item, identity: str) -> tuple[Proposal, ...]:
        """Every draft that the playbook asks for."""
        return compose_drafts(item, self.context(item.kind, campaign_slug(item, identity)))

    @staticmethod
    def compose_one(item: Item, context: DraftContext, draft: Draft) -> Fields | None:
        """The fields of one draft, composed anew; None when the playbook no longer asks for it."""
        for proposal in compose_drafts(item, context):
            if (proposal.channel, proposal.language or "") == (draft.channel, draft.language):
                return proposal.fields
        return None


def _by_span(item: Item, answers: tuple[Answer, ...]) -> Mapping[Span, str]:
    spans = {(question.id, question.span[0]): question.span for question in item.questions}
    return {
        spans[answer.question, answer.span_start]: answer.answer
        for answer in answers
        if (answer.question, answer.span_start) in spans
    }
