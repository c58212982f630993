"""What the source leaves open or contradicts, as questions for an officer. Nothing is answered here.

Each question shows the sentence it is about. Blocking ones stop approval until they are answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from pregon.items.dates import FoundDate
from pregon.items.offices import find_office_holder
from pregon.items.structure import Passage
from pregon.items.texts import clean_inline, fold, sentence_around, shorten
from pregon.types import Call, Deadline, Event, Kind, Link, Question, Span

# Words that a source is known to write for another, which a quotation would carry on with the sense inverted.
_SUSPECT = (
    (re.compile(r"\bun outil pour (éteindre)\b|\bpour (éteindre) (?:un|le|les|des|l['’´]) ?(?:développement|objectif|but|cible)", re.IGNORECASE), "atteindre"),
    (re.compile(r"\b(?:in order to|tool to|to) (extinguish) (?:a |the )?(?:sustainable|goal|target|development)", re.IGNORECASE), "achieve"),
    (re.compile(r"\b(pubic) (?:services?|sector|space|policy|policies|administration|transport)", re.IGNORECASE), "public"),
)  # fmt: skip
_TERM = timedelta(days=366)
_MOJIBAKE = re.compile(r"Ã[\u0080-\u00bf©¨ªº´§±³]|â€[™œ\u009d“”¦\u0093\u0094]|Â[«»°º¿¡\u00a0]|\ufffd")


def ask_about_links(text: str, links: Iterable[Link]) -> Iterator[Question]:
    """A link that leads nowhere (blocking)."""
    for link in links:
        if link.problem == "placeholder":
            yield Question(
                "link.placeholder",
                f"The link “{link.text or link.url}” leads nowhere: give its address, or “-” to leave it as plain text. "
                f"Source: “{_sentence(text, link.span)}”",
                link.span,
                blocking=True,
            )


def ask_about_calls(text: str, calls: Iterable[Call]) -> Iterator[Question]:
    """A call without a deadline."""
    for call in calls:
        if call.deadline is None:
            yield Question(
                "deadline.missing",
                "The source gives no deadline for this call: which day is it, with its year, or “-” for none? "
                f"Source: “{shorten(call.text, 240)}”",
                call.span,
            )


def ask_about_embargo(text: str, moment: str | None, said: tuple[str | None, Span] | None) -> Iterator[Question]:
    """An embargo without a day (blocking)."""
    if said is not None and moment is None:
        message = "The source is under embargo and does not say until when: when may it go out? Source: “{}”"
        yield Question("embargo.undated", message.format(_sentence(text, said[1])), said[1], blocking=True)


def ask_about_deadlines(text: str, deadlines: Iterable[Deadline], today: date | None) -> Iterator[Question]:
    """A deadline that has passed (blocking). Without `today` nothing is asked."""
    for deadline in deadlines:
        if today is not None and deadline.date < today:
            yield Question(
                "deadline.past",
                f"The deadline {deadline.date.isoformat()} has passed: is it still right? Source: “{deadline.text}”",
                deadline.span,
                blocking=True,
            )


def ask_about_age(text: str, reference: date | None, today: date | None) -> Iterator[Question]:
    """Who holds an office, by a text without a date or of more than a year ago. Without `today` nothing is asked."""
    if today is None or (reference is not None and today - reference <= _TERM):
        return
    place = find_office_holder(text)
    if place is not None:
        message = "This text has no date and names somebody with an office: do they still hold it?"
        if reference:
            message = f"This text of {reference.isoformat()} names somebody with an office: do they still hold it?"
        yield Question("item.old", f"{message} Source: “{_sentence(text, place)}”", place)


def ask_about_dates(
    text: str, dates: Iterable[FoundDate], title: str | None, title_span: Span | None,
    deadlines: Sequence[Deadline], events: Sequence[Event], reference: date | None,
) -> Iterator[Question]:  # fmt: skip
    """Dates that cannot be, that can be read two ways, or that disagree with one another (blocking)."""
    known = list(dates)
    for one in known:
        yield from _ask_about_one(text, one)
    yield from _ask_about_title(text, known, title_span, reference)
    if len(deadlines) > 1 and (pair := _rival_deadlines(deadlines)):
        yield _conflict(text, "deadlines", pair[0].date, pair[1].date, pair[1].span)
    for event in events:
        late = [one for one in deadlines if one.date > _day(event.start)]
        if late and len(events) == 1:
            yield Question(
                "date.conflict",
                f"The deadline {late[0].date} is after the meeting on {event.start[:10]}: which is right? "
                f"Source: “{late[0].text}”",
                late[0].span,
                blocking=True,
            )


def _ask_about_one(text: str, one: FoundDate) -> Iterator[Question]:
    written = " ".join(text[slice(*one.span)].split())
    if one.problem is None and not one.contradicts_weekday():
        return
    sentence = _sentence(text, one.span)
    if one.problem == "impossible":
        yield Question("date.impossible", f"There is no day “{written}”. Source: “{sentence}”", one.span, blocking=True)
    elif one.problem == "ambiguous":
        message = f"“{written}” can be day/month or month/day: which is meant? Source: “{sentence}”"
        yield Question("date.ambiguous", message, one.span, blocking=True)
    else:
        message = f"“{written}” is not on the weekday written beside it: which is right? Source: “{sentence}”"
        yield Question("date.conflict", message, one.span, blocking=True)


def _ask_about_title(
    text: str, dates: Sequence[FoundDate], title_span: Span | None, reference: date | None
) -> Iterator[Question]:
    """The day in the headline against the days of the same month in the text: one of them must agree."""
    if title_span is None:
        return
    in_title = [one for one in dates if title_span[0] <= one.span[0] < title_span[1]]
    elsewhere = [one for one in dates if one.span[0] >= title_span[1]]
    for one in in_title:
        same_month = [other for other in elsewhere if other.month == one.month and _same_year(one, other)]
        if same_month and not any(other.day == one.day for other in same_month):
            other = same_month[0]
            first = " ".join(text[slice(*one.span)].split())
            second = " ".join(text[slice(*other.span)].split())
            yield Question(
                "date.conflict",
                f"The title says “{first}” and the text “{second}”: which is right? Source: “{_sentence(text, other.span)}”",
                other.span,
                blocking=True,
            )


def _same_year(one: FoundDate, other: FoundDate) -> bool:
    return one.year is None or other.year is None or one.year == other.year


_TOPICS = (
    r"regist|inscri",
    r"submi|soum|envi|propos|candid|appl|postul",
    r"survey|questionnaire|enquete|encuesta",
    r"early|tarif|discount|descuento",
)


def _rival_deadlines(deadlines: Sequence[Deadline]) -> tuple[Deadline, Deadline] | None:
    """Two deadlines with the same topic: sentences that ask for the same thing by different days."""
    for index, first in enumerate(deadlines):
        for second in deadlines[index + 1 :]:
            if first.date != second.date and _share_topic(first.text, second.text):
                return (first, second)
    return None


def _share_topic(first: str, second: str) -> bool:
    """Whether two deadlines are about one thing; a bare "Deadline: ..." is about whatever the other is."""
    one, other = _topics(first), _topics(second)
    return not one or not other or bool(one & other)


def _topics(text: str) -> set[str]:
    return {topic for topic in _TOPICS if re.search(topic, fold(text))}


def _conflict(text: str, what: str, first: date, second: date, span: Span) -> Question:
    message = f"The source gives two {what}, {first.isoformat()} and {second.isoformat()}: which is right?"
    return Question("date.conflict", f"{message} Source: “{_sentence(text, span)}”", span, blocking=True)


def ask_about_words(text: str) -> Iterator[Question]:
    """Words known to stand for others in sources, and text whose encoding went wrong (blocking)."""
    for pattern, meant in _SUSPECT:
        for found in pattern.finditer(text):
            word = next(group for group in found.groups() if group)
            span = found.span(found.lastindex or 0)
            message = f"The source says “{word}”, probably for “{meant}”: do not quote it as it is."
            yield Question("quote.suspect-word", f"{message} Source: “{_sentence(text, span)}”", span)
    broken = _MOJIBAKE.search(text)
    if broken:
        message = f"Letters of this text came out wrong (“{shorten(_sentence(text, broken.span()), 120)}”): save it as UTF-8 and add it again."
        yield Question("text.mojibake", message, broken.span(), blocking=True)


def ask_about_reading(
    text: str, *, kind: Kind, rival: Kind | None, number: int | None, header_span: Span, minor_language: str | None,
    language: str | None, body: Sequence[Passage],
) -> Iterator[Question]:  # fmt: skip
    """What kind it is, which number it has, which language it is in."""
    if rival is not None:
        yield Question("kind.unsure", f"This reads as {kind} and as {rival}: which is it?", header_span)
    if kind is Kind.CIRCULAR and number is None:
        yield Question("number.missing", "This circular has no number: does it have one?", header_span)
    if language is None:
        yield Question(
            "language.unknown", "The language of this text cannot be told: which is it?", header_span, blocking=True
        )
    if minor_language is not None:
        span = body[0].span if body else header_span
        message = f"Part of this text is in another language ({minor_language}, the rest is {language}): is that meant?"
        yield Question("language.mixed", message, span)


def _sentence(text: str, span: Span) -> str:
    return shorten(clean_inline(text[slice(*sentence_around(text, span))]), 240)


def _day(moment: str) -> date:
    return date.fromisoformat(moment[:10])
