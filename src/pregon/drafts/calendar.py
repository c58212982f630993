"""The events and deadlines of an item as an iCalendar file that a mail can carry.

Source: RFC 5545. An event keeps its UID for life; a change raises SEQUENCE, and a cancelled one says so. Hours have a
zone only when the source states one; else they float, which a calendar shows as they stand. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from pregon.drafts.facts import list_deadlines, read_moment
from pregon.types import Event, Item

_LINE_OCTETS = 75
_PRODUCT = "-//pregon//newsletter//EN"
_ALARM_DAYS = 3


def render_calendar(
    item: Item, *, campaign: str, host: str, deadline_label: str, sequence: int = 0, cancelled: bool = False
) -> str:
    """The item's events, and its deadlines as days of their own with an alarm; "" when it has neither event.

    `campaign` and `host` name the events for life; `deadline_label` is the word before a deadline's title. Without a
    date of the item the first event's day stands in for the time stamp, so that the same item gives the same bytes.
    """
    if not item.events:
        return ""
    stamp = (item.date or _day(read_moment(item.events[0].start))).strftime("%Y%m%dT000000Z")
    state = [f"DTSTAMP:{stamp}", f"SEQUENCE:{sequence}", f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}"]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_PRODUCT}", "METHOD:PUBLISH", "CALSCALE:GREGORIAN"]
    lines += [line for offset in _list_offsets(item.events) for line in _write_zone(offset)]
    for number, event in enumerate(item.events, 1):
        lines += ["BEGIN:VEVENT", f"UID:{campaign}-{number}@{host}", *state, *_write_event(event, item), "END:VEVENT"]
    for number, day in enumerate(list_deadlines(item), 1):
        title = f"{deadline_label}: {item.title or ''}"
        uid = f"UID:{campaign}-deadline-{number}@{host}"
        lines += ["BEGIN:VEVENT", uid, *state, *_write_deadline(day, title), "END:VEVENT"]
    return "".join(f"{_fold(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _write_event(event: Event, item: Item) -> Iterator[str]:
    start = read_moment(event.start)
    yield _write_moment("DTSTART", start)
    if event.end:
        end = read_moment(event.end)
        # The end of a whole day is the day after it (RFC 5545, 3.6.1).
        yield _write_moment("DTEND", end if isinstance(end, datetime) else end + timedelta(days=1))
    yield f"SUMMARY:{_escape(event.title)}"
    if event.place:
        yield f"LOCATION:{_escape(event.place)}"
    if item.canonical_url:
        yield f"URL:{item.canonical_url}"


def _write_deadline(day: date, title: str) -> Iterator[str]:
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield "TRANSP:TRANSPARENT"
    yield f"SUMMARY:{_escape(title)}"
    yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:-P{_ALARM_DAYS}D")
    yield from (f"DESCRIPTION:{_escape(title)}", "END:VALARM")


def _write_moment(name: str, value: date | datetime) -> str:
    if not isinstance(value, datetime):
        return f"{name};VALUE=DATE:{value:%Y%m%d}"
    offset = value.utcoffset()
    zone = "" if offset is None else f";TZID={_name_zone(offset)}"
    return f"{name}{zone}:{value:%Y%m%dT%H%M%S}"


def _list_offsets(events: Sequence[Event]) -> tuple[timedelta, ...]:
    moments = [read_moment(text) for event in events for text in (event.start, event.end) if text]
    offsets = [moment.utcoffset() for moment in moments if isinstance(moment, datetime)]
    return tuple(dict.fromkeys(offset for offset in offsets if offset is not None))


def _write_zone(offset: timedelta) -> Iterator[str]:
    """A zone of one fixed offset: the source states an offset, not a place's rules of summer time."""
    yield from ("BEGIN:VTIMEZONE", f"TZID:{_name_zone(offset)}", "BEGIN:STANDARD", "DTSTART:19700101T000000")
    yield from (f"TZOFFSETFROM:{_write_offset(offset)}", f"TZOFFSETTO:{_write_offset(offset)}")
    yield from ("END:STANDARD", "END:VTIMEZONE")


def _name_zone(offset: timedelta) -> str:
    written = _write_offset(offset)
    return f"UTC{written[:3]}-{written[3:]}"


def _write_offset(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _escape(text: str) -> str:
    text = " ".join(text.split())
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _fold(line: str) -> str:
    """The line in pieces of at most 75 octets, never cut inside a character."""
    pieces, room = [""], _LINE_OCTETS
    for character in line:
        size = len(character.encode())
        if size > room:
            pieces.append("")
            room = _LINE_OCTETS - 1  # the blank that begins a continuation counts
        pieces[-1] += character
        room -= size
    return "\r\n ".join(pieces)
