"""Names of people, cities and bodies in a draft that neither the source nor the configuration has.

A name is a word with a capital that no sentence begins with, or several, with the small words between them that names
have. It is only pointed out: an officer may well know somebody whom the source does not name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pregon.drafts.context import DraftContext
from pregon.drafts.shown import visible_texts
from pregon.drafts.tokens import TOKENS
from pregon.drafts.words import name_language
from pregon.types import Content, Item

_WORD = r"[^\W\d_a-zß-öø-ÿ][\w’'-]*\w"
_SMALL = (
    r"(?:(?:de|del|de la|de las|de los|du|des|de l[’']|d[’']|of|of the|for|and|y|et|e|von|van|the|la|le|los|las)\s+)"
)
_NAME = re.compile(rf"{_WORD}(?:\s+{_SMALL}?{_WORD})+")
# One word with a capital that no sentence begins with.
_SINGLE = re.compile(rf"(?<=[a-zß-öø-ÿ,;] ){_WORD}\b(?!\s+{_WORD})")
_URL = re.compile(r"(?:https?://|mailto:)\S+|\S+@\S+")
_MARKS = re.compile(r"[\"“”«»()\[\]]")


def find_untraced_names(content: Content, item: Item, context: DraftContext) -> tuple[str, ...]:
    """The names, each once, in order. Capitals and spacing aside they must stand somewhere in what is known."""
    known = _fold(" ".join(_list_known(item, context, content.language or "")))
    found: dict[str, None] = {}
    for text in visible_texts(content):
        for name in _list_names(text):
            if _fold(name) not in known and not _is_composed(name, known):
                found.setdefault(" ".join(name.split()))
    return tuple(found)


def _list_names(text: str) -> Iterator[str]:
    text = _URL.sub(" ", text)
    for token in TOKENS:
        text = text.replace(token, " ")
    for line in _MARKS.sub("\n", text).split("\n"):
        yield from (match.group() for match in _NAME.finditer(line))
        yield from (match.group() for match in _SINGLE.finditer(_NAME.sub("", line)))


def _is_composed(name: str, known: str) -> bool:
    """Whether each word stands in what is known: "Circular 12 · Quays" begins with a label of ours, and goes on."""
    return all(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", known) for word in _fold(name).split())


def _list_known(item: Item, context: DraftContext, language: str) -> Iterator[str]:
    yield item.text
    yield item.title or ""
    for other in (*context.siblings, *([context.previous] if context.previous else [])):
        yield other.text
    network = context.network
    for texts in (network.name, network.short_name, network.chair, network.about):
        yield from texts.values()
    yield from (network.sender.name, network.postal_address, *network.former_names)
    yield from (partner.name for partner in network.partners)
    yield context.templates.get(f"words.{language}.yaml", "")
    codes = {*network.languages, *([item.language] if item.language else [])}
    yield from (name_language(code, spoken) for code in codes for spoken in network.languages)
    # A month or a weekday begins with a capital in English wherever it stands.
    yield from _DAYS


def _fold(text: str) -> str:
    return " ".join(re.sub(r"[^\w]+", " ", text.replace("’", "'")).casefold().split())


_DAYS: Iterable[str] = (
    "January February March April May June July August September October November December Monday Tuesday Wednesday "
    "Thursday Friday Saturday Sunday",
)
