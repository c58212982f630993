"""Tell the mail provider what it has to know of addresses: suppressed here, released here, to be forgotten.

Noted in the same transaction as the change itself, told later, repeated until it is told: every one may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pregon.errors import NotAllowedError, NotFoundError
from pregon.pipeline.protocols import AddressKeeper, Channel, Clock, Storage
from pregon.types import AuditEntry, ChannelName, DeliveryState, Outcome, ProviderDuty, Role, User

_KINDS = {"release": 1, "suppress": 500, "erase": 500}
_PATIENCE, _MOST_SHOWN = timedelta(days=1), 100
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=10), timedelta(days=1)


class Duties:
    """Suppressions and erasures -> the mail provider."""

    def __init__(self, store: Storage, channels: Mapping[ChannelName, Channel], clock: Clock) -> None:
        self._store, self._channel, self._clock = store, channels[ChannelName.EMAIL], clock

    def tell_due(self) -> int:
        """One pass over what is due. Returns how many addresses the provider was told of."""
        return sum(self._tell_kind(kind, size) for kind, size in _KINDS.items())

    def list_troubled(self) -> tuple[ProviderDuty, ...]:
        """What the provider has refused, or could not be told for a day: a person has to look."""
        return self._store.troubled_duties(self._clock() - _PATIENCE, _MOST_SHOWN)

    def decide(self, duty_id: int, *, by_hand: bool, user: User) -> None:
        """Tell it again, or take it as done by hand at the provider. Raises `NotAllowedError` or `NotFoundError`."""
        if not user.role.includes(Role.APPROVER):
            raise NotAllowedError(f"Your role, {user.role}, does not include this; an approver can do it.")
        now = self._clock()
        if not self._store.change_duty(duty_id, "done" if by_hand else "pending", now):
            raise NotFoundError("The provider has been told of this meanwhile.")
        detail = "done by hand at the provider" if by_hand else "told again"
        self._store.add_audit(AuditEntry(now, user.name, "provider", f"duty {duty_id}", detail))

    def _tell_kind(self, kind: str, size: int) -> int:
        told = 0
        while due := self._store.due_duties(kind, size, self._clock()):
            outcome = self._tell(kind, [address for _, address, _ in due])
            if outcome.state is DeliveryState.FAILED and len(due) > 1:
                # One wrong address makes the provider refuse them all: each by itself shows which.
                for each in due:
                    told += self._settle((each,), self._tell(kind, [each[1]]))
                continue
            told += self._settle(due, outcome)
            if outcome.state is DeliveryState.PENDING:
                break
        return told

    def _tell(self, kind: str, addresses: list[str]) -> Outcome:
        if not isinstance(self._channel, AddressKeeper):
            return Outcome("", DeliveryState.SENT, None, "this provider keeps nothing of addresses")
        return self._channel.tell_addresses(kind, addresses)

    def _settle(self, due: tuple[tuple[int, str, int], ...], outcome: Outcome) -> int:
        now, ids = self._clock(), [identity for identity, _, _ in due]
        state = {DeliveryState.SENT: "done", DeliveryState.FAILED: "failed"}.get(outcome.state, "pending")
        attempts = min(due[0][2], 10)
        wait = min(_FIRST_WAIT * 2**attempts, _LONGEST_WAIT)
        due_at = now + max(wait, timedelta(seconds=outcome.retry_after or 0))
        self._store.settle_duties(ids, state, outcome.detail, due_at, now)
        return len(due) if state == "done" else 0
