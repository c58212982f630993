"""Drafts: their revisions, saving a new one, confirming, deciding."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from pregon.errors import NotFoundError, StaleRevisionError
from pregon.types import Decision, Revision
from pregon.web.api.access import Editor, Viewer
from pregon.web.api.campaigns import Decided, DraftLine, show_line, take_decision
from pregon.web.api.fields import ContentOut, FieldsModel, show_content, show_fields, take_fields
from pregon.web.api.models import ErrorOut, Id, In, Out, ProblemOut, Short, StateOut, Text, When
from pregon.web.desk import AnyDesk
from pregon.web.forms import write_text

router = APIRouter(tags=["drafts"])


class CheckOut(Out):
    """A finding. `level` error stops approval."""

    id: str
    level: str
    message: str
    fix: str


class RevisionOut(Out):
    """A revision: what an officer edits, and all that goes out of it."""

    draft_id: int
    number: int
    digest: str
    created_by: str
    created_at: datetime
    fields: FieldsModel
    content: ContentOut
    checks: list[CheckOut]


class RevisionLine(Out):
    """A revision in short."""

    number: int
    digest: str
    created_by: str
    created_at: datetime


class ApprovalOut(Out):
    """A decision that was taken."""

    revision: int
    digest: str
    decision: Decision
    decided_by: str
    comment: str
    quote: str
    decided_at: datetime
    due_at: datetime | None


class DraftOut(DraftLine):
    """A draft with its newest revision and every decision on it."""

    campaign: str
    newest: RevisionOut
    decisions: list[ApprovalOut]


class EditIn(In):
    """What is saved. `base` is the revision that you read; `send_at` null sends as soon as it is approved."""

    base: Annotated[int, Field(ge=1, lt=2**31)]
    fields: FieldsModel
    send_at: When | None = None


class ConfirmIn(In):
    """The revision that you read."""

    base: Annotated[int, Field(ge=1, lt=2**31)]


class DecisionIn(In):
    """A decision on the revision with this digest. `quote` is the passage that the comment is about."""

    decision: Decision
    digest: Short
    comment: Annotated[Text, Field(max_length=4_000)] = ""
    quote: Annotated[Text, Field(max_length=4_000)] = ""


@router.get("/drafts/{draft_id}")
def show_draft(draft_id: Id, desk: AnyDesk, user: Viewer) -> DraftOut:
    """One draft with its newest revision."""
    campaign, view = desk.pipeline.reviewing.show_draft(draft_id)
    return DraftOut(
        **show_line(view).model_dump(),
        campaign=campaign.campaign.slug,
        newest=_show(view.revision),
        decisions=[ApprovalOut.model_validate(each) for each in view.approvals],
    )


@router.get("/drafts/{draft_id}/revisions")
def list_revisions(draft_id: Id, desk: AnyDesk, user: Viewer) -> list[RevisionLine]:
    """Every revision of a draft, oldest first."""
    return [RevisionLine.model_validate(each) for each in _history(desk, draft_id)]


@router.get("/drafts/{draft_id}/revisions/{number}")
def show_revision(draft_id: Id, number: Id, desk: AnyDesk, user: Viewer) -> RevisionOut:
    """One revision with its content."""
    found = next((each for each in _history(desk, draft_id) if each.number == number), None)
    if found is None:
        raise NotFoundError(f"Draft {draft_id} has no revision {number}.")
    return _show(found)


def _history(desk: AnyDesk, draft_id: int) -> tuple[Revision, ...]:
    revisions, _ = desk.pipeline.reviewing.history(draft_id)
    if not revisions:
        raise NotFoundError(f"There is no draft {draft_id}.")
    return revisions


def _show(revision: Revision) -> RevisionOut:
    return RevisionOut(
        draft_id=revision.draft_id,
        number=revision.number,
        digest=revision.digest,
        created_by=revision.created_by,
        created_at=revision.created_at,
        fields=show_fields(revision.fields),
        content=show_content(revision.content),
        checks=[CheckOut.model_validate(each) for each in revision.checks],
    )


@router.post("/drafts/{draft_id}/revisions", response_model=RevisionOut, status_code=201)
def save_revision(draft_id: Id, edit: EditIn, desk: AnyDesk, user: Editor) -> RevisionOut | Response:
    """Save fields as the next revision; an approval lapses. When somebody saved in between: 409 with both texts."""
    reviewing = desk.pipeline.reviewing
    _, view = reviewing.show_draft(draft_id)
    fields = take_fields(edit.fields, view.revision.fields)
    try:
        return _show(reviewing.edit_draft(draft_id, edit.base, fields, user, send_at=edit.send_at))
    except StaleRevisionError as error:
        _, view = reviewing.show_draft(draft_id)
        theirs, yours = write_text(view.revision.fields), write_text(fields)
        problem = ProblemOut(id="stale-revision", message=str(error), current=error.current, theirs=theirs, yours=yours)
        return JSONResponse(ErrorOut(error=problem).model_dump(), 409)


@router.post("/drafts/{draft_id}/confirm", status_code=201)
def confirm_draft(draft_id: Id, confirmed: ConfirmIn, desk: AnyDesk, user: Editor) -> RevisionOut:
    """Your word that the draft still says what its sources say, and that its translation is right."""
    return _show(desk.pipeline.reviewing.confirm_draft(draft_id, confirmed.base, user))


@router.post("/drafts/{draft_id}/decisions", status_code=201)
def decide(draft_id: Id, wanted: DecisionIn, desk: AnyDesk, user: Editor, later: BackgroundTasks) -> StateOut:
    """Approve, ask for changes, withdraw or cancel. All but asking for changes need the role approver."""
    decided = Decided(wanted.decision, wanted.digest, wanted.comment.strip(), wanted.quote)
    return take_decision(desk, draft_id, decided, user, later)
