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
    WORDPRESS = "wordpress"
    YOUTUBE = "youtube"
    MAILBOX = "mailbox"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is remembered of a source between two polls.

    `address` is the configured one that all this was learnt from; `moved_to` where it is read now. `held_until`: the
    host asked to be left alone until then, which nobody's impatience overrides. `hub`, `topic`: who announces changes.
    """

    etag: str | None = None
    last_modified: str | None = None
    next_check_at: datetime | None = None
    failures: int = 0
    polled_before: bool = False
    address: str | None = None
    moved_to: str | None = None
    gone: bool = False
    held_until: datetime | None = None
    hub: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One document seen at a source. `key` names it there: a feed entry's id, a file's name."""

    key: str
    document: Document | None
    published_at: datetime | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll of a source found; `sightings` is empty when nothing changed (304).

    `hub` is (hub, topic) when the feed names who announces its changes (WebSub).
    """

    sightings: tuple[Sighting, ...]
    etag: str | None = None
    last_modified: str | None = None
    not_before: datetime | None = None
    moved_to: str | None = None
    hub: tuple[str, str] | None = None


class LinkHealth(StrEnum):
    """Whether an address leads somewhere; `unchecked` was not asked, e.g. a mail address or a reserved host."""

    ALIVE = "alive"
    MOVED = "moved"
    GONE = "gone"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class LinkState:
    """What asking an address once found. `detail` is a sentence, or for `moved` the address that answers now."""

    address: str
    health: LinkHealth
    detail: str = ""
    checked_at: datetime | None = None

    def is_dead(self) -> bool:
        """Whether a reader who follows it would find nothing."""
        return self.health in (LinkHealth.GONE, LinkHealth.UNREACHABLE)


class SubscriptionState(StrEnum):
    """How far a subscription at a feed's hub has come."""

    ASKED = "asked"
    RUNNING = "running"
    REFUSED = "refused"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A wish to be told of a feed's changes. `token` is the unguessable last part of the callback's address.

    `next_try_at`: when the hub is asked again, be it for a new lease or because it did not agree.
    """

    token: str
    source_id: str
    hub: str
    topic: str
    state: SubscriptionState
    next_try_at: datetime
    lease_ends_at: datetime | None = None
    failures: int = 0
    detail: str = ""
