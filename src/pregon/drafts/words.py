"""The chrome of a language (`words.<lang>.yaml`), its typography, and how it writes dates.

Words frame the source's sentences; they state no fact about an item.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import yaml
from babel import Locale
from babel.dates import format_date, format_skeleton, format_time

from pregon.errors import RenderError

_LOCALES = {"en": "en_GB"}
_NO_BREAK = "\u00a0"
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


@dataclass(frozen=True)
class Words:
    """The chrome of one language. `text` looks a phrase up by its dotted key and fills it in."""

    language: str
    phrases: Mapping[str, Any]

    def text(self, key: str, **values: object) -> str:
        """The phrase, typeset for the language. Raises RenderError when the words file does not have it."""
        phrase = self.find(key)
        if phrase is None:
            raise RenderError(f"words.{self.language}.yaml has no text for {key}; add it")
        return set_type(phrase.format(**values), self.language)

    def find(self, key: str) -> str | None:
        """The phrase as the file has it, or None."""
        value: Any = self.phrases
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else None

    def name_language(self, code: str) -> str:
        """How this language calls the language of `code`: `francés`; the code itself when it has no name for it."""
        return name_language(code, self.language)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, for the `dir` attribute."""
        return "rtl" if self.language in _RIGHT_TO_LEFT else "ltr"


def name_language(code: str, spoken: str) -> str:
    """How the language `spoken` calls the language of `code`; the code itself when it has no name for it."""
    return str(_locale(spoken).languages.get(code, code))


def read_words(templates: Mapping[str, str], language: str) -> Words:
    """The words of a language. Raises RenderError when there is no such file or it is not readable YAML."""
    source = templates.get(f"words.{language}.yaml")
    if source is None:
        raise RenderError(f"templates/words.{language}.yaml is missing; write it, or drop {language} from languages")
    return Words(language, _parse(source, language))


@lru_cache(maxsize=32)
def _parse(source: str, language: str) -> Mapping[str, Any]:
    try:
        value = yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise RenderError(f"templates/words.{language}.yaml is not readable YAML") from error
    if not isinstance(value, dict):
        raise RenderError(f"templates/words.{language}.yaml must hold keys and texts")
    return value


def set_type(text: str, language: str, *, adding: bool = True) -> str:
    """French: a no-break space before ; : ! ? and inside « », as its printers set it. Others: unchanged.

    `adding` False only makes existing spaces unbreakable: what we do to a source's own sentences. A space is added
    only between a word and a sign that a space or the end follows, so times and addresses stay whole.
    """
    if language != "fr":
        return text
    text = re.sub(r"(?<=\S)[ \u00a0\u202f]+(?=[:;!?»])", _NO_BREAK, text)
    text = re.sub(r"«[ \u00a0\u202f]+(?=\S)", f"«{_NO_BREAK}", text)
    if not adding:
        return text
    text = re.sub(r"«(?=[^\s])", f"«{_NO_BREAK}", text)
    text = re.sub(r"(?<=[^\s])»", f"{_NO_BREAK}»", text)
    return re.sub(r"(?<=[\w)\]%»])(?=[:;!?]+(?:\s|$))", _NO_BREAK, text)


def write_date(value: date, language: str) -> str:
    """`25 June 2018`, `25 juin 2018`, `25 de junio de 2018`; French has its `1er`."""
    written = format_date(value, format="long", locale=_locale(language))
    return re.sub(r"^1 ", "1er ", written) if language == "fr" else written


def write_range(first: date, last: date, language: str) -> str:
    """`8–10 May 2031`: what two days share is said once."""
    locale = _locale(language)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{write_date(last, language)}"
    begin = format_skeleton("MMMMd", first, locale=locale) if first.year == last.year else write_date(first, language)
    return f"{begin} – {write_date(last, language)}"


def write_time(value: datetime, language: str) -> str:
    """The time of day as the value's own zone has it: `14:30`."""
    return format_time(value.timetz(), format="HH:mm", locale=_locale(language))


def _locale(language: str) -> Locale:
    return Locale.parse(_LOCALES.get(language, language))
