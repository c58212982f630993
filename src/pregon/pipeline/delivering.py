"""The deliver use case: settle what is unknown, then send what is due, each thing once.

Nothing is sent without an approval whose digest equals what is rendered now. An outcome that was lost is `unknown`
and is settled by reading the provider back; it is never sent again on a guess.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import BoundedSemaphore

from pregon.audiences import normalise_address
from pregon.deliveries import (
    AHEAD_MARK,
    GIVEN_UP,
    HAND_OVER_LEAD,
    NO_PART_BEFORE,
    TOO_LATE,
    is_one_request,
    is_stale,
    next_attempt,
    tried_for,
)
from pregon.drafts import POST_CHANNELS
from pregon.pipeline.approved import Approved
from pregon.pipeline.duties import Duties
from pregon.pipeline.handing import HandingOver, build_calling_back, build_handing
from pregon.pipeline.mailing import MailRoom
from pregon.pipeline.material import Materials
from pregon.pipeline.opening import Opening
from pregon.pipeline.pausing import pause_for_outcome
from pregon.pipeline.planning import Planning
from pregon.pipeline.protocols import Channel, Clock, Storage
from pregon.settings import Settings
from pregon.types import (
    ChannelName,
    Content,
    Delivery,
    DeliveryState,
    Outcome,
    Outgoing,
    Shipment,
    SuppressionReason,
)

_CLAIM_LEASE = timedelta(minutes=3)
_SETTLE_AGAIN = timedelta(minutes=2)
# Further back than any channel reads its posts, clocks that are wrong included.
_READ_BACK = timedelta(days=2)
# However long a provider asks to wait before it is read back again; it may be this machine's clock that is wrong.
_LONGEST_WAIT = timedelta(minutes=15)
# So many requests, or threads, are read back in one pass: a request takes from two calls to some twenty, of under a second.
_SETTLED_AT_ONCE = 10
_CALL_BACK_EVERY = timedelta(minutes=1)
# What a channel's pause begins with when its credentials have ended.
_UNREADABLE = "credentials"


@dataclass(frozen=True, slots=True)
class DeliverResult:
    """What one pass did: channel -> how many came to which state, and which channels are paused and why."""

    outcomes: Mapping[ChannelName, Mapping[DeliveryState, int]] = field(default_factory=dict)
    settled: Mapping[ChannelName, Mapping[DeliveryState, int]] = field(default_factory=dict)
    paused: Mapping[ChannelName, str] = field(default_factory=dict)
    held: int = 0


class Delivering:
    """Approvals -> deliveries."""

    def __init__(
        self,
        store: Storage,
        materials: Materials,
        channels: Mapping[ChannelName, Channel],
        settings: Settings,
        clock: Clock,
        *,
        worker: str,
        key: bytes,
        claim_lease: timedelta = _CLAIM_LEASE,
    ) -> None:
        self._store, self._channels, self._approved = store, channels, Approved(store, materials)
        self._planning, self._opening = Planning(store, settings, clock), Opening(store, settings)
        self._settings, self._clock, self._worker, self._key = settings, clock, worker, key
        self._claim_lease = claim_lease
        # A mail server is handed one batch at a time; the next is claimed meanwhile, and the last is recorded.
        email = settings.channels.email
        self._in_flight = 1 if email.provider == "smtp" else email.in_flight
        # Of this process, however many passes are under way in it.
        self._turns = BoundedSemaphore(self._in_flight)
        self._duties = Duties(store, channels, clock)
        self._calling_back, self._called_back_at = build_calling_back(store, channels, clock), clock()

    def deliver(self) -> DeliverResult:
        """One pass over all channels, until nothing is due."""
        now = self._clock()
        self._planning.plan_all()
        self._store.end_pauses(now)
        self._store.mark_lost_claims(now - self._claim_lease, now)
        held = self._store.hold_late(now - timedelta(hours=self._settings.channels.hold_after_hours))
        self._called_back_at = now
        self._calling_back.run()
        if self._handing():
            self._duties.tell_due()  # who has left since is not written to by what was handed over before
        settled = {name: self._settle_channel(channel) for name, channel in self._channels.items()}
        outcomes = {name: self._send_channel(channel) for name, channel in self._channels.items()}
        paused = {name: reason for name in self._channels if (reason := self._store.read_pause(name))}
        return DeliverResult(outcomes, settled, paused, held)

    # --- sending

    def _send_channel(self, channel: Channel) -> Mapping[DeliveryState, int]:
        if channel.name is ChannelName.EMAIL:
            return self._mail_room().send_due(channel)
        counts: Counter[DeliveryState] = Counter()
        while not self._store.read_pause(channel.name):
            self._opening.postpone_closed(channel.name, self._clock())
            claimed = self._store.claim_due(channel.name, channel.batch_size, self._worker, self._clock())
            if not claimed:
                break
            states, is_reached = self._send_claimed(channel, claimed)
            counts.update(states)
            if not is_reached:
                break
        return counts

    def _mail_room(self) -> MailRoom:
        settings, email = self._settings, self._settings.channels.email
        handing = self._handing()
        return MailRoom(
            store=self._store,
            approved=self._approved,
            clock=self._clock,
            worker=self._worker,
            key=self._key,
            base_url=settings.base_url,
            in_flight=self._in_flight,
            turns=self._turns,
            claim_lease=self._claim_lease,
            daily_quota=email.daily_quota,
            mails_per_minute=email.mails_per_minute,
            record=self._record,
            before_claim=self._before_handing if handing else self._before_mail,
            handing=handing,
        )

    def _before_mail(self) -> None:
        self._opening.postpone_closed(ChannelName.EMAIL, self._clock())

    def _before_handing(self) -> None:
        """What is handed over leaves later, so its hours are those of then. A pass may be longer than a call-back can wait."""
        now = self._clock()
        self._opening.postpone_closed(ChannelName.EMAIL, now + HAND_OVER_LEAD)
        if now >= self._called_back_at + _CALL_BACK_EVERY:
            self._called_back_at = now
            self._calling_back.run()

    def _handing(self) -> HandingOver | None:
        email = self._settings.channels.email
        in_windows = email.send_window is not None
        return build_handing(self._store, self._channels, self._clock, email.handover_minutes, in_windows=in_windows)

    def _send_claimed(self, channel: Channel, claimed: tuple[Delivery, ...]) -> tuple[Sequence[DeliveryState], bool]:
        """What became of each, and whether the provider could be reached."""
        content, problem = self._approved.content(claimed[0])
        if content is None:
            self._store.hold_draft(claimed[0].draft_id, claimed[0].revision, problem, [row.id for row in claimed])
            return [DeliveryState.HELD] * len(claimed), True
        shipment = self._shipment(content, claimed)
        if channel.name in POST_CHANNELS and _is_without_parent(shipment.deliveries[0]):
            held = [Outcome(row.id, DeliveryState.HELD, detail=NO_PART_BEFORE) for row in claimed]
            return self._record(channel, claimed, held, "send"), True
        if is_stale(claimed[0].claimed_at, self._clock(), self._claim_lease):
            return [], True  # this machine slept: whoever takes it for lost reads back whether it is out
        outcomes = channel.send(shipment)
        is_reached = not any(outcome.is_unsent for outcome in outcomes)
        return self._record(channel, claimed, outcomes, "send"), is_reached

    def _shipment(self, content: Content, deliveries: Iterable[Delivery]) -> Shipment:
        rows = tuple(deliveries)
        outgoing = tuple(map(self._outgoing, rows))
        if rows[0].channel in POST_CHANNELS:
            taken = self._find_taken(rows)
            outgoing = tuple(replace(each, taken_ids=taken) for each in outgoing)
        return Shipment(content, outgoing, track_opens=rows[0].track_opens, track_clicks=rows[0].track_clicks)

    def _outgoing(self, row: Delivery) -> Outgoing:
        is_part = row.channel is not ChannelName.EMAIL and row.position > 0
        return Outgoing(
            delivery_id=row.id,
            position=row.position,
            address=row.address,
            reply_to_id=self._store.previous_part(row) if is_part else None,
            provider_id=row.provider_id,
            attempted_at=row.claimed_at,
            earlier_ids=self._store.earlier_ids(row) if row.channel is ChannelName.YOUTUBE else {},
        )

    def _find_taken(self, rows: Sequence[Delivery]) -> frozenset[str]:
        """The provider's ids of what else is out since these were claimed, and for as long before as a reading back looks."""
        since = min(row.claimed_at or self._clock() for row in rows) - _READ_BACK
        others = self._store.sent_deliveries(rows[0].channel, since)
        return frozenset(row.provider_id for row in others if row.provider_id)

    def _record(
        self, channel: Channel, rows: Sequence[Delivery], outcomes: Sequence[Outcome], kind: str
    ) -> list[DeliveryState]:
        """Write outcomes; `rows`, as claimed or read, are those of all that were not sent, at least. The states, in order."""
        now = self._clock()
        by_id = {row.id: row for row in rows}
        final = [
            (outcome, None)
            if outcome.state is DeliveryState.SENT
            else self._schedule(channel, outcome, by_id[outcome.delivery_id], kind, now)
            for outcome in outcomes
        ]
        self._store.record_outcomes(final, kind, now, by_id)
        for outcome in outcomes:
            pause_for_outcome(self._store, channel.name, outcome, now)
            if outcome.is_gone:
                address = normalise_address(by_id[outcome.delivery_id].address)
                self._store.add_suppression(address, SuppressionReason.BOUNCED, outcome.detail, now)
        return [outcome.state for outcome, _ in final]

    def _schedule(
        self, channel: Channel, outcome: Outcome, row: Delivery, kind: str, now: datetime
    ) -> tuple[Outcome, datetime | None]:
        settings = self._settings.channel(channel.name)
        if outcome.state is DeliveryState.PENDING:
            if kind == "settle" and self._is_too_late(row, now):
                return Outcome(outcome.delivery_id, DeliveryState.HELD, detail=TOO_LATE, raw=outcome.raw), None
            return self._try_again(outcome, row, settings.max_attempts, kind, now)
        if outcome.state is DeliveryState.UNKNOWN:
            since = row.claimed_at or now
            # Who is asked to wait has been told nothing; after a long pause that would be the first answer to everything.
            # What is handed over ahead is not asked for before it would have left.
            patience = timedelta(hours=settings.settle_hours, minutes=settings.handover_minutes)
            if outcome.retry_after is None and now - since > patience:
                detail = f"held: whether it went out could not be settled ({outcome.detail})"
                return replace(outcome, state=DeliveryState.HELD, detail=detail, in_doubt=True), None
            again = timedelta(seconds=min(outcome.retry_after or 0.0, _LONGEST_WAIT.total_seconds()))
            return outcome, now if row.state is DeliveryState.SENDING else now + max(again, _SETTLE_AGAIN)
        return outcome, None

    @staticmethod
    def _try_again(
        outcome: Outcome, row: Delivery, max_attempts: int, kind: str, now: datetime
    ) -> tuple[Outcome, datetime | None]:
        if outcome.is_unsent:
            # As due as before: the next pass tries, and what cannot be reached for too long is late some day.
            return outcome, None
        # What reading back shows never left was interrupted, not refused: it may be tried as often as its time allows.
        most = max_attempts if kind == "send" else row.attempts + 1
        due_at = next_attempt(outcome, row.attempts, most, now)
        # What was handed over ahead never becomes due before its own time.
        due_at = max(due_at, row.due_at) if due_at and row.due_at else due_at
        if due_at is None and not outcome.pause:
            detail = f"{GIVEN_UP} {row.attempts} attempts: {outcome.detail}"
            return replace(outcome, state=DeliveryState.FAILED, detail=detail), None
        return outcome, due_at

    def _is_too_late(self, row: Delivery, now: datetime) -> bool:
        """Whether what never left was to leave so long ago that a person has to look; ahead of its time nothing is late."""
        is_ahead = AHEAD_MARK in (row.claimed_by or "")
        late = timedelta(hours=self._settings.channels.hold_after_hours)
        since = now - row.claimed_at if row.claimed_at else timedelta()
        return not is_ahead and max(since, tried_for(row.attempts)) > late

    # --- settling

    def _settle_channel(self, channel: Channel) -> Mapping[DeliveryState, int]:
        """Ask for what has waited longest. A provider that asks to wait is asked nothing more in this pass."""
        counts: Counter[DeliveryState] = Counter()
        if (self._store.read_pause(channel.name) or "").startswith(_UNREADABLE):
            return counts  # without valid credentials nothing can be read back either
        groups = _group_unknown(self._store.list_unknown(channel.name, self._clock()))
        for place, rows in enumerate(groups[:_SETTLED_AT_ONCE]):
            revision = self._store.read_revision(rows[0].draft_id, rows[0].revision)
            if revision is None:
                continue
            outcomes = channel.settle(self._shipment(revision.content, rows))
            counts.update(self._record(channel, rows, outcomes, "settle"))
            waiting = next((each for each in outcomes if each.retry_after is not None), None)
            if waiting:
                counts.update(self._put_off(channel, groups[place + 1 :], waiting))
                break
        return counts

    def _put_off(self, channel: Channel, groups: Sequence[Sequence[Delivery]], waiting: Outcome) -> list[DeliveryState]:
        """What was not asked for is due again when the provider may be asked; it stays due when nobody said when."""
        rows = [row for group in groups for row in group]
        if not rows or not waiting.retry_after:
            return []
        outcomes = [replace(waiting, delivery_id=row.id) for row in rows]
        return self._record(channel, rows, outcomes, "settle")


def _is_without_parent(part: Outgoing) -> bool:
    """Whether it would stand alone, though it is a later part of a thread."""
    return part.position > 0 and part.reply_to_id is None


def _group_unknown(unknown: Iterable[Delivery]) -> list[list[Delivery]]:
    """What is asked for together, what has been due longest first: a thread, a playlist plan, the mails of one request.

    A mail whose claim does not tell its request is asked for alone.
    """
    groups: defaultdict[tuple[int, int, str | None], list[Delivery]] = defaultdict(list)
    for row in unknown:
        request = row.claimed_by if is_one_request(row.claimed_by) else row.id
        groups[row.draft_id, row.revision, request if row.channel is ChannelName.EMAIL else None].append(row)
    return sorted(groups.values(), key=lambda rows: min(row.due_at for row in rows))
