"""The public form, its confirmation, and the pages where readers choose what they receive and see or erase their data.

No cookies, no session, no redirect. A GET changes nothing; every form says the same whether an address is known or not.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from pregon.errors import NotFoundError, PregonError, SignatureError
from pregon.types import Consent, Contact, Notice, Wish
from pregon.web.desk import AnyDesk, Desk
from pregon.web.language import speak, spoken
from pregon.web.readers_words import BAD_LINK, SIGNUP_WORDS
from pregon.web.security import text_of, texts_of, where_of

router = APIRouter()
_PRIVATE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
# A name that form-filling robots like; people never see the field.
TRAP = "website"


async def _read_form(request: Request) -> FormData:
    # Where the form was posted from is not asked: the network's own website may carry it, and a page without a
    # referrer makes browsers say "Origin: null". What protects these forms is the token in the address.
    return await request.form(max_files=0, max_fields=40)


ReaderForm = Annotated[FormData, Depends(_read_form)]


# --- subscribing


@router.get("/subscribe/{language}")
def show_form(language: str, desk: AnyDesk) -> Response:
    """The form in a reader's language."""
    return _form_page(desk, language)


@router.post("/subscribe/{language}")
def subscribe(language: str, request: Request, desk: AnyDesk, form: ReaderForm) -> Response:
    """Write the mail that asks for a confirmation; say the same to everybody."""
    _refuse_closed(desk, language)
    if not text_of(form, TRAP):
        wish = Wish(
            name=" ".join(text_of(form, "name").split())[:200],
            lists=tuple(texts_of(form, "topic")),
            opens=_ticked(form, "opens"),
            clicks=_ticked(form, "clicks"),
            text=_consent_text(language),
        )
        try:
            wanted = text_of(form, "language")
            spoken = wanted if wanted in desk.pipeline.settings.network.languages else language
            desk.pipeline.signups.ask(
                text_of(form, "address"), spoken, wish, connection=where_of(desk, request).address
            )
        except PregonError as error:
            return _form_page(desk, language, status=400, problem=str(error), form=form)
        _send_soon(desk)
    words = SIGNUP_WORDS[_known(language)]
    return _page(desk, language, title=words["sent_title"], said=words["sent"])


def _form_page(
    desk: Desk, language: str, *, status: int = 200, problem: str = "", form: FormData | None = None
) -> Response:
    _refuse_closed(desk, language)
    words = SIGNUP_WORDS[_known(language)]
    values: dict[str, Any] = {
        "form": "subscribe",
        "topics": [(name, title, True) for name, title in desk.pipeline.signups.topics(language).items()],
        "languages": desk.pipeline.settings.network.languages,
        "chosen": language,
        "address": text_of(form, "address") if form else "",
        "name": text_of(form, "name") if form else "",
        "trap": TRAP,
        "opens": False,
        "clicks": False,
    }
    return _page(desk, language, status=status, title=words["subscribe"], problem=problem, **values)


def _refuse_closed(desk: Desk, language: str) -> None:
    network = desk.pipeline.settings.network
    if language not in network.languages or not desk.pipeline.signups.topics(language):
        raise NotFoundError("There is no such form.")


@router.get("/confirm/{token}")
def ask_confirmation(token: str, desk: AnyDesk) -> Response:
    """One button; looking changes nothing."""
    notice = _notice(desk, token)
    if notice is None:
        return _bad_link(desk)
    words = SIGNUP_WORDS[_known(notice.language)]
    title = words["confirm_ask"].format(address=notice.address)
    return _page(desk, notice.language, title=title, form="confirm")


@router.post("/confirm/{token}")
def confirm(token: str, desk: AnyDesk) -> Response:
    """The yes, once; repeating it changes nothing."""
    try:
        notice = desk.pipeline.signups.confirm(token)
    except (NotFoundError, SignatureError):
        return _bad_link(desk)
    words = SIGNUP_WORDS[_known(notice.language)]
    contact = desk.pipeline.store.read_contact(notice.contact_id)
    link = desk.pipeline.signups.link_of(contact) if contact else ""
    said = words["confirmed"]
    return _page(desk, notice.language, title=words["confirmed_title"], said=said, onward=(words["choose"], link))


# --- preferences


@router.get("/preferences/{token}")
def show_preferences(token: str, desk: AnyDesk) -> Response:
    """Topics, language, tracking."""
    try:
        return _preferences_page(desk, desk.pipeline.signups.person_of(token), token)
    except (NotFoundError, SignatureError):
        return _bad_link(desk)


@router.post("/preferences/{token}")
def change_preferences(token: str, desk: AnyDesk, form: ReaderForm) -> Response:
    """Save them: at once, and backwards where something was withdrawn."""
    signups = desk.pipeline.signups
    try:
        shown = signups.person_of(token).language
        contact = signups.change(
            token,
            text_of(form, "language"),
            tuple(texts_of(form, "topic")),
            _ticked(form, "opens", Consent.DENIED),
            _ticked(form, "clicks", Consent.DENIED),
            _tracking_text(shown),
        )
    except (NotFoundError, SignatureError):
        return _bad_link(desk)
    return _preferences_page(desk, contact, token, said=SIGNUP_WORDS[_known(contact.language)]["saved"])


@router.post("/preferences/{token}/data")
def ask_access(token: str, request: Request, desk: AnyDesk) -> Response:
    """Mail the person a link of their own to their data."""
    signups = desk.pipeline.signups
    try:
        contact = signups.person_of(token)
        signups.ask_access(token, connection=where_of(desk, request).address)
    except (NotFoundError, SignatureError):
        return _bad_link(desk)
    _send_soon(desk)
    words = SIGNUP_WORDS[_known(contact.language)]
    return _page(desk, contact.language, title=words["your_data"], said=words["access_sent"])


def _preferences_page(desk: Desk, contact: Contact, token: str, *, said: str = "") -> Response:
    language = contact.language
    words = SIGNUP_WORDS[_known(language)]
    offered = desk.pipeline.signups.topics(language)
    topics = [(name, title, name in contact.lists) for name, title in offered.items()]
    topics += [(name, words["other_list"].format(name=name), True) for name in contact.lists if name not in offered]
    values: dict[str, Any] = {
        "form": "preferences",
        "access": f"/preferences/{token}/data",
        "topics": topics,
        "languages": desk.pipeline.settings.network.languages,
        "chosen": language,
        "opens": contact.open_tracking is Consent.GRANTED,
        "clicks": contact.click_tracking is Consent.GRANTED,
    }
    title = words["preferences"]
    return _page(desk, language, title=title, said=said, **values)


# --- one's own data


@router.get("/data/{token}")
def show_data(token: str, desk: AnyDesk) -> Response:
    """Download or erase."""
    try:
        contact = desk.pipeline.signups.owner_of(token)
    except (NotFoundError, SignatureError):
        return _bad_link(desk)
    words = SIGNUP_WORDS[_known(contact.language)]
    onward = (words["download"], f"/data/{token}/data.json")
    return _page(desk, contact.language, title=words["your_data"], form="data", onward=onward)


@router.get("/data/{token}/data.json")
def download_data(token: str, desk: AnyDesk) -> Response:
    """Everything that is kept about the person."""
    try:
        data = desk.pipeline.signups.export(token)
    except (NotFoundError, SignatureError):
        return _bad_link(desk)
    headers = {"Content-Disposition": 'attachment; filename="data.json"'} | _PRIVATE
    return Response(json.dumps(data, ensure_ascii=False, indent=2), media_type="application/json", headers=headers)


@router.post("/data/{token}")
def erase_data(token: str, desk: AnyDesk) -> Response:
    """Forget the person."""
    try:
        contact = desk.pipeline.signups.erase(token)
    except (NotFoundError, SignatureError):
        return _bad_link(desk)
    words = SIGNUP_WORDS[_known(contact.language)]
    return _page(desk, contact.language, title=words["erased_title"], said=words["erased"])


# --- parts


def _notice(desk: Desk, token: str) -> Notice | None:
    try:
        return desk.pipeline.signups.notice_of(token)
    except (NotFoundError, SignatureError):
        return None


def _ticked(form: FormData, name: str, otherwise: Consent = Consent.UNKNOWN) -> Consent:
    return Consent.GRANTED if text_of(form, name) else otherwise


def _send_soon(desk: Desk) -> None:
    desk.tell("pregon.notice.written", "pregon.notice.asked", desk.pipeline.noticing.send_due)


def _known(language: str) -> str:
    return language if language in SIGNUP_WORDS else "en"


def _consent_text(language: str) -> str:
    words = SIGNUP_WORDS[_known(language)]
    return f"{words['mail_text']} {_tracking_text(language)}"


def _tracking_text(language: str) -> str:
    words = SIGNUP_WORDS[_known(language)]
    return f"{words['opens']} {words['clicks']} {words['tracking']}"


def _network(desk: Desk, language: str) -> str:
    names = desk.pipeline.settings.network.name
    return names.get(language) or next(iter(names.values()))


def _bad_link(desk: Desk) -> Response:
    # Whose link it was is not known, so the page speaks as the browser asks.
    return _page(desk, spoken(), status=404, title=_network(desk, spoken()), problem=BAD_LINK)


def _page(desk: Desk, language: str, *, status: int = 200, **values: Any) -> Response:
    speak(_known(language))
    network = desk.pipeline.settings.network
    shared: dict[str, Any] = {
        "language": _known(language),
        "words": SIGNUP_WORDS[_known(language)],
        "network_name": _network(desk, language),
        "privacy": network.privacy_notice.get(language) or next(iter(network.privacy_notice.values())),
        "form": "",
        "said": "",
        "problem": "",
        "onward": None,
    }
    response = desk.show("signup.html", status=status, **shared | values)
    response.headers.update(_PRIVATE)
    return response
