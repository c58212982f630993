"""Choose the sentences of a source that tell most of it. They are the source's own, each with its place; none is cut.

A ranking by plain signs: where a sentence stands, what it shares with the title, that it states a figure, that it
stands on its own feet. It understands nothing and writes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pregon.drafts.layout import find_labelled_lines
from pregon.drafts.sentences import split_sentences
from pregon.types import Item, Span

_SHORT, _LONG = 35, 240
# A sentence that begins with one of these leans on the one before it.
_LEANING = re.compile(
    r"(?:it|they|this|these|that|those|he|she|but|and|also|however|then|there|"
    r"il|elle|ils|elles|ce|cela|ceci|ces|cette|mais|et|aussi|ainsi|puis|or|"
    r"este|esta|estos|estas|eso|esto|ello|pero|y|también|así|luego|ambos)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A sentence of the source, the place of its block, and how much it tells (higher is more)."""

    text: str
    span: Span
    position: int
    score: float


def rank_sentences(item: Item) -> tuple[Ranked, ...]:
    """The item's sentences from the most telling to the least; ties keep the source's order."""
    labelled = {line.span for line in find_labelled_lines(item)}
    blocks = [block for section in item.sections for block in section.blocks if block.span not in labelled]
    title = _words(item.title or "")
    found: list[Ranked] = []
    for number, block in enumerate(block for block in blocks if block.type == "paragraph"):
        for place, sentence in enumerate(split_sentences(block.text)):
            score = _score(sentence, title, number, place)
            found.append(Ranked(sentence, block.span, len(found), score))
    return tuple(sorted(found, key=lambda ranked: (-ranked.score, ranked.position)))


def summarise(item: Item, count: int) -> tuple[str, ...]:
    """The `count` most telling sentences, in the source's order."""
    chosen = sorted(rank_sentences(item)[:count], key=lambda ranked: ranked.position)
    return tuple(ranked.text for ranked in chosen)


def _score(sentence: str, title: frozenset[str], block: int, place: int) -> float:
    score = 3.0 / (1 + block) + 1.0 / (1 + place)
    score += 2.0 * len(_words(sentence) & title) / max(len(title), 1)
    score += 0.5 if re.search(r"\d", sentence) else 0.0
    score -= 2.0 if _LEANING.match(sentence) and place == 0 else 0.0
    score -= 1.0 if _LEANING.match(sentence) and place else 0.0
    score -= 1.5 if not _SHORT <= len(sentence) <= _LONG else 0.0
    return score - (1.0 if sentence.endswith((":", "?")) else 0.0)


def _words(text: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return frozenset(word for word in re.findall(r"[a-z0-9]+", plain) if len(word) > 3)
