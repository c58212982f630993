"""One draft: decide, edit, read its history, see the mail as its reader will."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL, substitute
from pregon.errors import DecisionError, NotFoundError, StaleRevisionError
from pregon.pipeline import Session
from pregon.types import Decision, Fields, MailBody, Revision, ThreadBody
from pregon.web.desk import AnyDesk, Desk, go, read_said
from pregon.web.forms import read_fields, read_send_at, write_text
from pregon.web.highlight import diff_words
from pregon.web.pages_campaigns import send_approved
from pregon.web.security import MAIL_POLICY, SignedForm, SignedIn, text_of

router = APIRouter(prefix="/drafts/{draft_id}")
_PREFERS_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_SCHEMES = re.compile(r"(color-scheme(?:\"\s+content=\"|\s*:\s*))light dark", re.IGNORECASE)
# What a database can hold as an id.
DraftId = Annotated[int, Path(ge=1, lt=2**63)]


@router.post("/decision")
def decide(draft_id: DraftId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Approve, ask for changes, withdraw or cancel the revision that the page showed."""
    try:
        decision = Decision(text_of(form, "decision"))
    except ValueError as error:
        raise DecisionError("That is no decision; use the buttons of the campaign's page.") from error
    view, _ = desk.pipeline.reviewing.show_draft(draft_id)
    comment = text_of(form, "comment").strip()[:4000]
    desk.pipeline.reviewing.decide(draft_id, decision, text_of(form, "digest"), session.user, comment)
    response = go(f"/campaigns/{view.campaign.slug}#draft-{draft_id}", said=decision.value)
    if decision is Decision.APPROVED:
        response.background = send_approved(desk, [draft_id])
    return response


@router.get("/edit")
def show_edit(draft_id: DraftId, request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """The fields of the newest revision."""
    _, view = desk.pipeline.reviewing.show_draft(draft_id)
    said = read_said(request.query_params)
    return _edit_page(desk, session, draft_id, view.revision, view.revision.fields, said=said)


def _edit_page(
    desk: Desk, session: Session, draft_id: int, base: Revision, fields: Fields, *, status: int = 200, **values: object
) -> HTMLResponse:
    campaign, view = desk.pipeline.reviewing.show_draft(draft_id)
    shown = {"said": "", "theirs": None, "difference": None, "send_at": base.content.send_at} | values
    return desk.show(
        "edit.html",
        session,
        status=status,
        campaign=campaign.campaign,
        item=campaign.source.item,
        view=view,
        base=base,
        fields=fields,
        **shown,
    )


@router.post("/edit")
def edit(draft_id: DraftId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Save the form as the next revision, or show both texts when somebody saved in between."""
    campaign, view = desk.pipeline.reviewing.show_draft(draft_id)
    fields = read_fields(form, view.revision.fields)
    send_at = read_send_at(form, desk.pipeline.settings.network.time_zone)
    base = text_of(form, "base")
    number = int(base) if base.isdecimal() else -1
    if number == view.draft.revision and (fields, send_at) == (view.revision.fields, view.revision.content.send_at):
        return go(f"/campaigns/{campaign.campaign.slug}#draft-{draft_id}", said="unchanged")
    try:
        desk.pipeline.reviewing.edit_draft(draft_id, number, fields, session.user, send_at=send_at)
    except StaleRevisionError:
        _, view = desk.pipeline.reviewing.show_draft(draft_id)
        difference = diff_words(write_text(view.revision.fields), write_text(fields))
        return _edit_page(
            desk,
            session,
            draft_id,
            view.revision,
            fields,
            status=409,
            theirs=write_text(view.revision.fields),
            difference=difference,
            send_at=send_at,
        )
    return go(f"/campaigns/{campaign.campaign.slug}#draft-{draft_id}", said="saved")


@router.post("/confirm")
def confirm(draft_id: DraftId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """A person's word that the draft still says what its sources say, and that its translation is right."""
    view, _ = desk.pipeline.reviewing.show_draft(draft_id)
    base = text_of(form, "base")
    desk.pipeline.reviewing.confirm_draft(draft_id, int(base) if base.isdecimal() else -1, session.user)
    return go(f"/campaigns/{view.campaign.slug}#draft-{draft_id}", said="confirmed")


@router.get("/history")
def show_history(draft_id: DraftId, desk: AnyDesk, session: SignedIn) -> Response:
    """Every revision with what changed in it, and every decision."""
    campaign, view = desk.pipeline.reviewing.show_draft(draft_id)
    revisions, approvals = desk.pipeline.reviewing.history(draft_id)
    texts = [write_text(revision.fields) for revision in revisions]
    differences = [None, *(diff_words(before, after) for before, after in pairwise(texts))]
    entries = [(r.created_at, 0, r, difference) for r, difference in zip(revisions, differences, strict=True)]
    decisions = [(a.decided_at, 1, a, None) for a in approvals]
    ordered = sorted([*entries, *decisions], key=lambda entry: entry[:2], reverse=True)
    return desk.show("history.html", session, campaign=campaign.campaign, view=view, entries=ordered)


@router.get("/preview")
def preview_mail(draft_id: DraftId, desk: AnyDesk, session: SignedIn, scheme: str = "light") -> Response:
    """The mail's HTML for the frame of the campaign's page, as light or dark screens show it; it can only be looked at."""
    body = _mail_of(desk, draft_id)
    # Links of one recipient exist only once it is sent; here they lead nowhere.
    html = force_scheme(substitute(body.html, {UNSUBSCRIBE_URL: "#", VIEW_URL: "#"}), dark=scheme == "dark")
    headers = {
        "Content-Security-Policy": MAIL_POLICY.format(ancestors="'self'"),
        "X-Frame-Options": "SAMEORIGIN",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(html, headers=headers)


def force_scheme(html: str, *, dark: bool) -> str:
    """A mail as a reader with dark (or light) screens sees it, whatever the officer's own screen prefers."""
    html = _PREFERS_DARK.sub("all" if dark else "not all", html)
    return _SCHEMES.sub(r"\1dark" if dark else r"\1light", html)


@router.get("/text")
def preview_text(draft_id: DraftId, desk: AnyDesk, session: SignedIn) -> Response:
    """The mail's plain-text part."""
    return PlainTextResponse(_mail_of(desk, draft_id).text, headers={"Cache-Control": "no-store"})


def _mail_of(desk: Desk, draft_id: int) -> MailBody:
    _, view = desk.pipeline.reviewing.show_draft(draft_id)
    body = view.revision.content.body
    if not isinstance(body, MailBody):
        raise NotFoundError("This draft is not a mail, so there is no such preview.")
    return body


@router.post("/check")
def check_fields(draft_id: DraftId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """What the form would render to, for the live count and checks while typing; nothing is stored."""
    _, view = desk.pipeline.reviewing.show_draft(draft_id)
    fields = read_fields(form, view.revision.fields)
    send_at = read_send_at(form, desk.pipeline.settings.network.time_zone)
    proposal = desk.pipeline.reviewing.try_fields(draft_id, fields, session.user, send_at=send_at)
    body = proposal.content.body
    return JSONResponse(
        {
            "checks": [{"level": check.level, "message": check.message, "fix": check.fix} for check in proposal.checks],
            "weights": [part.weighted_length for part in body.parts] if isinstance(body, ThreadBody) else [],
        }
    )
