"""A document into an item. Puts together what the other modules find; a value that is not stated stays None."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from pregon.items import calls, details, embargo, events, kinds, language, questions
from pregon.items.dates import FoundDate, find_dates
from pregon.items.links import Found, find_links, find_videos
from pregon.items.numbers import Header, read_header
from pregon.items.structure import Layout, Passage, build_sections, read_layout
from pregon.types import Call, Deadline, Document, Event, Item, Kind, Practice, Question, Section, Span, Study, Video

if TYPE_CHECKING:  # settings bring pydantic along, which reading needs for nothing else
    from pregon.settings import Network

# Facts are looked for in this many characters; a longer document is a report, and an officer is told.
READ_CHARS = 150_000


@dataclass(frozen=True, slots=True)
class _Reading:
    """What has been found so far, on the way to an item."""

    text: str
    language: str | None
    layout: Layout
    header: Header
    dates: Sequence[FoundDate]
    found: Found
    videos: tuple[Video, ...]
    deadlines: tuple[Deadline, ...]
    calls: tuple[Call, ...]
    events: tuple[Event, ...]
    reference: date | None
    embargo: tuple[str | None, Span] | None


def read_item(
    document: Document, *, network: Network | None = None, today: date | None = None, kind: Kind | None = None
) -> Item:
    """Read `document` into an item.

    `network` names superseded hosts; `today` lets passed deadlines and offices held long ago be asked about; `kind`, from a source's
    configuration, is taken instead of judging. Spans of the item index `document.text`.
    """
    reading = _read(document, network)
    practice = details.read_practice(reading.layout.body, reading.layout.sections)
    study = details.read_study(reading.text[:60_000], reading.header.title, reading.found.links)
    judged, rival = (kind, None) if kind else _judge(reading, practice, study)
    header = reading.header
    item = Item(
        kind=judged,
        language=reading.language,
        title=header.title,
        text=document.text,
        series=header.series,
        number=header.number,
        year=header.year,
        date=header.date,
        place=header.place,
        issuer=header.issuer,
        on_behalf_of=header.on_behalf_of,
        salutation=_salutation(reading.layout),
        sections=_without_title(reading.layout, header),
        calls=reading.calls,
        events=reading.events,
        deadlines=reading.deadlines,
        contacts=tuple(address for address, _ in reading.found.contacts),
        handles=tuple(handle for handle, _ in reading.found.handles),
        links=reading.found.links,
        videos=reading.videos,
        practice=practice if judged is Kind.PRACTICE else None,
        study=study if judged is Kind.STUDY else None,
        spans=dict(header.spans),
        canonical_url=document.canonical_url,
        alternates=document.alternates,
        embargo=reading.embargo[0] if reading.embargo else None,
    )
    return replace(item, questions=_ask(reading, document, item, rival, today))


def _read(document: Document, network: Network | None) -> _Reading:
    text = document.text[:READ_CHARS]
    layout = read_layout(text)
    spoken = language.detect_main_language(_paragraphs(layout), _prose(text))
    dates = find_dates(text, spoken)
    header = read_header(layout, dates, document.title)
    found = find_links(document, text, network.legacy_hosts if network else None)
    published = document.published_at.date() if document.published_at else None
    reference = header.date or published
    own = header.spans.get("date")
    others = [one for one in dates if one.span != own]
    deadlines = calls.find_deadlines(text, others, reference)
    asked = calls.find_calls(text, group_passages(layout.body), deadlines, found.contacts)
    spans = [deadline.span for deadline in deadlines]
    meetings = events.find_events(text, others, spans, header.title, reference)
    return _Reading(
        text, spoken, layout, header, dates, found, find_videos(found.links), deadlines, asked, meetings, reference,
        embargo.find_embargo(text, dates, reference),
    )  # fmt: skip


def group_passages(body: Sequence[Passage]) -> list[list[Passage]]:
    """The passages under each heading, the heading first."""
    groups: list[list[Passage]] = [[]]
    for passage in body:
        if passage.type == "heading" and groups[-1]:
            groups.append([])
        groups[-1].append(passage)
    return [group for group in groups if group]


def _paragraphs(layout: Layout) -> list[str]:
    return [passage.text for passage in layout.body[:200] if passage.type != "heading"]


def _prose(text: str) -> str:
    """The longer lines first: headers and signatures are short and full of names."""
    lines = [line for line in text[:30_000].split("\n") if len(line) >= 60]
    return "\n".join(lines) if sum(map(len, lines)) >= 200 else text


def _judge(reading: _Reading, practice: Practice, study: Study) -> tuple[Kind, Kind | None]:
    body = reading.layout.body
    lead = " ".join(passage.text for passage in body[:4])
    return kinds.judge_kind(
        reading.header.title,
        lead[:1500],
        numbered=reading.header.number is not None,
        letter=reading.layout.salutation is not None and reading.layout.closing is not None,
        practice_fields=details.count_fields(practice),
        events=len(reading.events),
        videos=len(reading.videos),
        downloads=len(study.downloads),
        length=len(reading.text),
    )


def _salutation(layout: Layout) -> str | None:
    return layout.salutation.text.strip("*_ ").rstrip(",:;. ") if layout.salutation else None


def _without_title(layout: Layout, header: Header) -> tuple[Section, ...]:
    """The sections without the passages that are already the title, number or date line of the item."""
    taken = {header.spans[key][0] for key in ("title", "number", "date", "series") if key in header.spans}
    body = [passage for passage in layout.body if not _is_taken(passage, taken)]
    return build_sections(tuple(body))


def _is_taken(passage: Passage, taken: set[int]) -> bool:
    return (
        len(passage.lines) == 1
        and any(passage.span[0] <= start < passage.span[1] for start in taken)
        and len(passage.text) < 300
    )


def _ask(
    reading: _Reading, document: Document, item: Item, rival: Kind | None, today: date | None
) -> tuple[Question, ...]:
    return tuple(sorted(_all_questions(reading, document, item, rival, today), key=lambda one: (one.span, one.id)))


def _all_questions(
    reading: _Reading, document: Document, item: Item, rival: Kind | None, today: date | None
) -> Iterator[Question]:
    text, layout = reading.text, reading.layout
    start = item.spans.get("title", (0, min(len(text), 80)))
    yield from questions.ask_about_links(text, item.links)
    yield from questions.ask_about_calls(text, item.calls)
    yield from questions.ask_about_deadlines(text, item.deadlines, today)
    yield from questions.ask_about_age(text, reading.reference, today)
    yield from questions.ask_about_dates(
        text, reading.dates, item.title, item.spans.get("title"), item.deadlines, item.events, reading.reference
    )
    yield from questions.ask_about_embargo(text, item.embargo, reading.embargo)
    yield from questions.ask_about_words(text)
    yield from questions.ask_about_reading(
        text,
        kind=item.kind,
        rival=rival,
        number=item.number,
        header_span=start,
        minor_language=language.find_minor_language(_paragraphs(layout), item.language),
        language=item.language,
        body=layout.body,
    )
    if len(document.text) > READ_CHARS:
        message = f"The text has {len(document.text):,} characters; facts were looked for in the first {READ_CHARS:,}."
        yield Question("text.long", message, (READ_CHARS, len(document.text)))
