"""Hands newsletters to the provider ahead of their time, and calls back what is not to leave. Sends nothing itself.

A request whose answer was lost is settled by calling back the batch that it was made with: what the provider discards
for certain may be sent again. A batch is everything of one draft with one time to leave, so that one call-back takes all
of it; an unknown request therefore takes the known ones of its batch with it, and they are handed over again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pregon.deliveries import CALL_BACK_BEFORE, HAND_OVER_LEAD, leaving_time
from pregon.pipeline.protocols import BatchKeeper, Channel, Clock, Storage
from pregon.types import Batch, BatchState, ChannelName, Content, Mailing, Outcome

# Of one batch; a provider allows ten call-backs at once, so ten of these can be called back before they leave.
_MOST_REQUESTS = 100
_MOST_CALLED_BACK = 10
# SendGrid takes times up to 72 hours ahead; building and sending take their time too.
_FURTHEST = timedelta(hours=71, minutes=55)
# Its published limit of ten minutes, and half a minute for the call itself.
_TRUSTED_BEFORE = timedelta(minutes=10, seconds=30)
# What leaves is in the provider's log some minutes later.
_LOG_AFTER = timedelta(minutes=20)


@dataclass
class HandingOver:
    """What one pass hands over: each mailing joins a batch of its draft and its time to leave."""

    store: Storage
    keeper: BatchKeeper
    clock: Clock
    ahead: timedelta
    _open: dict[tuple[int, int, datetime], tuple[str, int]] = field(default_factory=dict)

    def until(self, at: datetime) -> datetime:
        """What is due by then is claimed now."""
        return at + max(HAND_OVER_LEAD, min(self.ahead, _FURTHEST))

    def join(self, mailing: Mailing, content: Content) -> Batch | Outcome | None:
        """The batch that a mailing goes with; why there is none; or None when its worker was taken for lost."""
        now = self.clock()
        due_at = max(mailing.due_at or now, content.send_at or now)
        leaves_at = leaving_time(due_at, now)
        key = (mailing.draft_id, mailing.revision, leaves_at)
        while True:
            found = self._take(key)
            if isinstance(found, Outcome):
                return found
            batch = Batch(found, leaves_at)
            joined = self.store.join_batch(mailing, batch, now)
            if joined is not BatchState.CANCELLING:
                return batch if joined else None
            del self._open[key]

    def _take(self, key: tuple[int, int, datetime]) -> str | Outcome:
        batch_id, count = self._open.get(key, ("", _MOST_REQUESTS))
        if count >= _MOST_REQUESTS:
            opened = self.keeper.open_batch()
            if isinstance(opened, Outcome):
                return opened
            batch_id, count = opened, 0
        self._open[key] = batch_id, count + 1
        return batch_id

    def close(self, claims: list[str], state: BatchState) -> None:
        """What became of the requests of these claims."""
        if claims:
            self.store.close_claims(claims, state, self.clock())


class CallingBack:
    """Find what is not to leave, call it back, and put it back into the ledger. Each step may be interrupted anywhere."""

    def __init__(self, store: Storage, keeper: BatchKeeper | None, clock: Clock) -> None:
        self._store, self._keeper, self._clock = store, keeper, clock

    def run(self) -> int:
        """One pass. Returns how many mails are in the ledger again."""
        if self._keeper is None:
            return 0
        at = self._clock()
        self._store.release_unopened(at)
        self._store.ask_back(at, at + CALL_BACK_BEFORE)
        for batch in self._store.list_asked_back():
            self._call_back(batch, self._keeper)
        count = self._store.take_back(self._clock())
        self._store.await_leaving(at, _LOG_AFTER)
        return count

    def _call_back(self, batch: Batch, keeper: BatchKeeper) -> None:
        """Cancel a batch unless it is, and believe only what is read back."""
        status = keeper.read_batch(batch.batch_id)
        if status not in (None, "cancel") and self._may_call_back(batch):
            keeper.cancel_batch(batch.batch_id, status or "")
            if self._clock() > batch.leaves_at - _TRUSTED_BEFORE:  # this process slept on the way
                self._doubt(batch)
                return
            status = keeper.read_batch(batch.batch_id)
        now = self._clock()
        if status == "cancel":
            self._store.close_batch(batch.batch_id, BatchState.CANCELLED, now)
        elif now >= batch.leaves_at:
            self._doubt(batch)
        elif status is not None and now >= batch.leaves_at - CALL_BACK_BEFORE:
            self._store.close_batch(batch.batch_id, BatchState.GONE, now)

    def _may_call_back(self, batch: Batch) -> bool:
        now = self._clock()
        return now < batch.leaves_at - CALL_BACK_BEFORE and self._store.count_called_back(now) < _MOST_CALLED_BACK

    def _doubt(self, batch: Batch) -> None:
        self._store.doubt_batch(batch.batch_id, self._clock(), batch.leaves_at + _LOG_AFTER)


def build_calling_back(store: Storage, channels: Mapping[ChannelName, Channel], clock: Clock) -> CallingBack:
    """Calls back from the provider of mail, if it keeps mails until their time."""
    return CallingBack(store, _find_keeper(channels), clock)


def build_handing(
    store: Storage, channels: Mapping[ChannelName, Channel], clock: Clock, minutes: int, *, in_windows: bool
) -> HandingOver | None:
    """How mails are handed over: None when they are not. Where hours count, no further ahead than has to be.

    What falls due outside the hours is moved when it is about to leave, so nothing is claimed long before.
    """
    keeper = _find_keeper(channels)
    if not minutes or keeper is None:
        return None
    return HandingOver(store, keeper, clock, HAND_OVER_LEAD if in_windows else timedelta(minutes=minutes))


def _find_keeper(channels: Mapping[ChannelName, Channel]) -> BatchKeeper | None:
    email = channels.get(ChannelName.EMAIL)
    return email if isinstance(email, BatchKeeper) else None
