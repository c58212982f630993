"""Queries of the deliveries stage: the ledger. Work is claimed by conditional UPDATE; its row count is the truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, insert, or_, select, update

from pregon.storage.base import Queries
from pregon.storage.funnels import mark_stale, mark_stale_by_delivery
from pregon.storage.tables import channel_states, contacts, deliveries, receipts, suppressions
from pregon.types import ChannelName, Delivery, DeliveryState, Outcome

_BEFORE = deliveries.alias("before")
_BY_STATE = (deliveries.c.state, deliveries.c.draft_id, deliveries.c.position, deliveries.c.address)


class DeliveryQueries(Queries):
    """Claim, record, settle, hold; and who got what."""

    def claim_due(self, channel: ChannelName, limit: int, worker: str, at: datetime) -> tuple[Delivery, ...]:
        """Claim up to `limit` due deliveries of one revision that can share a request; () when nothing is due.

        A thread part is due only when every one before it is sent, a playlist operation when every one before it is
        sent or has failed. Addresses suppressed since
        planning are taken out here, so an unsubscribe is effective for everything not yet claimed.
        """
        with self._write() as connection:
            self._suppress_due(connection, channel, at)
            first = connection.execute(_due(channel, at).limit(1)).first()
            if first is None:
                return ()
            alike = _due(channel, at).where(
                deliveries.c.draft_id == first.draft_id,
                deliveries.c.revision == first.revision,
                deliveries.c.track_opens == first.track_opens,
                deliveries.c.track_clicks == first.track_clicks,
            )
            ids = [row.id for row in connection.execute(alike.limit(limit))]
            claim = update(deliveries).where(deliveries.c.id.in_(ids), deliveries.c.state == DeliveryState.PENDING)
            claim = claim.values(
                state=DeliveryState.SENDING, claimed_at=at, claimed_by=worker, attempts=deliveries.c.attempts + 1
            )
            claimed = connection.execute(claim.returning(deliveries)).all()
            mark_stale(self, connection, {row.campaign_id for row in claimed})
        return tuple(sorted(map(read_delivery_row, claimed), key=lambda row: (row.position, row.id)))

    def _suppress_due(self, connection: Connection, channel: ChannelName, at: datetime) -> None:
        if channel is not ChannelName.EMAIL:
            return
        due = and_(
            deliveries.c.channel == channel, deliveries.c.state == DeliveryState.PENDING, deliveries.c.due_at <= at
        )
        listed = exists().where(suppressions.c.address == func.lower(deliveries.c.address))
        left = exists().where(contacts.c.id == deliveries.c.contact_id, contacts.c.state != "subscribed")
        for condition, reason in ((listed, "suppressed after planning"), (left, "unsubscribed after planning")):
            statement = update(deliveries).where(due, condition)
            self._change(connection, statement.values(state=DeliveryState.SUPPRESSED, reason=reason))

    def record_outcomes(self, outcomes: Sequence[tuple[Outcome, datetime | None]], kind: str, at: datetime) -> None:
        """Write what became of claimed or unknown deliveries; each outcome comes with the time of its next try.

        `kind` is send or settle. A row that somebody else has brought to an end meanwhile is not touched.
        """
        with self._write() as connection:
            if outcomes:
                connection.execute(_RECORD, [_record_values(outcome, due_at, at) for outcome, due_at in outcomes])
            rows = [
                {
                    "delivery_id": o.delivery_id,
                    "kind": kind,
                    "state": o.state,
                    "detail": o.detail,
                    "raw": o.raw,
                    "at": at,
                }
                for o, _ in outcomes
            ]
            connection.execute(insert(receipts), rows)
            mark_stale_by_delivery(self, connection, [o.delivery_id for o, _ in outcomes])

    def _change(self, connection: Connection, statement: Any) -> int:
        """Run an UPDATE of deliveries; the figures of the campaigns it touches no longer hold. Returns how many rows."""
        changed = connection.execute(statement.returning(deliveries.c.campaign_id)).scalars().all()
        mark_stale(self, connection, changed)
        return len(changed)

    def mark_lost_claims(self, claimed_before: datetime, at: datetime) -> int:
        """Claims whose worker never came back become unknown: the request may have left. Returns how many."""
        lost = update(deliveries).where(
            deliveries.c.state == DeliveryState.SENDING, deliveries.c.claimed_at < claimed_before
        )
        reason = "the program stopped while sending; the provider is asked what it has"
        with self._write() as connection:
            return self._change(connection, lost.values(state=DeliveryState.UNKNOWN, reason=reason, due_at=at))

    def hold_late(self, due_before: datetime) -> int:
        """Hold whatever was due before this time: too old to go out without a person looking again."""
        late = update(deliveries).where(
            deliveries.c.state == DeliveryState.PENDING, deliveries.c.due_at < due_before, deliveries.c.attempts == 0
        )
        with self._write() as connection:
            reason = "held: it was due too long ago; release it or cancel it"
            return self._change(connection, late.values(state=DeliveryState.HELD, reason=reason))

    def hold_draft(self, draft_id: int, reason: str) -> int:
        """Hold all open work of a draft, claimed or not."""
        open_states = (DeliveryState.PENDING, DeliveryState.SENDING)
        statement = update(deliveries).where(deliveries.c.draft_id == draft_id, deliveries.c.state.in_(open_states))
        with self._write() as connection:
            return self._change(connection, statement.values(state=DeliveryState.HELD, reason=reason))

    def release_deliveries(self, ids: Sequence[str], state: DeliveryState, reason: str, at: datetime) -> int:
        """A person's word on held or unknown deliveries: sent (settled by hand) or pending (send again)."""
        open_row = deliveries.c.state.in_((DeliveryState.HELD, DeliveryState.UNKNOWN))
        statement = update(deliveries).where(deliveries.c.id.in_(ids), open_row)
        with self._write() as connection:
            sent_at = {"sent_at": at} if state is DeliveryState.SENT else {}
            return self._change(connection, statement.values(state=state, reason=reason, due_at=at, **sent_at))

    def list_unknown(self, channel: ChannelName, at: datetime) -> tuple[Delivery, ...]:
        """Deliveries whose outcome is unknown and that are due to be settled."""
        query = select(deliveries).where(
            deliveries.c.channel == channel, deliveries.c.state == DeliveryState.UNKNOWN, deliveries.c.due_at <= at
        )
        with self._read() as connection:
            return tuple(
                map(read_delivery_row, connection.execute(query.order_by(deliveries.c.draft_id, deliveries.c.position)))
            )

    def list_deliveries(self, campaign_id: int) -> tuple[Delivery, ...]:
        """Every row of a campaign's ledger."""
        query = select(deliveries).where(deliveries.c.campaign_id == campaign_id)
        query = query.order_by(deliveries.c.draft_id, deliveries.c.position, deliveries.c.address)
        with self._read() as connection:
            return tuple(map(read_delivery_row, connection.execute(query)))

    def page_deliveries(
        self, campaign_id: int, states: Sequence[str] = (), limit: int = 200, offset: int = 0
    ) -> tuple[Delivery, ...]:
        """Some rows of a campaign's ledger, of all states or of some, state by state."""
        query = select(deliveries).where(deliveries.c.campaign_id == campaign_id)
        if states:
            query = query.where(deliveries.c.state.in_(states))
        query = query.order_by(*_BY_STATE)
        with self._read() as connection:
            return tuple(map(read_delivery_row, connection.execute(query.limit(limit).offset(offset))))

    def read_delivery(self, delivery_id: str) -> Delivery | None:
        """One row of the ledger."""
        with self._read() as connection:
            row = connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).first()
        return None if row is None else read_delivery_row(row)

    def previous_part(self, delivery: Delivery) -> str | None:
        """The provider's id of the thread part before this one."""
        query = select(deliveries.c.provider_id).where(
            deliveries.c.draft_id == delivery.draft_id,
            deliveries.c.revision == delivery.revision,
            deliveries.c.position == delivery.position - 1,
        )
        with self._read() as connection:
            return connection.execute(query).scalar()

    def sent_deliveries(self, channel: ChannelName, since: datetime) -> tuple[Delivery, ...]:
        """What a channel sent since then: what its counters are polled for."""
        query = select(deliveries).where(
            deliveries.c.channel == channel, deliveries.c.state == DeliveryState.SENT, deliveries.c.sent_at >= since
        )
        with self._read() as connection:
            return tuple(map(read_delivery_row, connection.execute(query)))

    def read_pause(self, channel: ChannelName) -> str | None:
        """Why a channel is paused, or None."""
        with self._read() as connection:
            query = select(channel_states.c.paused).where(channel_states.c.channel == channel)
            return connection.execute(query).scalar()

    def write_pause(
        self, channel: ChannelName, reason: str | None, at: datetime, until: datetime | None = None
    ) -> bool:
        """Pause a channel for a reason, or let it go on (None). True when that changed anything.

        A pause with `until` ends by itself (`end_pauses`); another ends when a person says so.
        """
        values = {"paused": reason, "changed_at": at, "until": until if reason else None}
        change = self._insert(channel_states).values(channel=channel, **values)
        change = change.on_conflict_do_update(index_elements=["channel"], set_=values)
        query = select(channel_states.c.paused).where(channel_states.c.channel == channel)
        with self._write() as connection:
            if connection.execute(query).scalar() == reason:
                return False
            connection.execute(change)
        return True

    def end_pauses(self, at: datetime) -> None:
        """Let every channel go on whose pause was until now at the latest."""
        over = update(channel_states).where(channel_states.c.paused.is_not(None), channel_states.c.until <= at)
        with self._write() as connection:
            connection.execute(over.values(paused=None, until=None, changed_at=at))

    def fail_followers(self, delivery: Delivery, reason: str) -> int:
        """The parts after one that can never go out fail with it. Returns how many."""
        followers = update(deliveries).where(
            deliveries.c.draft_id == delivery.draft_id,
            deliveries.c.revision == delivery.revision,
            deliveries.c.position > delivery.position,
            deliveries.c.state == DeliveryState.PENDING,
        )
        with self._write() as connection:
            return self._change(connection, followers.values(state=DeliveryState.FAILED, reason=reason))

    def earlier_ids(self, delivery: Delivery) -> dict[int, str]:
        """The provider's ids of the operations before this one, by position."""
        query = select(deliveries.c.position, deliveries.c.provider_id).where(
            deliveries.c.draft_id == delivery.draft_id,
            deliveries.c.revision == delivery.revision,
            deliveries.c.position < delivery.position,
            deliveries.c.provider_id.is_not(None),
        )
        with self._read() as connection:
            return {row.position: row.provider_id for row in connection.execute(query)}


_OPEN = (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.HELD)
# One statement for any outcome, so that a thousand of them are one call of the driver (which takes no IN of several):
# None leaves what is there.
_RECORD = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("row"), or_(*(deliveries.c.state == state for state in _OPEN)))
    .values(
        state=bindparam("result"),
        reason=bindparam("why"),
        **{
            name: func.coalesce(bindparam(f"new_{name}", type_=deliveries.c[name].type), deliveries.c[name])
            for name in ("provider_id", "sent_at", "due_at")
        },
    )
)


def _record_values(outcome: Outcome, due_at: datetime | None, at: datetime) -> dict[str, Any]:
    return {
        "row": outcome.delivery_id,
        "result": outcome.state,
        "why": outcome.detail or None,
        "new_provider_id": outcome.provider_id or None,
        "new_sent_at": at if outcome.state is DeliveryState.SENT else None,
        "new_due_at": due_at,
    }


def _due(channel: ChannelName, at: datetime) -> Any:
    query = select(deliveries.c.id, deliveries.c.draft_id, deliveries.c.revision)
    query = query.add_columns(deliveries.c.track_opens, deliveries.c.track_clicks)
    query = query.where(
        deliveries.c.channel == channel, deliveries.c.state == DeliveryState.PENDING, deliveries.c.due_at <= at
    )
    if channel is not ChannelName.EMAIL:
        # A thread needs each part before; a playlist change that will never work does not stop those after it.
        finished = [DeliveryState.SENT, *([DeliveryState.FAILED] if channel is ChannelName.YOUTUBE else [])]
        unfinished_before = exists().where(
            _BEFORE.c.draft_id == deliveries.c.draft_id,
            _BEFORE.c.revision == deliveries.c.revision,
            _BEFORE.c.position < deliveries.c.position,
            _BEFORE.c.state.not_in(finished),
        )
        query = query.where(~unfinished_before)
    return query.order_by(deliveries.c.due_at, deliveries.c.draft_id, deliveries.c.position, deliveries.c.id)


def read_delivery_row(row: Row[Any]) -> Delivery:
    """A delivery from its row."""
    return Delivery(
        id=row.id,
        campaign_id=row.campaign_id,
        draft_id=row.draft_id,
        revision=row.revision,
        channel=ChannelName(row.channel),
        language=row.language,
        position=row.position,
        address=row.address,
        contact_id=row.contact_id,
        state=DeliveryState(row.state),
        reason=row.reason,
        attempts=row.attempts,
        due_at=row.due_at,
        claimed_at=row.claimed_at,
        sent_at=row.sent_at,
        provider_id=row.provider_id,
        track_opens=row.track_opens,
        track_clicks=row.track_clicks,
    )
