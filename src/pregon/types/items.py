"""What a document says, as read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

Span = tuple[int, int]
"""Half-open character offsets `(start, end)` into the document's text."""


class Kind(StrEnum):
    """What sort of announcement an item is."""

    CIRCULAR = "circular"
    PRACTICE = "practice"
    STUDY = "study"
    MEETING = "meeting"
    VIDEO = "video"
    NEWS = "news"


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a source document, and where it came from.

    `text` is what every span points into. For text and Markdown files it is the decoded file itself.
    `links` are addresses that the markup carried and the text does not show: (anchor span, address).
    """

    text: str
    media_type: str
    origin: str
    title: str | None = None
    links: tuple[tuple[Span, str], ...] = ()
    declared_language: str | None = None
    published_at: datetime | None = None
    canonical_url: str | None = None
    alternates: tuple[tuple[str, str], ...] = ()  # (language, address) of its versions in other languages


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, list entry group or quote. `text` is clean (no markup residue); list entries are lines."""

    type: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Section:
    """A heading (None for what comes before the first one) and its blocks."""

    heading: str | None
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """Something readers are asked to do: join, answer, register."""

    text: str
    contact: str | None
    capacity: int | None
    deadline: date | None
    span: Span


@dataclass(frozen=True, slots=True)
class Event:
    """A meeting. `start` and `end` are ISO 8601 with offset when the zone is stated, else local or date only."""

    title: str
    start: str
    end: str | None
    place: str | None
    online: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Deadline:
    """A date by which somebody must act, with the sentence that says so."""

    date: date
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the document. `problem` is placeholder, insecure, legacy or None."""

    text: str
    url: str
    problem: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Question:
    """Something the source does not say or contradicts; an officer answers it. Blocking ones stop approval."""

    id: str
    message: str
    span: Span
    blocking: bool = False


@dataclass(frozen=True, slots=True)
class Practice:
    """What a good practice states of itself; None where it does not."""

    city: str | None = None
    country: str | None = None
    axis: str | None = None
    problem: str | None = None
    solution: str | None = None
    results: str | None = None
    contact: str | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """What a study release states of itself; None where it does not."""

    edition: int | None = None
    languages: tuple[str, ...] = ()
    cities: int | None = None
    countries: int | None = None
    downloads: tuple[tuple[str, str], ...] = ()
    funding_notice: str | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """A video that the document announces (not merely a link to a channel)."""

    video_id: str
    title: str | None
    url: str
    span: Span


@dataclass(frozen=True, slots=True)
class Item:
    """One announcement, read from one document. A value that the document does not state is None, never a guess.

    `embargo` is the moment before which nothing of it may be published, in ISO 8601 as of events.
    `spans` names where each scalar value stands in the document's text (keys: number, date, place, title, ...).
    """

    kind: Kind
    language: str | None
    title: str | None
    text: str
    series: str | None = None
    number: int | None = None
    year: int | None = None
    date: date | None = None
    place: str | None = None
    issuer: str | None = None
    on_behalf_of: str | None = None
    salutation: str | None = None
    sections: tuple[Section, ...] = ()
    calls: tuple[Call, ...] = ()
    events: tuple[Event, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    contacts: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    videos: tuple[Video, ...] = ()
    practice: Practice | None = None
    study: Study | None = None
    questions: tuple[Question, ...] = ()
    spans: Mapping[str, Span] = field(default_factory=dict)
    canonical_url: str | None = None
    alternates: tuple[tuple[str, str], ...] = ()
    embargo: str | None = None
