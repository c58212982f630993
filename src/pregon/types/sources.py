"""What is watched, and what a look at it finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pregon.types.items import Document


class SourceKind(StrEnum):
    """How a source is watched."""

    FOLDER = "folder"
    FEED = "feed"


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is remembered of a source between two polls."""

    etag: str | None = None
    last_modified: str | None = None
    next_check_at: datetime | None = None
    failures: int = 0
    polled_before: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """One document seen at a source. `key` names it there: a feed entry's id, a file's name."""

    key: str
    document: Document | None
    published_at: datetime | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll of a source found; `sightings` is empty when nothing changed (304)."""

    sightings: tuple[Sighting, ...]
    etag: str | None = None
    last_modified: str | None = None
    not_before: datetime | None = None
    moved_to: str | None = None
