"""One draft: decide, edit, read its history, see the mail as its reader will."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL, substitute
from pregon.errors import DecisionError, NotFoundError
from pregon.types import Decision, DeliveryState, DraftState, MailBody
from pregon.web.desk import AnyDesk, Desk, go
from pregon.web.forms import write_text
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
    comment, quote = text_of(form, "comment").strip()[:4000], text_of(form, "quote").strip()[:1000]
    digest, decide = text_of(form, "digest"), desk.pipeline.reviewing.decide
    state = decide(draft_id, decision, digest, session.user, comment, quote=quote)
    is_first_yes = decision is Decision.APPROVED and state is not DraftState.APPROVED
    said = "yes_kept" if is_first_yes else decision.value
    response = go(f"/campaigns/{view.campaign.slug}#draft-{draft_id}", said=said)
    if state is DraftState.APPROVED:
        response.background = send_approved(desk, [draft_id])
    return response


@router.post("/confirm")
def confirm(draft_id: DraftId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """A person's word that the draft still says what its sources say, and that its translation is right."""
    view, _ = desk.pipeline.reviewing.show_draft(draft_id)
    base = text_of(form, "base")
    desk.pipeline.reviewing.confirm_draft(draft_id, int(base) if base.isdecimal() else -1, session.user)
    return go(f"/campaigns/{view.campaign.slug}#draft-{draft_id}", said="confirmed")


@router.post("/test")
def send_test(draft_id: DraftId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """The newsletter to one's own mailbox, or to that of another person of the desk."""
    view, _ = desk.pipeline.reviewing.show_draft(draft_id)
    sent = desk.pipeline.trying.send_test(draft_id, session.user, text_of(form, "address").strip()[:320])
    said = "tested" if sent.state is DeliveryState.SENT else "not_tested"
    return go(f"/campaigns/{view.campaign.slug}#draft-{draft_id}", said=said)


@router.get("/history")
def show_history(draft_id: DraftId, desk: AnyDesk, session: SignedIn) -> Response:
    """Every revision with what changed in it, and every decision."""
    campaign, view = desk.pipeline.reviewing.show_draft(draft_id)
    revisions, approvals = desk.pipeline.reviewing.history(draft_id)
    texts = [write_text(revision.fields) for revision in revisions]
    differences = [None, *(diff_words(before, after) for before, after in pairwise(texts))]
    entries = [(r.created_at, 0, r, difference) for r, difference in zip(revisions, differences, strict=True)]
    decisions = [(a.decided_at, 1, a, None) for a in approvals]
    answers = [(a.answered_at, 2, a, None) for a in campaign.answers if a.item_id in (None, view.source.id)]
    tests = [(sent.asked_at, 3, sent, None) for sent in view.tests]
    ordered = sorted([*entries, *decisions, *answers, *tests], key=lambda entry: entry[:2], reverse=True)
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
    draft = desk.pipeline.store.read_draft(draft_id)
    revision = desk.pipeline.store.read_revision(draft_id, draft.revision) if draft else None
    body = revision.content.body if revision else None
    if not isinstance(body, MailBody):
        raise NotFoundError("This draft is not a mail, so there is no such preview.")
    return body
