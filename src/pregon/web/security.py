"""Who is signed in, whether a form is really ours, and what a browser may do with a page.

Roles are not looked at here: the pipeline refuses what a role does not include, whoever asks. Sources of the rules:
RFC 6265bis for cookie prefixes, the Fetch standard for Origin and Sec-Fetch-Site, CSP Level 3 for the policies.
"""

from __future__ import annotations

import hmac
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pregon.errors import NotAllowedError
from pregon.pipeline import Session
from pregon.pipeline.people import Where
from pregon.web.desk import AnyDesk, Desk

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# A mail carries its own styles and its readers' pictures, and may do nothing else, whatever somebody put into it.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data: https:; form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
)
_MOST_FIELDS = 2000
_MOST_FILES = 30
_HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # Not no-referrer: a browser would then send "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class NotSignedInError(Exception):
    """Nobody is signed in; the browser is sent to the sign-in page."""


class MustEnrolError(Exception):
    """This person has to set up the second step first; the browser is sent to that page."""


class SecureHeaders:
    """Puts the safe headers on every answer that does not bring its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; only the start of an answer is touched."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely)


# --- the session ---------------------------------------------------------------------------------------------


def is_secure(desk: Desk) -> bool:
    """Whether people reach the desk over TLS."""
    return desk.pipeline.settings.base_url.startswith("https://")


def cookie_name(desk: Desk) -> str:
    """The session cookie's name; with TLS the prefix keeps other hosts of the domain from setting it."""
    return "__Host-pregon" if is_secure(desk) else "pregon"


def give_cookie(desk: Desk, response: Response, token: str) -> None:
    """Hand the session token to the browser."""
    seconds = int(desk.pipeline.people.session_length.total_seconds())
    response.set_cookie(
        cookie_name(desk), token, max_age=seconds, path="/", secure=is_secure(desk), httponly=True, samesite="lax"
    )


def take_cookie(desk: Desk, response: Response) -> None:
    """Take the session token back."""
    response.delete_cookie(cookie_name(desk), path="/", secure=is_secure(desk), httponly=True, samesite="lax")


def read_token(desk: Desk, request: Request) -> str | None:
    """The session token that came with a request."""
    return request.cookies.get(cookie_name(desk))


def find_session(request: Request, desk: AnyDesk) -> Session:
    """The signed-in person, also one who may only set up their second step yet. Raises `NotSignedInError`."""
    session = desk.pipeline.people.session(read_token(desk, request))
    if session is None:
        raise NotSignedInError
    return session


def require_session(session: Annotated[Session, Depends(find_session)]) -> Session:
    """The signed-in person. Raises `NotSignedInError`, `MustEnrolError`."""
    if session.must_enrol:
        raise MustEnrolError
    return session


AnySession = Annotated[Session, Depends(find_session)]
SignedIn = Annotated[Session, Depends(require_session)]


def where_of(desk: Desk, request: Request) -> Where:
    """Where a request comes from. What a proxy says of it is believed only from the networks of the configuration."""
    address = request.client.host if request.client else ""
    agent = "".join(sign for sign in request.headers.get("user-agent", "") if sign.isprintable())
    trusted = [ip_network(each) for each in desk.pipeline.settings.desk.trusted_proxies]
    hops = [hop.strip() for hop in ",".join(request.headers.getlist("x-forwarded-for")).split(",")]
    # From the right: each hop was added by the one after it, so the first that is not ours is the last we can believe.
    while hops and _is_in(address, trusted) and _read_address(hops[-1]):
        address = hops.pop()
    return Where(address, agent)


def _is_in(address: str, networks: list[IPv4Network | IPv6Network]) -> bool:
    known = _read_address(address)
    return known is not None and any(known in network for network in networks)


def _read_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


# --- forms ---------------------------------------------------------------------------------------------------


def refuse_strangers(request: Request, desk: Desk) -> None:
    """Raise `NotAllowedError` when a browser says that another site made this request."""
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    ours = (urlsplit(desk.pipeline.settings.base_url).netloc, request.headers.get("host", ""))
    foreign = origin is not None and urlsplit(origin).netloc not in ours
    if site not in ("same-origin", "none") or foreign:
        raise NotAllowedError("This form was not sent from the desk, so nothing was done.")


async def read_form(request: Request, desk: AnyDesk) -> FormData:
    """The fields of a form that nobody has to be signed in for."""
    refuse_strangers(request, desk)
    return await request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS)


async def read_signed_form(session: SignedIn, form: Annotated[FormData, Depends(read_form)]) -> FormData:
    """The fields of a form that this session's page carried. Raises `NotAllowedError`."""
    return _signed(session, form)


async def read_own_form(session: AnySession, form: Annotated[FormData, Depends(read_form)]) -> FormData:
    """The same for a person who may only set up their second step yet. Raises `NotAllowedError`."""
    return _signed(session, form)


def _signed(session: Session, form: FormData) -> FormData:
    # A lone surrogate cannot be encoded, and cannot come from our own page, either.
    given = text_of(form, "csrf").encode(errors="replace")
    if not hmac.compare_digest(given, session.csrf.encode()):
        raise NotAllowedError("This form is no longer valid; open the page again and repeat what you did.")
    return form


OpenForm = Annotated[FormData, Depends(read_form)]
SignedForm = Annotated[FormData, Depends(read_signed_form)]
OwnForm = Annotated[FormData, Depends(read_own_form)]


def text_of(form: FormData, name: str) -> str:
    """One field's text; empty when it is missing or a file."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def texts_of(form: FormData, name: str) -> list[str]:
    """The texts of every field of that name, with one kind of line end."""
    return [value.replace("\r\n", "\n") for value in form.getlist(name) if isinstance(value, str)]
