"""The desk's own language: chosen by the person, else by their browser; its texts in `locale/*.po`. English is the source.

Templates say `_("...")`. What the stages say in English sentences with values in them is found again by its form
(`say_sentence`): the catalogue holds the sentence with `{1}`, `{2}` where the values stand. No file but the catalogues
is read here, and they are read once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote

from babel import Locale
from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.plural import PluralRule

LANGUAGES = ("en", "fr", "es")
COOKIE = "pregon_language"
_FORMATS = {"en": "en_GB", "fr": "fr_FR", "es": "es_ES"}
_LOCALE = Path(__file__).parent / "locale"
# {1} is a value that is put back as it stands, {s1} one that the desk says itself, e.g. a role or the sentence of another stage.
_HOLE = re.compile(r"\{(s?)(\d)\}")
_DEEPEST = 3
_language: ContextVar[str] = ContextVar("desk_language", default="en")
_this_page: ContextVar[str] = ContextVar("desk_this_page", default="/")

Scope = MutableMapping[str, Any]
App = Callable[..., Any]


def speak(language: str) -> None:
    """Let everything in this context be said in a language of `LANGUAGES`; another one is ignored."""
    if language in LANGUAGES:
        _language.set(language)


def spoken() -> str:
    """The language of this context."""
    return _language.get()


def this_page() -> str:
    """The page that this context answers, to come back to: "/" where the answer is that of a form."""
    return _this_page.get()


def formats() -> str:
    """The locale in which this context writes dates and numbers."""
    return _FORMATS[spoken()]


def translate(text: str) -> str:
    """A text of the desk in the language of this context; itself where the catalogue lacks it."""
    return _texts(spoken()).get(text, text)


def translate_plural(one: str, many: str, count: int) -> str:
    """The form for a count. `one` and `many` are the English forms."""
    language = spoken()
    forms = _plurals(language).get((one, many))
    if not forms:
        return one if count == 1 else many
    return forms[min(_form_of(language, count), len(forms) - 1)]


def say_sentence(text: str) -> str:
    """A sentence of the stages in the language of this context: found by its form, its values put back unchanged."""
    return text if spoken() == "en" else _say(text, _DEEPEST)


def _say(text: str, deeper: int) -> str:
    if (whole := translate(text)) != text or not deeper:
        return whole
    found = ((match, said) for pattern, said in _sentences(spoken()) if (match := pattern.fullmatch(text)))
    match, said = next(found, (None, ""))
    if match is None:
        return text

    def fill(hole: re.Match[str]) -> str:
        value = match[f"v{hole[2]}"]
        return _say(value, deeper - 1) if hole[1] else value

    return _HOLE.sub(fill, said)


class SpeaksLanguage:
    """ASGI middleware: sets the language of each request from the person's cookie, else from what the browser asks."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass the request on in its language."""
        if scope["type"] == "http":
            headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
            _language.set(choose_language(headers.get(b"cookie", ""), headers.get(b"accept-language", "")))
            _this_page.set(_name_page(scope))
        await self.app(scope, receive, send)


def _name_page(scope: Scope) -> str:
    if scope["method"] not in ("GET", "HEAD"):
        return "/"
    path: str = quote(scope["path"], safe="/:@!$&'()*+,;=~")
    query: str = scope.get("query_string", b"").decode("latin-1")
    return f"{path}?{query}" if query else path


def choose_language(cookies: str, accepted: str) -> str:
    """The language of a cookie header, else of an Accept-Language header, else English."""
    try:
        chosen = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        chosen = None
    if chosen is not None and chosen.value in LANGUAGES:
        return chosen.value
    wanted = [part.partition(";")[0].strip().partition("-")[0] for part in accepted.split(",")]
    return negotiate_locale([each for each in wanted if each], LANGUAGES) or "en"


@lru_cache
def _catalogue(language: str) -> Catalog:
    path = _LOCALE / f"{language}.po"
    if language == "en" or not path.exists():
        return Catalog()
    with path.open("rb") as file:
        return read_po(file, locale=language)


@lru_cache
def _texts(language: str) -> dict[str, str]:
    found = ((each.id, each.string) for each in _catalogue(language) if each.id)
    return {one: said for one, said in found if isinstance(one, str) and isinstance(said, str) and said}


@lru_cache
def _plurals(language: str) -> dict[tuple[str, str], tuple[str, ...]]:
    found = ((each.id, each.string) for each in _catalogue(language) if isinstance(each.id, list | tuple))
    return {(ids[0], ids[1]): tuple(said) for ids, said in found if isinstance(said, list | tuple) and all(said)}


@lru_cache
def _form_of(language: str, count: int) -> int:
    rule: PluralRule = Locale.parse(language).plural_form
    return 0 if rule(count) == "one" else 1


@lru_cache
def _sentences(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences with holes, the ones with most words of their own first, so that none is taken for a looser one."""
    holed = [(text, said) for text, said in _texts(language).items() if _HOLE.search(text)]
    holed.sort(key=lambda pair: len(_HOLE.sub("", pair[0])), reverse=True)
    return tuple((_compile(text), said) for text, said in holed)


def _compile(text: str) -> re.Pattern[str]:
    pattern, position = "", 0
    for hole in _HOLE.finditer(text):
        pattern += re.escape(text[position : hole.start()]) + f"(?P<v{hole[2]}>.*?)"
        position = hole.end()
    return re.compile(pattern + re.escape(text[position:]), re.DOTALL)
