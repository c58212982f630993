"""Signing in and out: the password, the code of the second step, and the way over the sign-in provider."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from pregon.errors import NotAllowedError, NotFoundError, PregonError
from pregon.web.desk import AnyDesk, Desk, go, read_said
from pregon.web.openid import ProvidedPerson, Provider, Returned
from pregon.web.security import (
    OpenForm,
    OwnForm,
    SignedForm,
    SignedIn,
    give_cookie,
    is_secure,
    read_token,
    take_cookie,
    text_of,
    where_of,
)

router = APIRouter()
_STEP_SECONDS = 600


def safe_path(path: str) -> str:
    """A path on this desk to go to; anything that could lead elsewhere becomes the inbox."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if inside else "/"


@router.get("/sign-in")
def show_sign_in(request: Request, desk: AnyDesk, next: str = "/") -> Response:
    """The form."""
    return _sign_in_page(desk, onward=safe_path(next), said=read_said(request.query_params))


def _sign_in_page(
    desk: Desk, *, status: int = 200, onward: str = "/", name: str = "", problem: str = "", said: str = ""
) -> Response:
    values = {"next": onward, "name": name, "problem": problem, "said": said, "provider": _label(desk)}
    return desk.show("sign_in.html", status=status, **values)


def _label(desk: Desk) -> str:
    openid = desk.pipeline.settings.desk.openid
    return openid.label if openid else ""


@router.post("/sign-in")
def sign_in(request: Request, desk: AnyDesk, form: OpenForm) -> Response:
    """A session for the right password; the same sentence for a wrong name and a wrong password."""
    name, onward = text_of(form, "name").strip(), safe_path(text_of(form, "next"))
    try:
        result = desk.pipeline.people.sign_in(name, text_of(form, "password"), where_of(desk, request))
    except NotAllowedError as error:
        return _sign_in_page(desk, status=403, onward=onward, name=name, problem=str(error))
    if result.needs_code:
        response = desk.show("sign_in_code.html", next=onward, problem="")
        _give_step(desk, response, result.token)
        return response
    return _enter(request, desk, onward, result.token)


@router.post("/sign-in/code")
def sign_in_with_code(request: Request, desk: AnyDesk, form: OpenForm) -> Response:
    """The other half: a code of the person's app, or one of their recovery codes."""
    onward, step = safe_path(text_of(form, "next")), request.cookies.get(_step_cookie(desk), "")
    try:
        token = desk.pipeline.people.finish_sign_in(step, text_of(form, "code"), where_of(desk, request))
    except NotAllowedError as error:
        return desk.show("sign_in_code.html", status=403, next=onward, problem=str(error))
    response = _enter(request, desk, onward, token)
    _take_step(desk, response)
    return response


def _enter(request: Request, desk: Desk, onward: str, token: str) -> Response:
    # A session that the browser had before ends: nobody goes on under a token that somebody else may have planted.
    if before := read_token(desk, request):
        desk.pipeline.people.sign_out(before)
    response = go(onward)
    give_cookie(desk, response, token)
    return response


@router.post("/sign-out")
def sign_out(request: Request, desk: AnyDesk, form: OwnForm) -> Response:
    """End the session here and in the database."""
    desk.pipeline.people.sign_out(read_token(desk, request) or "")
    response = go("/sign-in")
    take_cookie(desk, response)
    return response


# --- the provider


@router.get("/sign-in/leave")
def leave_for_provider(desk: AnyDesk, next: str = "/") -> Response:
    """Send the browser to the provider, and keep what its answer has to fit to.

    A link, not a form: `form-action 'self'` also forbids a form to be sent on elsewhere.
    """
    onward = safe_path(next)
    try:
        return _leave(desk, next=onward)
    except PregonError as error:
        return _sign_in_page(desk, status=502, onward=onward, problem=str(error))


def _leave(desk: Desk, **kept: str) -> Response:
    leaving = _provider(desk).leave()
    response = RedirectResponse(leaving.address, 303)
    _give_step(desk, response, desk.pipeline.people.begin_with_provider(json.dumps({**kept, **leaving.kept})))
    return response


@router.get("/account/provider")
def leave_to_link(desk: AnyDesk, session: SignedIn) -> Response:
    """Send a signed-in person to the provider, to link their account there; nothing is linked before they say yes here."""
    return _leave(desk, next="/account", links=session.user.name)


def _ask_to_link(request: Request, desk: Desk, name: str, person: ProvidedPerson) -> Response:
    # Asked once more, in a form of the desk: a link on a foreign page may have brought the browser here.
    session = desk.pipeline.people.session(read_token(desk, request))
    if session is None or session.user.name != name:
        raise NotAllowedError("You were signed out meanwhile; sign in and begin again.")
    response = desk.show("link.html", session, person=person, provider=_label(desk))
    _give_step(desk, response, desk.pipeline.people.begin_link(session.user, person.subject))
    return response


@router.post("/account/provider")
def link_provider(request: Request, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """The person's yes to the account that they came back with."""
    people = desk.pipeline.people
    people.access.link(session.user, people.finish_link(session.user, request.cookies.get(_step_cookie(desk), "")))
    response = go("/account", said="linked")
    _take_step(desk, response)
    return response


@router.post("/account/provider/end")
def unlink_provider(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Sign in with the password alone from now on."""
    desk.pipeline.people.access.unlink(session.user)
    return go("/account", said="unlinked")


@router.get("/sign-in/provider")
def come_back(request: Request, desk: AnyDesk) -> Response:
    """The provider's answer: only to the browser that left, once, for the state that it left with."""
    query, people = request.query_params, desk.pipeline.people
    try:
        provider = _provider(desk)
        kept = json.loads(people.come_back(request.cookies.get(_step_cookie(desk), "")))
        answer = Returned(query.get("code", ""), query.get("state", ""), query.get("iss", ""), query.get("error", ""))
        person = provider.read(answer, kept)
        if kept.get("links"):
            return _ask_to_link(request, desk, str(kept["links"]), person)
        where = where_of(desk, request)
        token = people.sign_in_provided(person.subject, person.name, person.role, where, email=person.email)
    except PregonError as error:
        status = 403 if isinstance(error, NotAllowedError) else 502
        response = _sign_in_page(desk, status=status, problem=str(error))
        _take_step(desk, response)
        return response
    response = _enter(request, desk, safe_path(str(kept["next"])), token)
    _take_step(desk, response)
    return response


def _provider(desk: Desk) -> Provider:
    settings = desk.pipeline.settings
    if settings.desk.openid is None:
        raise NotFoundError("No sign-in provider is set up; sign in with your name and password.")
    back = f"{settings.base_url}/sign-in/provider"
    return Provider(settings.desk.openid, settings.secrets.openid_secret, back)


# --- the cookie of a sign-in that waits for its other half. Lax, since it has to come along from the provider's page.


def _step_cookie(desk: Desk) -> str:
    return "__Host-pregon-step" if is_secure(desk) else "pregon-step"


def _give_step(desk: Desk, response: Response, token: str) -> None:
    response.set_cookie(
        _step_cookie(desk),
        token,
        max_age=_STEP_SECONDS,
        path="/",
        secure=is_secure(desk),
        httponly=True,
        samesite="lax",
    )


def _take_step(desk: Desk, response: Response) -> None:
    response.delete_cookie(_step_cookie(desk), path="/", secure=is_secure(desk), httponly=True, samesite="lax")
