"""Items beside one another: versions in other languages, what an edit changed, gaps in a series, dates that disagree.

Says what it sees and merges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from pregon.items.identity import fingerprint_item, normalise_url, visible_text
from pregon.items.texts import clean_inline, fold, sentence_spans, shorten
from pregon.types import Item, Kind, Question, Span

_FACTS = ("title", "number", "year", "date", "place", "issuer", "on_behalf_of")
_YEAR = re.compile(r"(?<![\d/.-])((?:19|20)\d\d)(?![\d/-])")
_WORD = re.compile(r"[^\W\d_]{5,}")
# Verbs and nouns of decisions, one group a meaning: two sentences that share two of them tell of the same step.
_STEPS = {
    "approve": r"approuv|approved|approv|aprob|decid|decis|adopt|ratif",
    "change": r"chang|modif|renam|rebaptis|denomination|denominac|orientation|orientac|converti|conversion|transform",
    "create": r"cre[eé]|creat|fond[eé]|founded|fundad|constitu|etabli|establish",
    "elect": r"elu[es]?\b|elected|elegid|nomm[eé]|appointed|presid",
}
_STEP_PATTERNS = {name: re.compile(rf"\b(?:{pattern})") for name, pattern in _STEPS.items()}


def are_versions(first: Item, second: Item) -> bool:
    """Whether two items are one announcement in two languages.

    Either one names the other as its version (hreflang), or both are circulars with one number, one year and dates at
    most a week apart.
    """
    if first.language == second.language or first.kind is not second.kind:
        return False
    if _names(first, second) or _names(second, first):
        return True
    numbered = first.kind is Kind.CIRCULAR and first.number is not None
    same = (first.number, first.year) == (second.number, second.year)
    return numbered and same and _are_near(first, second)


def _names(first: Item, second: Item) -> bool:
    own = normalise_url(second.canonical_url or "")
    return own is not None and own in {normalise_url(address) for _, address in first.alternates}


def _are_near(first: Item, second: Item) -> bool:
    return first.date is None or second.date is None or abs(first.date - second.date) <= timedelta(days=7)


def is_edit_of(before: Item, after: Item) -> bool:
    """Whether `after` reads as `before` with changes: same kind and language, and the title or most of the words kept."""
    if (before.kind, before.language) != (after.kind, after.language):
        return False
    if before.title and fold(before.title) == fold(after.title or ""):
        return True
    old, new = (set(_WORD.findall(fold(visible_text(item)))) for item in (before, after))
    return len(old & new) >= 0.6 * max(1, len(old | new))


def find_series_gaps(numbers: Iterable[int]) -> tuple[int, ...]:
    """The numbers missing between the lowest and the highest of a series; at most a hundred are told."""
    seen = sorted(set(numbers))
    missing: list[int] = []
    for low, high in pairwise(seen):
        missing += range(low + 1, min(high, low + 101))
    return tuple(missing[:100])


def describe_changes(before: Item, after: Item) -> tuple[str, ...]:
    """What a reader would notice between two versions of an item, one sentence each; empty when nothing."""
    if fingerprint_item(before) == fingerprint_item(after):
        return ()
    changes = [
        f"{name.replace('_', ' ')}: {_show(getattr(before, name))} became {_show(getattr(after, name))}"
        for name in _FACTS
        if getattr(before, name) != getattr(after, name)
    ]
    changes += _changed_sets("deadline", _deadlines(before), _deadlines(after))
    changes += _changed_sets("meeting", _meetings(before), _meetings(after))
    changes += _changed_sets("link", _links(before), _links(after))
    changes += _changed_sets("passage", _passages(before), _passages(after))
    return tuple(changes) or ("the text changed",)


def _show(value: object) -> str:
    return "nothing" if value is None else f"“{value}”"


def _deadlines(item: Item) -> list[str]:
    return [one.date.isoformat() for one in item.deadlines]


def _meetings(item: Item) -> list[str]:
    return [" ".join(filter(None, (one.start, one.end, one.place))) for one in item.events]


def _links(item: Item) -> list[str]:
    return [normalise_url(one.url) or one.url for one in item.links]


def _passages(item: Item) -> list[str]:
    return [shorten(line, 120) for line in visible_text(item).split("\n")]


def _changed_sets(what: str, before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    yield from (f"{what} gone: “{one}”" for one in dict.fromkeys(before) if one not in after)
    yield from (f"{what} new: “{one}”" for one in dict.fromkeys(after) if one not in before)


def ask_across_languages(item: Item, siblings: Iterable[Item]) -> tuple[Question, ...]:
    """Blocking questions where `item` and its version in another language state different days or places to fill.

    Compared are deadlines, the days of meetings and the number of places, where both versions state one. Which is
    right is not judged; the spans are those of `item`.
    """
    asked: dict[tuple[str, Span], Question] = {}
    for sibling in siblings:
        for what, own, their in _key_facts(item, sibling):
            values = {value for value, _ in own}
            if values and their and values != their:
                span = next((span for value, span in own if value not in their), own[0][1])
                message = (
                    f"This text says {_list(values)} ({what}) and its version in “{sibling.language}” says "
                    f"{_list(their)}: which is right?"
                )
                asked.setdefault((what, span), Question("versions.differ", message, span, blocking=True))
    return tuple(asked.values())


def _key_facts(item: Item, sibling: Item) -> Iterator[tuple[str, list[tuple[str, Span]], set[str]]]:
    yield (
        "deadline",
        [(one.date.isoformat(), one.span) for one in item.deadlines],
        {one.date.isoformat() for one in sibling.deadlines},
    )
    yield (
        "meeting",
        [(one.start[:10], one.span) for one in item.events],
        {one.start[:10] for one in sibling.events},
    )
    yield (
        "places",
        [(str(one.capacity), one.span) for one in item.calls if one.capacity],
        {str(one.capacity) for one in sibling.calls if one.capacity},
    )


def _list(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


@dataclass(frozen=True, slots=True)
class _Step:
    """A sentence that dates a decision: its years, what was done, and about what."""

    span: Span
    text: str
    years: frozenset[str]
    steps: frozenset[str]
    words: frozenset[str]


def ask_across_documents(item: Item, others: Iterable[Item]) -> tuple[Question, ...]:
    """Questions where `item` and another document date the same decision to different years.

    Two passages tell of one decision when both approve something, share another kind of step (change, create...) and
    three long words, and neither document knows the other's year. Which is right is not judged; the spans are those
    of `item`.
    """
    own = list(_steps(item))
    asked: dict[Span, Question] = {}
    for other in others:
        theirs = list(_steps(other)) if other.language == item.language else []
        for mine, their in ((mine, their) for mine in own for their in theirs):
            known = mine.years & _years(other) or their.years & _years(item)
            if _disagree(mine, their) and not known and mine.span not in asked:
                asked[mine.span] = _question(mine, their, other)
    return tuple(asked.values())


def dates_decisions(item: Item) -> bool:
    """Whether the item says when something was decided, so that comparing it with others can find a disagreement."""
    return any("approve" in step.steps for step in _steps(item))


def _steps(item: Item) -> Iterator[_Step]:
    text = item.text[:60_000]
    spans = sentence_spans(text, 0, len(text))
    for index, (start, end) in enumerate(spans):
        years = frozenset(_YEAR.findall(text[start:end]))
        if not years:
            continue
        # The decision itself often stands in the next sentence ("In 2009 ... . The members then approved ...").
        follow = spans[index + 1][1] if index + 1 < len(spans) else end
        folded = fold(clean_inline(text[start : min(follow, start + 1_500)]))
        steps = frozenset(name for name, pattern in _STEP_PATTERNS.items() if pattern.search(folded))
        if len(steps) >= 2:
            words = frozenset(word[:7] for word in _WORD.findall(folded))
            yield _Step((start, end), clean_inline(text[start:end]), years, steps, words)


def _years(item: Item) -> frozenset[str]:
    return frozenset(_YEAR.findall(item.text[:60_000]))


def _disagree(mine: _Step, their: _Step) -> bool:
    shared = mine.steps & their.steps
    one_decision = "approve" in shared and len(shared) >= 2 and len(mine.words & their.words) >= 3
    return one_decision and not mine.years & their.years


def _question(mine: _Step, their: _Step, other: Item) -> Question:
    first, second = ", ".join(sorted(mine.years)), ", ".join(sorted(their.years))
    message = (
        f"This text says {first} and “{other.title or 'another document'}” says {second} of what may be one decision: "
        f"which is right? Source: “{shorten(mine.text, 200)}” Other: “{shorten(their.text, 200)}”"
    )
    return Question("date.conflict", message, mine.span)
