"""Sends newsletters, several requests at a time: each is claimed before it leaves, and recorded when it comes back.

One thread writes the ledger, in one commit for what came back and what goes next; the others build and send. As many
requests as fly are claimed ahead of their turn, so that none of these threads waits for the ledger. What has waited is asked
for once more right before it leaves, and what may not leave any more is given back as not sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import TypeGuard

from pregon.deliveries import AHEAD_MARK, is_stale, sign_deliveries
from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL
from pregon.pipeline.approved import Approved, ApprovedMails
from pregon.pipeline.handing import HandingOver
from pregon.pipeline.pausing import pause_channel
from pregon.pipeline.protocols import Channel, Clock, Storage
from pregon.types import (
    Batch,
    BatchState,
    Budget,
    Content,
    Delivery,
    DeliveryState,
    Mailing,
    Outcome,
    OutgoingMails,
    SameOutcome,
    Shipment,
)

# For one request in flight, so many more are claimed and wait for their turn.
_CLAIMED_AHEAD = 1
# So many threads more than may fly, where those who sent record: a turn is given on before it is written down.
_MOST_RECORDERS = 4

_Record = Callable[[Channel, Sequence[Delivery], Sequence[Outcome], str], Sequence[DeliveryState]]


@dataclass(frozen=True, slots=True)
class MailRoom:
    """What sending newsletters needs. `record` writes outcomes that are not the same for all, a row each.

    `turns` are as many as requests may fly, of all passes together. `before_claim` takes back what may not go out now. With `handing` mails are handed over ahead of their time.
    """

    store: Storage
    approved: Approved
    clock: Clock
    worker: str
    key: bytes
    base_url: str
    in_flight: int
    turns: BoundedSemaphore
    claim_lease: timedelta
    record: _Record
    before_claim: Callable[[], object]
    daily_quota: int | None = None
    mails_per_minute: int | None = None
    handing: HandingOver | None = None

    def send_due(self, channel: Channel) -> Mapping[DeliveryState, int]:
        """Send until nothing is due, the channel is paused, or the provider asks to wait. How many came to which state.

        Whatever interrupts it, what is in flight is waited for and recorded first.
        """
        run = _Run(self, channel, ApprovedMails(self.approved))
        recorders = min(self.in_flight, _MOST_RECORDERS) if run.records_apart else 0
        with ThreadPoolExecutor(self.in_flight + recorders, thread_name_prefix="mail") as pool:
            try:
                while run.claim(pool) or run.flying:
                    run.take_back()
            finally:
                run.finish()
        if run.problem:
            raise run.problem
        self._say_quota(channel)
        return run.counts

    def budgets(self, at: datetime) -> tuple[Budget, ...]:
        """What may be claimed at this time: so many mails a day (UTC) and a minute, by all workers together."""
        day = ("email", at.strftime("%Y-%m-%d"), self.daily_quota)
        minute = ("email-minute", str(int(at.timestamp()) // 60), self.mails_per_minute)
        return tuple(Budget(name, period, most) for name, period, most in (day, minute) if most)

    def _say_quota(self, channel: Channel) -> None:
        """Pause until the next day (UTC) when the quota of this one is used up."""
        at = self.clock()
        if self.daily_quota and self.store.read_quota(channel.name, at.strftime("%Y-%m-%d")) >= self.daily_quota:
            midnight = (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            detail = f"all {self.daily_quota:,} mails of this day are used; the rest leaves tomorrow"
            pause_channel(self.store, channel.name, "quota", detail, at, midnight)

    def links(self) -> Mapping[str, str]:
        """The tokens of a mail and what the addresses that they stand for begin with."""
        return {UNSUBSCRIBE_URL: f"{self.base_url}/unsubscribe/", VIEW_URL: f"{self.base_url}/mail/"}


@dataclass
class _Run:
    """One pass. `finished` came back with one outcome for all and is recorded with the next claim."""

    room: MailRoom
    channel: Channel
    approved: ApprovedMails
    flying: dict[Future[Sequence[Outcome] | None], Mailing] = field(default_factory=dict)
    finished: list[tuple[Mailing, Outcome]] = field(default_factory=list)
    counts: Counter[DeliveryState] = field(default_factory=Counter)
    is_over: bool = False
    problem: Exception | None = None

    @property
    def records_apart(self) -> bool:
        """Whether who sent a request records its one outcome, beside the next claim, where several may write at once."""
        return self.room.store.writes_side_by_side and self.room.handing is None

    def claim(self, pool: ThreadPoolExecutor) -> bool:
        """Record what has finished, claim as much as may fly, and let it go. Whether anything was claimed."""
        most = self.room.in_flight * (1 + _CLAIMED_AHEAD)
        count = 0 if self.is_over else most - len(self.flying)
        if count:
            self.room.before_claim()
        claimed = self._exchange(count) if count or self.finished else ()
        for mailing in claimed:
            if self.is_over:  # by the one before it
                self._give_back(mailing)
                continue
            try:
                self._prepare(pool, mailing)
            except Exception as error:  # nothing has left of it, so it is not left to be settled
                self._end(error)
                self._give_back(mailing)
        return bool(claimed)

    def _prepare(self, pool: ThreadPoolExecutor, mailing: Mailing) -> None:
        content, problem = self.approved.content(mailing)
        if content is None:
            rows = [row[0] for row in mailing.rows]
            self.room.store.hold_draft(mailing.draft_id, mailing.revision, problem, rows)
            self.room.store.return_quota(self.room.budgets(mailing.claimed_at), len(rows))
            self.counts[DeliveryState.HELD] += len(rows)
        else:
            self._let_go(pool, content, mailing)

    def _let_go(self, pool: ThreadPoolExecutor, content: Content, mailing: Mailing) -> None:
        """Send a mailing, with the batch that it has joined when it is handed over ahead."""
        handing, batch = self.room.handing, None
        if handing:
            joined = handing.join(mailing, content)
            if isinstance(joined, Outcome):
                self._heed((joined,))
                self._record(mailing, [replace(joined, delivery_id=row[0]) for row in mailing.rows])
                return
            if joined is None:
                return
            batch = joined
        self.flying[pool.submit(self._send, content, mailing, batch)] = mailing

    def _exchange(self, count: int) -> tuple[Mailing, ...]:
        finished = list(self.finished)
        room, at = self.room, self.room.clock()
        size, budgets = self.channel.batch_size, self.room.budgets(at)
        if room.handing is None:
            claimed = room.store.exchange_mailings(finished, count, size, room.worker, at, budgets)
        else:
            worker, until = f"{room.worker}{AHEAD_MARK}", room.handing.until(at)
            claimed = room.store.exchange_mailings(finished, count, size, worker, at, budgets, until=until)
            room.handing.close([mailing.claim for mailing, _ in finished], BatchState.HANDED_OVER)
        del self.finished[: len(finished)]
        for mailing, outcome in finished:
            self.counts[outcome.state] += len(mailing.rows)
        return claimed

    def _send(self, content: Content, mailing: Mailing, batch: Batch | None) -> Sequence[Outcome] | None:
        """What became of each mail, recorded if that is this thread's part; None when nothing was sent.

        Who records what came back has given its turn to the next.
        """
        room = self.room
        with room.turns:
            try:
                shipment = self._build(content, mailing, batch)
            except Exception as error:
                self._end(error)
                return None
            if shipment is None:
                return None
            outcomes = self.channel.send(shipment)
            self._heed(outcomes)
        if self.records_apart and _is_sent(outcomes):
            room.store.exchange_mailings([(mailing, outcomes.outcome)], 0, 0, room.worker, room.clock())
        return outcomes

    def _build(self, content: Content, mailing: Mailing, batch: Batch | None) -> Shipment | None:
        """What is to leave now; None when it may not leave any more.

        So it is also when this machine slept since the claim, which may be somebody else's by now.
        """
        room = self.room
        if self.is_over or not room.store.may_leave(mailing):
            return None
        marks = sign_deliveries((row[0] for row in mailing.rows), room.key)
        mails = OutgoingMails(mailing.rows, marks, room.links(), mailing.claimed_at)
        shipment = Shipment(content, mails, mailing.track_opens, mailing.track_clicks)
        if batch:
            shipment = replace(shipment, leaves_at=batch.leaves_at, batch_id=batch.batch_id)
        if is_stale(mailing.claimed_at, room.clock(), room.claim_lease):
            self.is_over = True
            return None
        return shipment

    def _heed(self, outcomes: Sequence[Outcome]) -> None:
        """Who is asked to wait, or reaches nobody, asks for nothing more in this pass; the next finds what is due by then."""
        told = (outcomes.outcome,) if isinstance(outcomes, SameOutcome) else outcomes
        is_unsent = all(outcome.is_unsent for outcome in told)
        if is_unsent or any(outcome.retry_after and not outcome.pause for outcome in told):
            self.is_over = True

    def _end(self, error: Exception) -> None:
        """Claim no more because of a mistake of ours, or a database that is gone; the first one is told in the end."""
        self.problem, self.is_over = self.problem or error, True

    def take_back(self) -> None:
        """Wait until something comes back. One answer for a whole mailing waits for the next claim; others are recorded."""
        done, _ = wait(self.flying, return_when=FIRST_COMPLETED)
        for future in done:
            mailing = self.flying.pop(future)
            try:
                outcomes = future.result()
            except Exception as error:  # its mails may be out: they stay claimed, and are settled as lost ones are
                self._end(error)
                continue
            if outcomes is None:
                self._give_back(mailing)
            elif not _is_sent(outcomes):
                self._record(mailing, outcomes)
            elif self.records_apart:
                self.counts[DeliveryState.SENT] += len(mailing.rows)
            else:
                self.finished.append((mailing, outcomes.outcome))

    def _record(self, mailing: Mailing, outcomes: Sequence[Outcome]) -> None:
        not_sent = [each.delivery_id for each in outcomes if each.state is not DeliveryState.SENT]
        found = self.room.store.read_deliveries(not_sent).values()
        # As this claim has them: they may be another's by now.
        rows = tuple(replace(row, claimed_by=mailing.claim, claimed_at=mailing.claimed_at) for row in found)
        self.counts.update(self.room.record(self.channel, rows, outcomes, "send"))
        left = (DeliveryState.SENT, DeliveryState.UNKNOWN)
        unused = sum(each.state not in left for each in outcomes)
        self.room.store.return_quota(self.room.budgets(mailing.claimed_at), unused)
        if self.room.handing and not any(outcome.state is DeliveryState.UNKNOWN for outcome in outcomes):
            self.room.handing.close([mailing.claim], BatchState.UNUSED)

    def _give_back(self, mailing: Mailing) -> None:
        self.room.store.return_mailing(mailing, self.room.budgets(mailing.claimed_at), self.room.clock())
        if self.room.handing:
            self.room.handing.close([mailing.claim], BatchState.UNUSED)

    def finish(self) -> None:
        """Claim no more; give back what waits for its turn; wait for what is in flight, and record it."""
        self.is_over = True
        while self.flying:
            try:
                self.take_back()
            except Exception as error:
                self._end(error)
        if self.finished:
            self._exchange(0)


def _is_sent(outcomes: Sequence[Outcome]) -> TypeGuard[SameOutcome]:
    """Whether the provider took the whole mailing with one answer."""
    return isinstance(outcomes, SameOutcome) and outcomes.outcome.state is DeliveryState.SENT
