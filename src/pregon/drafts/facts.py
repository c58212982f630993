"""An item's facts as (label, value) pairs: what a hurried reader looks for. Only what the source states."""

from __future__ import annotations

from datetime import date, datetime

from babel import Locale

from pregon.drafts.words import Words, write_date, write_time
from pregon.types import Event, Item

Fact = tuple[str, str]


def list_facts(item: Item, words: Words) -> tuple[Fact, ...]:
    """The facts in reading order: when and where, until when, then what the kind states of itself."""
    facts = [fact for event in item.events for fact in _event_facts(event, words)]
    facts += _deadline_facts(item, words)
    facts += _capacity_facts(item, words)
    facts += _practice_facts(item, words)
    facts += _study_facts(item, words)
    return tuple(dict.fromkeys(facts))


def write_moment(event: Event, words: Words) -> str:
    """When a meeting is: its date, its hours where stated, and the zone's offset where stated."""
    start, end = read_moment(event.start), read_moment(event.end) if event.end else None
    day = write_date(start, words.language)
    last = end.date() if isinstance(end, datetime) else end
    first = start.date() if isinstance(start, datetime) else start
    if last and last != first:
        return f"{day} – {write_date(last, words.language)}"
    if not isinstance(start, datetime):
        return day
    hours = write_time(start, words.language)
    if isinstance(end, datetime):
        hours = f"{hours}–{write_time(end, words.language)}"
    return f"{day}, {hours}{_write_offset(start)}"


def read_moment(value: str) -> date | datetime:
    """An event's ISO 8601 text as a date (when it has no hours) or a datetime."""
    return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)


def _write_offset(value: datetime) -> str:
    offset = value.strftime("%z")
    return f" (UTC{offset[:3]}:{offset[3:5]})" if offset else ""


def _event_facts(event: Event, words: Words) -> list[Fact]:
    facts = [(words.text("facts.when"), write_moment(event, words))]
    if event.place:
        facts.append((words.text("facts.where"), event.place))
    if event.online:
        facts.append((words.text("facts.online"), words.text("facts.yes")))
    return facts


def _deadline_facts(item: Item, words: Words) -> list[Fact]:
    dates = [call.deadline for call in item.calls if call.deadline] + [deadline.date for deadline in item.deadlines]
    return [(words.text("facts.deadline"), write_date(value, words.language)) for value in dict.fromkeys(dates)]


def _capacity_facts(item: Item, words: Words) -> list[Fact]:
    return [(words.text("facts.places"), str(call.capacity)) for call in item.calls if call.capacity is not None]


def _practice_facts(item: Item, words: Words) -> list[Fact]:
    practice = item.practice
    if practice is None:
        return []
    values = {
        "city": practice.city,
        "country": practice.country,
        "axis": practice.axis,
        "contact": practice.contact,
    }
    return [(words.text(f"facts.{key}"), value) for key, value in values.items() if value]


def _study_facts(item: Item, words: Words) -> list[Fact]:
    study = item.study
    if study is None:
        return []
    names = Locale.parse(words.language).languages
    languages = ", ".join(names.get(code, code) for code in study.languages)
    values = {
        "edition": study.edition,
        "cities": study.cities,
        "countries": study.countries,
        "languages": languages,
    }
    return [(words.text(f"facts.{key}"), str(value)) for key, value in values.items() if value]
