"""One's own account: password, second step, open sessions, API tokens. Nothing here concerns anybody else."""

from __future__ import annotations

import io

import segno
from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from pregon.errors import NotAllowedError, NotFoundError, PregonError
from pregon.pipeline import Session
from pregon.types import Role
from pregon.web.desk import AnyDesk, Desk, go, read_said
from pregon.web.security import AnySession, OwnForm, SignedForm, SignedIn, read_token, text_of, where_of
from pregon.web.workings import note

router = APIRouter()
_LASTING = (7, 30, 90, 365)


@router.get("/account")
def show_account(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """Everything of one's own."""
    return _account_page(request, desk, session, said=read_said(request.query_params))


def _account_page(
    request: Request, desk: Desk, session: Session, *, status: int = 200, problem: str = "", **values: object
) -> Response:
    people = desk.pipeline.people
    shown = {"said": "", "new_token": "", "codes": ()} | values
    openid = desk.pipeline.settings.desk.openid
    has_password, is_linked = people.access.ways_in(session.user)
    return desk.show(
        "account.html",
        session,
        status=status,
        problem=problem,
        sessions=people.list_sessions(session.user),
        here=people.session_id(read_token(desk, request) or ""),
        codes_left=people.second_step.count_codes(session.user),
        tokens=people.tokens.list_own(session.user),
        roles=[role for role in Role if session.user.role.includes(role)],
        lasting=_LASTING,
        provider=openid.label if openid else "",
        has_password=has_password,
        is_linked=is_linked,
        **shown,
    )


def _refuse(request: Request, desk: Desk, session: Session, error: PregonError) -> Response:
    status = 403 if isinstance(error, NotAllowedError) else 400
    return _account_page(request, desk, session, status=status, problem=str(error))


@router.post("/password")
def change_password(request: Request, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """A new password for oneself; every other session of theirs ends."""
    people, kept = desk.pipeline.people, read_token(desk, request) or ""
    old, new = text_of(form, "old"), text_of(form, "new")
    try:
        people.change_password(session.user.name, old, new, where=where_of(desk, request), kept=kept)
    except PregonError as error:
        return _refuse(request, desk, session, error)
    note(desk, session.user, "password", session.user.name, "changed their own password")
    return go("/account", said="password")


# --- the second step


@router.get("/account/second-step")
def show_second_step(desk: AnyDesk, session: AnySession) -> Response:
    """Set it up: the secret as a picture for the telephone and as text."""
    return _second_step_page(desk, session)


def _second_step_page(desk: Desk, session: Session, *, status: int = 200, problem: str = "") -> Response:
    offer = desk.pipeline.people.second_step.offer(session.user, session.csrf)
    values = {"offer": offer, "picture": draw_code(offer.address), "problem": problem, "must": session.must_enrol}
    return desk.show("second_step.html", session, status=status, **values)


def draw_code(text: str) -> Markup:
    """A QR code as SVG without style or script, so that the strictest policy shows it."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=False, scale=5, border=2, svgclass="qr", lineclass=None, dark="#000",
        light="#fff", nl=False,
    )  # fmt: skip
    return Markup(drawn.getvalue().decode())  # noqa: S704 - drawn here, of numbers alone


@router.post("/account/second-step")
def turn_on_second_step(request: Request, desk: AnyDesk, session: AnySession, form: OwnForm) -> Response:
    """Turn it on with a first code, and show the recovery codes this once."""
    try:
        codes = desk.pipeline.people.second_step.turn_on(session.user, session.csrf, text_of(form, "code"))
    except PregonError as error:
        return _second_step_page(desk, session, status=400, problem=str(error))
    fresh = desk.pipeline.people.session(read_token(desk, request)) or session
    return _account_page(request, desk, fresh, codes=codes)


@router.post("/account/second-step/off")
def turn_off_second_step(request: Request, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Turn it off, which takes a code."""
    people, where = desk.pipeline.people, where_of(desk, request)
    try:
        people.turn_off_second_step(session.user, text_of(form, "code"), where)
    except PregonError as error:
        return _refuse(request, desk, session, error)
    return go("/account", said="second_step_off")


# --- sessions and tokens


@router.post("/account/sessions")
def end_session(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """End one of one's own sessions, e.g. of a browser that was left open elsewhere."""
    desk.pipeline.people.end_session(session.user, text_of(form, "session"))
    note(desk, session.user, "session", session.user.name, "ended one of their sessions")
    return go("/account", said="session_ended")


@router.post("/account/tokens")
def create_token(request: Request, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """A token for a program; its text is on this one answer and nowhere else."""
    days, role = text_of(form, "days"), text_of(form, "role")
    try:
        if role not in set(Role):
            raise PregonError("Choose one of the roles of the list.")
        length = int(days) if days.isascii() and days.isdecimal() and len(days) < 5 else 0
        text, _ = desk.pipeline.people.tokens.create(session.user, text_of(form, "name"), Role(role), length)
    except PregonError as error:
        return _refuse(request, desk, session, error)
    return _account_page(request, desk, session, new_token=text)


@router.post("/account/tokens/{token_id}/revoke")
def revoke_token(token_id: int, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """End a token: one's own, or as an admin anybody's."""
    if not 0 < token_id < 2**31:
        raise NotFoundError("There is no such token that still counts.")
    desk.pipeline.people.tokens.revoke(token_id, session.user)
    return go("/people" if text_of(form, "from") == "people" else "/account", said="token_revoked")
