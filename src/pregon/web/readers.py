"""The pages that links of a mail lead to: unsubscribe, and the mail in a browser. No cookies, no session, no redirect.

Sources: RFC 8058 (a provider posts `List-Unsubscribe=One-Click` to the same address; a GET must change nothing,
because scanners follow links).
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pregon.errors import NotFoundError, SignatureError
from pregon.types import Delivery
from pregon.web.desk import AnyDesk, Desk
from pregon.web.language import speak, spoken, translate
from pregon.web.readers_words import BAD_LINK, SIGNUP_WORDS, WORDS
from pregon.web.security import MAIL_POLICY

router = APIRouter()


@router.api_route("/unsubscribe/{token}", methods=["GET", "HEAD"])
def ask(token: str, desk: AnyDesk) -> Response:
    """One button; looking changes nothing."""
    row = _recipient(desk, token)
    return _reader_page(desk, row, token, done=False) if row else _bad_link(desk, token)


@router.post("/unsubscribe/{token}")
def unsubscribe(token: str, desk: AnyDesk) -> Response:
    """Act at once, whatever the form says, however often it is repeated."""
    row = _recipient(desk, token)
    if row is None:
        return _bad_link(desk, token)
    desk.pipeline.measuring.unsubscribe(token)
    return _reader_page(desk, row, token, done=True)


@router.api_route("/mail/{token}", methods=["GET", "HEAD"])
def show_mail(token: str, desk: AnyDesk) -> Response:
    """The mail as this recipient got it."""
    try:
        html = desk.pipeline.measuring.view_mail(token)
    except (NotFoundError, SignatureError):
        return _bad_link(desk, token)
    policy = MAIL_POLICY.format(ancestors="'none'")
    # A link out of the mail must not tell its target the reader's own address of this page.
    return HTMLResponse(html, headers={"Content-Security-Policy": policy} | _PRIVATE)


_PRIVATE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def _recipient(desk: Desk, token: str) -> Delivery | None:
    try:
        return desk.pipeline.measuring.recipient_of(token)
    except (NotFoundError, SignatureError):
        return None


def _reader_page(desk: Desk, row: Delivery, token: str, *, done: bool) -> Response:
    language = row.language if row.language in WORDS else "en"
    speak(language)
    name = desk.pipeline.settings.network.name
    network_name = name.get(row.language) or next(iter(name.values()))
    response = desk.show(
        "reader.html",
        language=language,
        words=WORDS[language],
        network_name=network_name,
        done=done,
        problem="",
        choose=(SIGNUP_WORDS[language]["choose"], f"/preferences/{token}") if row.contact_id else None,
    )
    response.headers.update(_PRIVATE)
    return response


def _bad_link(desk: Desk, token: str) -> Response:
    # Whose link it was is not known, so the page speaks as the browser asks.
    sender = desk.pipeline.settings.network.sender
    problem = BAD_LINK
    try:
        desk.pipeline.measuring.recipient_of(token)
    except SignatureError:
        pass
    except NotFoundError:  # a copy of before that mail was put back: who reads it must get out all the same
        lost = translate(
            "This mail is no longer on file here, so nobody can tell whose link this is. Write to %(address)s, and you get no more."
        )
        problem = lost % {"address": sender.reply_to or sender.address}
    language, names = spoken(), desk.pipeline.settings.network.name
    response = desk.show(
        "reader.html",
        status=404,
        language=language,
        words=WORDS[language],
        network_name=names.get(language) or next(iter(names.values())),
        done=False,
        problem=problem,
        choose=None,
    )
    response.headers.update(_PRIVATE)
    return response
