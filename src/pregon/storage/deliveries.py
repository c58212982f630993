"""Queries of the deliveries stage: the ledger as it is held, released, settled and read. Claims are in `claims`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update

from pregon.deliveries import TOO_LATE
from pregon.errors import DecisionError
from pregon.storage.claims import read_delivery_row
from pregon.storage.conditions import due_again, expect_state, in_state, of_campaign
from pregon.storage.mailings import MailingQueries
from pregon.storage.tables import batches, channel_states, deliveries, drafts
from pregon.types import BatchState, ChannelName, Delivery, DeliveryState

_KEPT = (
    "The provider may keep these mails and send them at their time, unless they are called back first: release what is "
    "still unknown or held when that time has passed."
)


class DeliveryQueries(MailingQueries):
    """Settle, hold, release; and who got what."""

    def mark_lost_claims(self, claimed_before: datetime, at: datetime) -> int:
        """Claims whose worker never came back become unknown: the request may have left. Returns how many."""
        lost = update(deliveries).where(in_state(DeliveryState.SENDING), deliveries.c.claimed_at < claimed_before)
        reason = "the program stopped while sending; the provider is asked what it has"
        with self._write() as connection:
            return self._change(connection, lost.values(state=DeliveryState.UNKNOWN, reason=reason, due_at=at))

    def hold_late(self, due_before: datetime) -> int:
        """Hold whatever was due before this time: too old to go out without a person looking again.

        What is still going out is not: a quota may spread it over many days. Of that, something was sent since.
        """
        is_late = and_(in_state(DeliveryState.PENDING), deliveries.c.due_at < due_before)
        last = select(func.max(deliveries.c.sent_at))
        with self._write() as connection:
            waiting = connection.execute(select(deliveries.c.draft_id).where(is_late).distinct()).scalars().all()
            sent = {each: connection.execute(last.where(deliveries.c.draft_id == each)).scalar() for each in waiting}
            stuck = [each for each, at in sent.items() if at is None or at < due_before]
            late = update(deliveries).where(is_late, deliveries.c.draft_id.in_(stuck))
            return self._change(connection, late.values(state=DeliveryState.HELD, reason=TOO_LATE, in_doubt=False))

    def hold_draft(self, draft_id: int, revision: int, reason: str, claimed: Sequence[str] = ()) -> int:
        """Hold what is pending of a revision, and what the caller has claimed of it and not sent.

        What others have claimed may be on its way: its outcome is recorded, or it is settled like any lost claim.
        """
        own = and_(deliveries.c.draft_id == draft_id, deliveries.c.revision == revision)
        mine = and_(self._among(claimed), expect_state(DeliveryState.SENDING))
        statement = update(deliveries).where(own, or_(in_state(DeliveryState.PENDING), mine))
        with self._write() as connection:
            return self._change(connection, statement.values(state=DeliveryState.HELD, reason=reason, in_doubt=False))

    def release_deliveries(self, ids: Sequence[str], state: DeliveryState, reason: str, at: datetime) -> int:
        """A person's word on held or unknown deliveries: sent (settled by hand) or pending (send again, counted anew).

        What was approved for a later time waits for it. Raises `DecisionError` when a provider may still keep some of it.
        """
        open_row = and_(deliveries.c.id.in_(ids), deliveries.c.state.in_((DeliveryState.HELD, DeliveryState.UNKNOWN)))
        statement = update(deliveries).where(open_row)
        is_kept = and_(batches.c.state.not_in((BatchState.UNUSED, BatchState.RETURNED)), batches.c.leaves_at > at)
        kept = select(batches.c.claim).where(is_kept, batches.c.claim == deliveries.c.claimed_by).exists()
        with self._write() as connection:
            again = select(deliveries.c.id).where(open_row, kept).limit(1)
            if state is DeliveryState.PENDING and connection.execute(again).first() is not None:
                raise DecisionError(_KEPT)
            own = {"sent_at": at} if state is DeliveryState.SENT else {"attempts": 0}
            return self._change(connection, statement.values(state=state, reason=reason, due_at=due_again(at), **own))

    def list_unknown(self, channel: ChannelName, at: datetime) -> tuple[Delivery, ...]:
        """Deliveries whose outcome is unknown and that are due to be settled."""
        query = select(deliveries).where(
            deliveries.c.channel == channel, in_state(DeliveryState.UNKNOWN), deliveries.c.due_at <= at
        )
        with self._read() as connection:
            return tuple(
                map(read_delivery_row, connection.execute(query.order_by(deliveries.c.draft_id, deliveries.c.position)))
            )

    def list_deliveries(self, campaign_id: int) -> tuple[Delivery, ...]:
        """Every row of a campaign's ledger."""
        query = select(deliveries).where(of_campaign(campaign_id))
        query = query.order_by(deliveries.c.draft_id, deliveries.c.position, deliveries.c.address)
        with self._read() as connection:
            return tuple(map(read_delivery_row, connection.execute(query)))

    def read_delivery(self, delivery_id: str) -> Delivery | None:
        """One row of the ledger."""
        with self._read() as connection:
            row = connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).first()
        return None if row is None else read_delivery_row(row)

    def read_deliveries(self, ids: Sequence[str]) -> dict[str, Delivery]:
        """Rows of the ledger by id; ids that it does not know are missing."""
        with self._read() as connection:
            rows = connection.execute(select(deliveries).where(self._among(ids))) if ids else ()
            return {row.id: read_delivery_row(row) for row in rows}

    def previous_part(self, delivery: Delivery) -> str | None:
        """The provider's id of the last thread part before this one that has one: a part posted by hand has none."""
        query = select(deliveries.c.provider_id).where(
            deliveries.c.draft_id == delivery.draft_id,
            deliveries.c.revision == delivery.revision,
            deliveries.c.position < delivery.position,
            deliveries.c.state == DeliveryState.SENT,
            deliveries.c.provider_id.is_not(None),
        )
        with self._read() as connection:
            return connection.execute(query.order_by(deliveries.c.position.desc()).limit(1)).scalar()

    def sent_deliveries(self, channel: ChannelName, since: datetime) -> tuple[Delivery, ...]:
        """What a channel sent since then: what its counters are polled for."""
        own = deliveries.c.draft_id.in_(select(drafts.c.id).where(drafts.c.channel == channel))
        query = select(deliveries).where(own, deliveries.c.state == DeliveryState.SENT, deliveries.c.sent_at >= since)
        with self._read() as connection:
            return tuple(map(read_delivery_row, connection.execute(query)))

    def read_pause(self, channel: ChannelName) -> str | None:
        """Why a channel is paused, or None."""
        with self._read() as connection:
            query = select(channel_states.c.paused).where(channel_states.c.channel == channel)
            return connection.execute(query).scalar()

    def add_pause(self, channel: ChannelName, reason: str, at: datetime, until: datetime | None = None) -> bool:
        """Pause a channel unless it is paused, which stays as it is. True when that changed anything.

        A pause with `until` ends by itself (`end_pauses`); another ends when a person says so.
        """
        values = {"paused": reason, "changed_at": at, "until": until}
        change = self._insert(channel_states).values(channel=channel, **values)
        free = channel_states.c.paused.is_(None)
        change = change.on_conflict_do_update(index_elements=["channel"], set_=values, where=free)
        with self._write() as connection:
            return connection.execute(change.returning(channel_states.c.channel)).first() is not None

    def write_pause(self, channel: ChannelName, reason: str | None, at: datetime) -> bool:
        """Pause a channel until a person says so, whatever has paused it, or let it go on (None). True when that changed anything."""
        values = {"paused": reason, "changed_at": at, "until": None}
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
