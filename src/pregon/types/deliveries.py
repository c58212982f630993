"""The ledger's rows, what a channel is handed, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pregon.types.drafts import ChannelName, Content


class DeliveryState(StrEnum):
    """Where one delivery stands. pending and sending are open; the others are results."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """An outbox row about to be written. `address` is the mailbox, the account or the playlist."""

    id: str
    channel: ChannelName
    position: int
    address: str
    contact_id: int | None
    state: DeliveryState
    reason: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """An approved newsletter that is to become one ledger row per contact of its audience."""

    id: int
    campaign_id: int
    draft_id: int
    approval_id: int
    revision: int
    digest: str
    language: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One delivery as a channel sends it.

    `substitutions` are the per-recipient values of a mail's tokens; `reply_to_id` is the provider's id of the
    thread part before this one; `provider_id` is set when the provider already named this delivery;
    `attempted_at` is when the claim was made (where a reading back starts). `earlier_ids` are the provider's ids of
    the operations before this one, by position: what they created, this one may need.
    """

    delivery_id: str
    position: int
    address: str
    name: str = ""
    substitutions: Mapping[str, str] = field(default_factory=dict)
    reply_to_id: str | None = None
    provider_id: str | None = None
    attempted_at: datetime | None = None
    earlier_ids: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one call of a channel sends: one approved content to one or more deliveries of it."""

    content: Content
    deliveries: tuple[Outgoing, ...]
    track_opens: bool = False
    track_clicks: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery.

    `state` is sent, failed (never going to work), pending (certainly not done: try again after `retry_after`
    seconds), unknown (it may have been done), or held (a person must look). `detail` is one sentence for people;
    `raw` is the provider's answer. `pause` names why the whole channel should stop, e.g. no credit.
    """

    delivery_id: str
    state: DeliveryState
    provider_id: str | None = None
    detail: str = ""
    raw: str = ""
    retry_after: float | None = None
    pause: str | None = None
