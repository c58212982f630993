"""An item's facts as (label, value) pairs: what a hurried reader looks for. Only what the source states.

In the source's language its own "Label: value" lines come first, as it wrote them; the rest is read from the item.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from pregon.drafts.layout import LabelledLine, find_labelled_lines, tidy
from pregon.drafts.words import Words, write_date, write_range, write_time
from pregon.types import Event, Item

Fact = tuple[str, str]


def list_facts(item: Item, words: Words) -> tuple[Fact, ...]:
    """The facts in reading order: the source's own lines, when and where, until when, what the kind states of itself."""
    is_source = not item.language or words.language == item.language
    lines = find_labelled_lines(item) if is_source else ()
    stated = [(line.label, tidy(line.value, words.language)) for line in lines]
    values = " · ".join(value for _, value in stated).casefold()
    read = [fact for fact in _read_facts(item, words, lines) if fact[1].casefold() not in values]
    return tuple(dict.fromkeys([*stated, *read]))


def write_moment(event: Event, language: str) -> str:
    """When a meeting is: its date, its hours where stated, and the zone's offset where stated."""
    start, end = read_moment(event.start), read_moment(event.end) if event.end else None
    day = write_date(start, language)
    last = end.date() if isinstance(end, datetime) else end
    first = start.date() if isinstance(start, datetime) else start
    if last and last != first:
        return write_range(first, last, language)
    if not isinstance(start, datetime):
        return day
    hours = write_time(start, language)
    if isinstance(end, datetime):
        hours = f"{hours}–{write_time(end, language)}"
    return f"{day}, {hours}{_write_offset(start)}"


def read_moment(value: str) -> date | datetime:
    """An event's ISO 8601 text as a date (when it has no hours) or a datetime."""
    return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)


def _read_facts(item: Item, words: Words, lines: tuple[LabelledLine, ...]) -> Iterator[Fact]:
    for event in item.events:
        # An event whose line stands among the facts already says when in the source's own words.
        if not any(line.span[0] <= event.span[0] < line.span[1] for line in lines):
            yield words.text("facts.when"), write_moment(event, words.language)
        if event.place:
            yield words.text("facts.where"), event.place
        elif event.online and not lines:
            yield words.text("facts.where"), words.text("facts.online")
    for value in list_deadlines(item):
        yield words.text("facts.deadline"), write_date(value, words.language)
    for call in item.calls:
        if call.capacity is not None:
            yield words.text("facts.places"), str(call.capacity)
    yield from _practice_facts(item, words)
    yield from _study_facts(item, words)


def list_deadlines(item: Item) -> tuple[date, ...]:
    """The days by which the item asks for something, each once."""
    dates = [call.deadline for call in item.calls if call.deadline] + [deadline.date for deadline in item.deadlines]
    return tuple(dict.fromkeys(dates))


def _practice_facts(item: Item, words: Words) -> Iterator[Fact]:
    for key in ("city", "country", "axis", "contact"):
        value = getattr(item.practice, key, None)
        if value:
            yield words.text(f"facts.{key}"), str(value)


def _study_facts(item: Item, words: Words) -> Iterator[Fact]:
    for key in ("edition", "cities", "countries"):
        value = getattr(item.study, key, None)
        if value is not None:
            yield words.text(f"facts.{key}"), str(value)
    if item.study and item.study.languages:
        names = [words.name_language(code) for code in item.study.languages]
        yield words.text("facts.languages"), ", ".join(names)


def _write_offset(value: datetime) -> str:
    offset = value.strftime("%z")
    return f" (UTC{offset[:3]}:{offset[3:5]})" if offset else ""
