"""Campaigns: the list, one with its sources and questions, answers, approving what is ready, and the figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query
from pydantic import Field

from pregon.errors import DecisionError
from pregon.pipeline import CampaignView, DraftView, InboxRow, SourceView
from pregon.types import CampaignSearch, ChannelName, Decision, DraftState, Kind, User
from pregon.web.api.access import Approver, Editor, Viewer
from pregon.web.api.models import Filled, In, Limit, Offset, Out, Short, Slug, StateOut, Word
from pregon.web.desk import AnyDesk, Desk
from pregon.web.pages_campaigns import ready_drafts, send_approved

router = APIRouter(tags=["campaigns"])


class CampaignLine(Out):
    """One campaign of the list. `questions`, `errors` and `warnings` are how many stand open."""

    slug: str
    kind: Kind
    title: str
    number: int | None
    created_at: datetime
    languages: list[str]
    questions: int
    errors: int
    warnings: int
    cost_usd: float
    deadline: date | None
    states: dict[str, DraftState] = Field(description="The state of each draft, by its id.")


class CampaignPage(Out):
    """Some campaigns, and how many fit in all."""

    count: int
    campaigns: list[CampaignLine]


class QuestionOut(Out):
    """Something that a source leaves open. `blocking` ones stop approval."""

    id: str
    message: str
    span_start: int
    item_id: int
    blocking: bool


class AnswerOut(Out):
    """An answer that was given."""

    question: str
    span_start: int
    item_id: int | None
    answer: str
    answered_by: str
    answered_at: datetime


class SourceOut(Out):
    """A document that the campaign is about."""

    item_id: int
    version: int
    language: str | None
    title: str | None
    origin: str
    text: str


class DraftLine(Out):
    """A draft in short. `obstacles` say why it cannot be approved yet."""

    id: int
    channel: ChannelName
    language: str
    state: DraftState
    revision: int
    digest: str
    recipients: int
    excluded: int
    cost_usd: float
    obstacles: list[str]
    stale: str
    missing_yeses: int


class CampaignOut(Out):
    """One campaign."""

    slug: str
    kind: Kind
    title: str
    created_at: datetime
    sources: list[SourceOut]
    drafts: list[DraftLine]
    questions: list[QuestionOut]
    answers: list[AnswerOut]
    corrects: str | None
    corrected_by: list[str]


class AnswerIn(In):
    """An answer to an open question; `item_id` says which source asks, where several ask the same."""

    question: Short
    span_start: Annotated[int, Field(ge=0, lt=2**31)]
    answer: Filled
    item_id: Annotated[int, Field(ge=1, lt=2**31)] | None = None


class ApproveIn(In):
    """The digests of the drafts as you read them; one that changed since is refused."""

    digests: Annotated[list[Short], Field(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decided about a revision."""

    decision: Decision
    digest: str
    comment: str = ""
    quote: str = ""


@router.get("/campaigns")
def list_campaigns(
    desk: AnyDesk,
    user: Viewer,
    waiting: Annotated[
        bool | None, Query(description="Only those that wait for a person, or only decided ones.")
    ] = None,
    kind: Kind | None = None,
    channel: ChannelName | None = None,
    language: Word = "",
    q: Annotated[Word, Query(description="Looked for in titles; a number also as the item's own.")] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> CampaignPage:
    """Campaigns: waiting ones oldest first, decided ones newest first."""
    search = CampaignSearch(waiting, kind or "", channel or "", language, q.strip(), limit, offset)
    page = desk.pipeline.inbox.search(search)
    return CampaignPage(count=page.count, campaigns=[_line(row) for row in page.rows])


def _line(row: InboxRow) -> CampaignLine:
    return CampaignLine(
        slug=row.campaign.slug,
        kind=row.campaign.kind,
        title=row.campaign.title,
        number=row.number,
        created_at=row.campaign.created_at,
        languages=list(row.languages),
        questions=row.questions,
        errors=row.errors,
        warnings=row.warnings,
        cost_usd=row.cost_usd,
        deadline=row.deadline,
        states={str(draft.id): draft.state for draft in row.drafts},
    )


@router.get("/campaigns/{slug}")
def show_campaign(slug: Slug, desk: AnyDesk, user: Viewer) -> CampaignOut:
    """One campaign with its sources, drafts and questions."""
    return _show(desk.pipeline.reviewing.show_campaign(slug))


def _show(view: CampaignView) -> CampaignOut:
    return CampaignOut(
        slug=view.campaign.slug,
        kind=view.campaign.kind,
        title=view.campaign.title,
        created_at=view.campaign.created_at,
        sources=[_source(each) for each in view.sources],
        drafts=[show_line(each) for each in view.drafts],
        questions=[question for source in view.sources for question in _questions(source)],
        answers=[AnswerOut.model_validate(each) for each in view.answers],
        corrects=view.corrected.slug if view.corrected else None,
        corrected_by=[each.slug for each in view.corrections],
    )


def _source(view: SourceView) -> SourceOut:
    item = view.stored.item
    return SourceOut(
        item_id=view.stored.id,
        version=view.stored.version,
        language=item.language,
        title=item.title,
        origin=view.stored.origin,
        text=item.text,
    )


def _questions(view: SourceView) -> list[QuestionOut]:
    return [
        QuestionOut(
            id=each.id, message=each.message, span_start=each.span[0], item_id=view.stored.id, blocking=each.blocking
        )
        for each in view.questions
    ]


def show_line(view: DraftView) -> DraftLine:
    """A draft in short."""
    return DraftLine(
        id=view.draft.id,
        channel=view.draft.channel,
        language=view.draft.language,
        state=view.draft.state,
        revision=view.draft.revision,
        digest=view.revision.digest,
        recipients=view.recipients,
        excluded=view.excluded,
        cost_usd=view.cost_usd,
        obstacles=list(view.obstacles),
        stale=view.stale,
        missing_yeses=view.missing_yeses,
    )


@router.post("/campaigns/{slug}/answers")
def answer_question(slug: Slug, asked: AnswerIn, desk: AnyDesk, user: Editor) -> CampaignOut:
    """Answer an open question; drafts that nobody edited are composed anew with it."""
    reviewing = desk.pipeline.reviewing
    reviewing.answer_question(slug, asked.question, asked.span_start, asked.answer, user, asked.item_id)
    return _show(reviewing.show_campaign(slug))


@router.post("/campaigns/{slug}/approve")
def approve_ready(
    slug: Slug, wanted: ApproveIn, desk: AnyDesk, user: Approver, later: BackgroundTasks
) -> list[StateOut]:
    """Approve every draft of the campaign that is ready and whose digest you name."""
    view = desk.pipeline.reviewing.show_campaign(slug)
    ready = [each for each in ready_drafts(view, user) if each.revision.digest in wanted.digests]
    if not ready:
        raise DecisionError("None of these drafts is ready as you read it; read the campaign again.")
    approved = [(each.draft.id, Decided(Decision.APPROVED, each.revision.digest)) for each in ready]
    return [take_decision(desk, draft_id, decided, user, later) for draft_id, decided in approved]


def take_decision(desk: Desk, draft_id: int, wanted: Decided, user: User, later: BackgroundTasks) -> StateOut:
    """Take one decision; an approval that is whole lets the engine know."""
    state = desk.pipeline.reviewing.decide(
        draft_id, wanted.decision, wanted.digest, user, wanted.comment, quote=wanted.quote
    )
    task = send_approved(desk, [draft_id]) if state is DraftState.APPROVED else None
    if task is not None:
        later.tasks.append(task)
    return StateOut(draft_id=draft_id, decision=wanted.decision, state=state)
