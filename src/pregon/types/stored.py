"""What storage hands back: the nouns above with their ids, versions and times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pregon.types.approvals import Decision
from pregon.types.deliveries import DeliveryState
from pregon.types.drafts import ChannelName, Check, Content, DraftState, Fields, Trace
from pregon.types.items import Item, Kind
from pregon.types.metrics import EventType, Label


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item with its history number; `version` counts from 1."""

    id: int
    identity: str
    version: int
    fingerprint: str
    item: Item
    origin: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SavedItem:
    """What saving an item did: it is new, or its text changed in a way that a reader would notice."""

    id: int
    version: int
    is_new: bool
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Campaign:
    """One item's push across channels and languages."""

    id: int
    slug: str
    item_id: int
    kind: Kind
    title: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """What a campaign corrects: the campaign that went out, and the item's version that it went out with."""

    campaign_id: int
    corrected_id: int
    item_id: int
    base_version: int


@dataclass(frozen=True, slots=True)
class CampaignSearch:
    """Which campaigns to list. `waiting` None takes both those that wait for a person and the decided ones.

    `text` is looked for in titles, a number also as the item's own. Waiting ones come oldest first, others newest;
    before them all, waiting ones whose item has a deadline from `urgent_from` to `urgent_until`, the nearest first.
    """

    waiting: bool | None = None
    kind: str = ""
    channel: str = ""
    language: str = ""
    text: str = ""
    limit: int = 50
    offset: int = 0
    urgent_from: date | None = None
    urgent_until: date | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """Editable content for one channel in one language ("" where the channel has none).

    `item_id` is the item that it was composed from; None for the campaign's own.
    """

    id: int
    campaign_id: int
    channel: ChannelName
    language: str
    state: DraftState
    revision: int
    updated_at: datetime
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """An immutable, digested snapshot of a draft."""

    draft_id: int
    number: int
    item_version: int
    fields: Fields
    content: Content
    digest: str
    checks: tuple[Check, ...]
    trace: tuple[Trace, ...]
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's decision on a revision. `quote` is the passage that the comment is about ("" for the whole).

    `due_at` is when what an approval set free is due; None for a yes that another person has to join.
    """

    id: int
    draft_id: int
    revision: int
    digest: str
    decision: Decision
    decided_by: str
    comment: str
    decided_at: datetime
    quote: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An officer's answer to a question that a document left open."""

    question: str
    span_start: int
    answer: str
    answered_by: str
    answered_at: datetime
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One revision to one recipient, thread part or playlist operation: a row of the ledger.

    `claimed_by` is the worker that claimed it last; of a mail, the claim that it has in common with its whole request.
    """

    id: str
    campaign_id: int
    draft_id: int
    revision: int
    channel: ChannelName
    language: str
    position: int
    address: str
    contact_id: int | None
    state: DeliveryState
    reason: str | None
    attempts: int
    due_at: datetime
    claimed_at: datetime | None
    sent_at: datetime | None
    provider_id: str | None
    track_opens: bool
    track_clicks: bool
    claimed_by: str | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as kept: the raw fact beside the label it was given and the rule that gave it."""

    key: str
    type: EventType
    at: datetime
    delivery_id: str | None
    url: str | None
    label: Label
    rule: str
    counted: bool


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log. `hash` seals the line and all before it; "" before the line is kept."""

    at: datetime
    person: str
    action: str
    subject: str
    detail: str
    hash: str = ""


@dataclass(frozen=True, slots=True)
class DeliverySearch:
    """Which rows of a campaign's ledger to list; `text` is looked for in addresses and reasons. Empty: all."""

    campaign_id: int
    states: tuple[DeliveryState, ...] = ()
    channel: str = ""
    language: str | None = None
    text: str = ""
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class FoundDeliveries:
    """A page of what a search of the ledger found, of `count` in all; not `is_all` when the text fits too many to look at."""

    page: tuple[Delivery, ...]
    count: int
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one call of a provider brought for a delivery: `kind` is send, settle or event."""

    delivery_id: str
    kind: str
    state: DeliveryState
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TestSend:
    """A mail that a person sent to themselves to look at. It is no delivery and in no figure."""

    id: str
    draft_id: int
    revision: int
    address: str
    asked_by: str
    state: DeliveryState
    detail: str
    asked_at: datetime
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class ScheduledDraft:
    """A draft with the time at which it goes or went out. `is_approved`: else it is only meant to."""

    campaign: str
    title: str
    draft_id: int
    channel: ChannelName
    language: str
    due_at: datetime
    is_approved: bool
    is_sent: bool


@dataclass(frozen=True, slots=True)
class ItemDay:
    """A day that an item names, `kind` deadline or meeting, with the campaign that announces it."""

    campaign: str
    title: str
    day: date
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How a source's last polls went. `last_seen_at`: when it last brought something; `lease_ends_at`: its hub tells until then."""

    id: str
    last_polled_at: datetime | None
    next_check_at: datetime | None
    failures: int
    last_error: str | None
    moved_to: str | None
    gone: bool
    held_until: datetime | None = None
    last_seen_at: datetime | None = None
    lease_ends_at: datetime | None = None
