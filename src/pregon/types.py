"""Every noun of pregon as a frozen dataclass or a StrEnum. No behaviour beyond what a value says of itself.

Spans are half-open character offsets `(start, end)` into the document's text. Times are aware datetimes in UTC
unless a name says local. See `docs/glossary.md` for the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

Span = tuple[int, int]


# --- items ---------------------------------------------------------------------------------------------------


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


# --- sources -------------------------------------------------------------------------------------------------


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


# --- drafts --------------------------------------------------------------------------------------------------


class ChannelName(StrEnum):
    """A way out."""

    EMAIL = "email"
    X = "x"
    YOUTUBE = "youtube"


class DraftState(StrEnum):
    """Where a draft stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    NEEDS_CHANGES = "needs_changes"
    APPROVED = "approved"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mail is from."""

    name: str
    address: str
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """The rule that selects contacts: on any of `lists`, reading any of `languages`."""

    name: str
    lists: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """A picture in a post, by content. `alt_text` at most 1,000 characters (X)."""

    name: str
    media_type: str
    data: bytes
    alt_text: str


@dataclass(frozen=True, slots=True)
class MailSection:
    """A heading ("" for none) and its paragraphs, as the officer edits them.

    A paragraph that starts with "- " is a list entry, one with "> " a quotation; `[text](address)` is a link.
    """

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MailFields:
    """What an officer edits of a newsletter: fields, not HTML. An empty button_url leaves the button out.

    `eyebrow` stands above the title ("Circular 46"), `dateline` below it; `call` is the text beside the button;
    `facts` are (label, value) and `links` (label, address) pairs; `closing` is signed line by line; `notice` is
    what must be carried along, e.g. who paid; `calendar` is the iCalendar text of the item's events ("" for none).
    """

    subject: str
    preheader: str
    title: str
    lead: str
    sections: tuple[MailSection, ...]
    button_label: str = ""
    button_url: str = ""
    closing: str = ""
    eyebrow: str = ""
    dateline: str = ""
    salutation: str = ""
    call: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    notice: str = ""
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class PostFields:
    """What an officer edits of a post or thread: the parts in order."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaylistOperation:
    """One change to a channel: `op` is add (video to playlist) or create (playlist)."""

    op: str
    playlist_id: str
    playlist_title: str
    video_id: str = ""
    video_title: str = ""


@dataclass(frozen=True, slots=True)
class PlaylistFields:
    """What an officer edits of a playlist plan: which operations stay. `reason` says why there are none."""

    operations: tuple[PlaylistOperation, ...]
    reason: str = ""


Fields = MailFields | PostFields | PlaylistFields


@dataclass(frozen=True, slots=True)
class MailBody:
    """A compiled mail. Per-recipient values stand in it as the tokens of `drafts.tokens`, once per mail, never recompiled."""

    subject: str
    preheader: str
    html: str
    text: str
    mjml: str
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class PostPart:
    """One post of a thread. `weighted_length` by X's published rules (280 at most)."""

    text: str
    weighted_length: int
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadBody:
    """The posts in order, and what they cost at X's published prices."""

    parts: tuple[PostPart, ...]
    cost_usd: float


@dataclass(frozen=True, slots=True)
class PlaylistBody:
    """The playlist changes in order; with none, `reason` says why."""

    operations: tuple[PlaylistOperation, ...]
    reason: str = ""


Body = MailBody | ThreadBody | PlaylistBody


@dataclass(frozen=True, slots=True)
class Content:
    """All that a reader or a provider will get, and who gets it: what the digest covers."""

    channel: ChannelName
    language: str | None
    campaign: str
    body: Body
    audience: Audience | None = None
    sender: Sender | None = None
    account: str | None = None
    send_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A finding about a draft before a person looks. `level` is error or warning; errors stop approval."""

    id: str
    level: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a fact of a draft comes from: a span of the source, or (span None) the configuration key that holds it."""

    text: str
    span: Span | None
    origin: str = "source"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One draft as composed or as edited: the fields, what they render to, and what was found about it."""

    channel: ChannelName
    language: str | None
    fields: Fields
    content: Content
    digest: str
    checks: tuple[Check, ...]
    trace: tuple[Trace, ...]


# --- approvals -----------------------------------------------------------------------------------------------


class Decision(StrEnum):
    """What a person decides about a revision."""

    APPROVED = "approved"
    NEEDS_CHANGES = "needs_changes"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class Role(StrEnum):
    """What a person of the desk may do; each includes the ones before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class User:
    """A person of the desk."""

    id: int
    name: str
    role: Role


# --- contacts and audiences ----------------------------------------------------------------------------------


class Consent(StrEnum):
    """A contact's answer on being tracked; unknown counts as denied."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


class ContactState(StrEnum):
    """Whether a contact agreed to be written to."""

    SUBSCRIBED = "subscribed"
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"


class SuppressionReason(StrEnum):
    """Why an address is never written to."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    BLOCKED = "blocked"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person we may write to."""

    id: int
    address: str
    name: str
    language: str
    state: ContactState
    lists: tuple[str, ...]
    organisation: str = ""
    city: str = ""
    country: str = ""
    open_tracking: Consent = Consent.UNKNOWN
    click_tracking: Consent = Consent.UNKNOWN


@dataclass(frozen=True, slots=True)
class Recipient:
    """A contact as one delivery sees it: included, or left out with the reason."""

    contact: Contact
    excluded: str | None


# --- deliveries ----------------------------------------------------------------------------------------------


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
class Outgoing:
    """One delivery as a channel sends it.

    `substitutions` are the per-recipient values of a mail's tokens; `reply_to_id` is the provider's id of the
    thread part before this one; `provider_id` is set when the provider already named this delivery;
    `attempted_at` is when the claim was made (where a reading back starts).
    """

    delivery_id: str
    position: int
    address: str
    name: str = ""
    substitutions: Mapping[str, str] = field(default_factory=dict)
    reply_to_id: str | None = None
    provider_id: str | None = None
    attempted_at: datetime | None = None


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


# --- metrics -------------------------------------------------------------------------------------------------


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
    """A provider's pushed event in our vocabulary. `key` de-duplicates it; `raw` keeps it as it came (JSON)."""

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


# --- what storage hands back ---------------------------------------------------------------------------------


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
class CampaignSearch:
    """Which campaigns to list. `waiting` None takes both those that wait for a person and the decided ones.

    `text` is looked for in titles, a number also as the item's own. Waiting ones come oldest first, others newest.
    """

    waiting: bool | None = None
    kind: str = ""
    channel: str = ""
    language: str = ""
    text: str = ""
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """Editable content for one channel in one language ("" where the channel has none)."""

    id: int
    campaign_id: int
    channel: ChannelName
    language: str
    state: DraftState
    revision: int
    updated_at: datetime


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
    """A person's decision on a revision."""

    id: int
    draft_id: int
    revision: int
    digest: str
    decision: Decision
    decided_by: str
    comment: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """An officer's answer to a question that a document left open."""

    question: str
    span_start: int
    answer: str
    answered_by: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One revision to one recipient, thread part or playlist operation: a row of the ledger."""

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
    """One line of the audit log."""

    at: datetime
    person: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How a source's last polls went."""

    id: str
    last_polled_at: datetime | None
    next_check_at: datetime | None
    failures: int
    last_error: str | None
    moved_to: str | None
    gone: bool
