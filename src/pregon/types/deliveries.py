"""The ledger's rows, what a channel is handed, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from enum import StrEnum
from typing import overload

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
class SendWindow:
    """When a channel may send: `days` (Monday is 0) from `opens` until before `closes`.

    `per_recipient`: in the time zone of each reader's country; else, and where that is unknown, in the network's.
    """

    days: frozenset[int]
    opens: time
    closes: time
    per_recipient: bool = False


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
    the operations before this one, by position: what they created, this one may need. `taken_ids` are those of posts that
    other deliveries are: one with the same text is not this one.
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
    taken_ids: frozenset[str] = frozenset()


MailRow = tuple[str, str, str, int]
"""A claimed mail as the ledger hands it over: delivery id, address, name, how often it was tried, this time included."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """Mails of one revision that one worker has claimed together, for one request.

    `claim` marks them in the ledger; `places` are the ledger's own keys of the rows. `approved_digest` is what the
    draft's standing approval of this revision binds, read with the claim; None when nothing approves it now. `due_at` is
    when the first of them is due: later than `claimed_at` when they were claimed ahead.
    """

    campaign_id: int
    draft_id: int
    revision: int
    language: str
    track_opens: bool
    track_clicks: bool
    approved_digest: str | None
    claim: str
    claimed_at: datetime
    rows: Sequence[MailRow]
    places: Sequence[int | str] = ()
    due_at: datetime | None = None


class BatchState(StrEnum):
    """Where the mails of one claim stand that were, or were about to be, handed to a provider ahead of their time.

    opened (the request may have left), handed_over, unused (certainly not taken), cancelling (asked back, not yet read
    back), cancelled (read back: the provider discards them), returned (they are in the ledger as not sent again), gone
    (asked back too late).
    """

    OPENED = "opened"
    HANDED_OVER = "handed_over"
    UNUSED = "unused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Batch:
    """What a provider keeps under one name until it leaves: all claims that were handed over with it."""

    batch_id: str
    leaves_at: datetime


@dataclass(frozen=True, slots=True)
class HandedOver:
    """So many mails of a draft are with the provider and leave then. `is_asked_back`: their call-back is under way.

    `until` is the last moment in which they can be called back; `is_too_late`: it has passed.
    """

    draft_id: int
    leaves_at: datetime
    until: datetime
    mails: int
    is_asked_back: bool = False
    is_too_late: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so many mails in a period: its `name` and the period, at most 20 and 10 characters, as they are counted."""

    name: str
    period: str
    most: int


@dataclass(frozen=True, slots=True)
class OutgoingMails(Sequence[Outgoing]):
    """The deliveries of a mailing. Who takes them by the thousand reads `rows` and `marks`; others get each as `Outgoing`.

    `marks` has one signed token a row; each of `links` is a token of the mail and what its address begins with, before
    that mark.
    """

    rows: Sequence[MailRow]
    marks: Sequence[str]
    links: Mapping[str, str]
    attempted_at: datetime

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Outgoing: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Outgoing]: ...
    def __getitem__(self, index: int | slice) -> Outgoing | Sequence[Outgoing]:
        if isinstance(index, slice):
            return OutgoingMails(self.rows[index], self.marks[index], self.links, self.attempted_at)
        delivery_id, address, name, _ = self.rows[index]
        values = {token: start + self.marks[index] for token, start in self.links.items()}
        return Outgoing(delivery_id, 0, address, name, values, attempted_at=self.attempted_at)


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one call of a channel sends: one approved content to one or more deliveries of it.

    `leaves_at` and `batch_id`: the provider is to keep it until then, under a name by which it can be called back.
    `was_asked_for`: the recipients asked for this mail themselves, so that an unsubscribe of before does not stop it.
    """

    content: Content
    deliveries: Sequence[Outgoing]
    track_opens: bool = False
    track_clicks: bool = False
    leaves_at: datetime | None = None
    batch_id: str | None = None
    was_asked_for: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery.

    `state` is sent, failed (never going to work), pending (certainly not done: try again after `retry_after`
    seconds), unknown (it may have been done; with `retry_after` the provider is asked nothing before), or held (a person must look). `detail` is one sentence for people;
    `raw` is the provider's answer. `pause` names why the whole channel should stop, e.g. no credit. `is_gone`: the
    provider says that the address takes no mail and never will, as a bounce would say later. `leaves_at`: the provider
    has it and keeps it until then. `is_unsent`: the request never reached the provider, so it is no attempt. `in_doubt`: it is
    held, and may be out all the same or come out without us, so only a person's word sends it again.
    """

    delivery_id: str
    state: DeliveryState
    provider_id: str | None = None
    detail: str = ""
    raw: str = ""
    retry_after: float | None = None
    pause: str | None = None
    is_gone: bool = False
    leaves_at: datetime | None = None
    is_unsent: bool = False
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a channel writes as, as its provider says just now; or why it cannot be told, one sentence with what to do."""

    name: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SameOutcome(Sequence[Outcome]):
    """One outcome for every delivery of a shipment, in order, as the provider gave one answer for all of them."""

    deliveries: Sequence[Outgoing]
    outcome: Outcome

    def __len__(self) -> int:
        return len(self.deliveries)

    def __iter__(self) -> Iterator[Outcome]:
        return (replace(self.outcome, delivery_id=delivery.delivery_id) for delivery in self.deliveries)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Outcome]: ...
    def __getitem__(self, index: int | slice) -> Outcome | Sequence[Outcome]:
        if isinstance(index, slice):
            return SameOutcome(self.deliveries[index], self.outcome)
        return replace(self.outcome, delivery_id=self.deliveries[index].delivery_id)
