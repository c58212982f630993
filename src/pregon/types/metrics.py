"""Facts that come back, and the sums made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pregon.types.contacts import SuppressionReason
from pregon.types.drafts import ChannelName


class EventType(StrEnum):
    """One pushed fact about a delivery."""

    PROCESSED = "processed"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


class Label(StrEnum):
    """Who caused an event."""

    HUMAN = "human"
    MACHINE = "machine"
    SCANNER = "scanner"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A provider's pushed event in our vocabulary. `key` de-duplicates it; `raw` keeps it as it came (JSON).

    `kept_out`: the provider dropped the mail, since a list of its own says this of the address.
    """

    provider: str
    key: str
    type: EventType
    at: datetime
    delivery_id: str | None
    address: str | None
    provider_id: str | None = None
    url: str | None = None
    user_agent: str | None = None
    ip: str | None = None
    machine_open: bool = False
    permanent: bool = False
    raw: str = ""
    kept_out: SuppressionReason | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A polled counter at a time, e.g. impressions of a post."""

    delivery_id: str
    metric: str
    value: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Funnel:
    """What became of one channel and language of a campaign.

    The delivery counts always add up: planned = sent + failed + suppressed + unknown + held + pending.
    `clickers` are recipients with at least one click labelled human; `machine_clicks` are clicks of the rest.
    `trackable` is how many of the delivered agreed to click tracking: the denominator that a click rate needs.
    """

    channel: ChannelName
    language: str | None
    planned: int = 0
    sent: int = 0
    failed: int = 0
    suppressed: int = 0
    unknown: int = 0
    held: int = 0
    pending: int = 0
    delivered: int = 0
    bounced: int = 0
    trackable: int = 0
    clickers: int = 0
    clicks: int = 0
    machine_clicks: int = 0
    opens: int = 0
    machine_opens: int = 0
    unsubscribed: int = 0
    complained: int = 0
    samples: Mapping[str, int] = field(default_factory=dict)
