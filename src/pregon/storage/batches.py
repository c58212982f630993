"""Queries of mails that a provider keeps until their time: what was handed over, asked back, and is in the ledger again.

A claim joins its batch before its request leaves, so that a process killed at any instant leaves a ledger that knows: no
batch, and nothing left; a batch, and whatever left can be called back. Everything to do is found in the rows, whoever
wrote them: nobody has to remember that an approval was withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import distinct, exists, func, insert, literal, or_, select, update

from pregon.deliveries import AHEAD_MARK
from pregon.storage.base import Queries
from pregon.storage.conditions import due_again, in_state, not_sent
from pregon.storage.funnels import mark_stale
from pregon.storage.tables import batches, channel_states, deliveries, drafts
from pregon.types import Batch, BatchState, ChannelName, DeliveryState, DraftState, HandedOver, Mailing

_OUT = (BatchState.OPENED, BatchState.HANDED_OVER)
_BACK = (BatchState.CANCELLED, BatchState.RETURNED)
_CLOSED = (BatchState.CANCELLING, *_BACK, BatchState.GONE)
_CALLED_BACK = "called back from the provider before it left"
_NEVER_LEFT = "interrupted before it was handed over"
_DOUBTFUL = "called back so late that it may have left; the provider is asked what it sent"


def _claims(*conditions: Any) -> Any:
    return select(batches.c.claim).where(*conditions)


class BatchQueries(Queries):
    """Hand over and call back."""

    def join_batch(self, mailing: Mailing, batch: Batch, at: datetime) -> BatchState | None:
        """Write that a claim is about to be handed over with a batch: opened, then.

        cancelling when that batch has been asked back meanwhile (take another one); None when the mails are no longer
        this claim's, since its worker was taken for lost: nothing of it may be sent.
        """
        mine = select(deliveries.c.id).where(
            deliveries.c.id == mailing.rows[0][0],
            deliveries.c.claimed_by == mailing.claim,
            deliveries.c.state == DeliveryState.SENDING,
        )
        closed = _claims(batches.c.batch_id == batch.batch_id, batches.c.state.in_(_CLOSED)).limit(1)
        joined = insert(batches).values(
            claim=mailing.claim,
            batch_id=batch.batch_id,
            draft_id=mailing.draft_id,
            revision=mailing.revision,
            mails=len(mailing.rows),
            due_at=mailing.due_at or mailing.claimed_at,
            leaves_at=batch.leaves_at,
            state=BatchState.OPENED,
            changed_at=at,
        )
        with self._write() as connection:
            # Locked (PostgreSQL): who takes the worker for lost waits until it is known what it was about to do.
            if connection.execute(mine.with_for_update()).first() is None:
                return None
            if connection.execute(closed).first() is not None:
                return BatchState.CANCELLING
            connection.execute(joined)
        return BatchState.OPENED

    def close_claims(self, claims: Sequence[str], state: BatchState, at: datetime) -> None:
        """What became of the requests of these claims: handed_over, or unused."""
        done = update(batches).where(batches.c.claim.in_(claims), batches.c.state == BatchState.OPENED)
        with self._write() as connection:
            connection.execute(done.values(state=state, changed_at=at))

    def release_unopened(self, at: datetime) -> int:
        """Mails whose worker was lost before their claim had joined a batch: nothing of them left. Returns how many."""
        lost = update(deliveries).where(
            in_state(DeliveryState.UNKNOWN),
            deliveries.c.channel == ChannelName.EMAIL,
            deliveries.c.claimed_by.like(f"%{AHEAD_MARK}/%"),
            ~exists().where(batches.c.claim == deliveries.c.claimed_by),
        )
        values = {"state": DeliveryState.PENDING, "reason": _NEVER_LEFT, "due_at": due_again(at)}
        with self._write() as connection:
            statement = lost.values(**values, attempts=deliveries.c.attempts - 1)
            changed = connection.execute(statement.returning(deliveries.c.campaign_id)).scalars().all()
            mark_stale(self, connection, changed)
        return len(changed)

    def ask_back(self, at: datetime, latest: datetime) -> int:
        """Mark what is to be called back of that which leaves after `latest`. Returns how many claims.

        That is what nobody approves any more, what has mails whose outcome is unknown, and, while a person has paused
        mail, everything. A batch is called back as a whole.
        """
        approved = exists().where(
            drafts.c.id == batches.c.draft_id,
            drafts.c.state == DraftState.APPROVED,
            drafts.c.revision == batches.c.revision,
        )
        unknown = select(deliveries.c.claimed_by).where(
            in_state(DeliveryState.UNKNOWN), deliveries.c.claimed_by.is_not(None)
        )
        paused = exists().where(
            channel_states.c.channel == ChannelName.EMAIL, channel_states.c.paused.startswith("paused by ")
        )
        others = batches.alias("others")
        same = select(others.c.batch_id).where(others.c.state.in_((BatchState.CANCELLING, *_BACK)))
        out = update(batches).where(batches.c.state.in_(_OUT), batches.c.leaves_at > latest)
        asked = out.values(state=BatchState.CANCELLING, changed_at=at)
        with self._write() as connection:
            count = connection.execute(asked.where(or_(~approved, batches.c.claim.in_(unknown), paused))).rowcount
            return count + connection.execute(asked.where(batches.c.batch_id.in_(same))).rowcount

    def list_asked_back(self) -> tuple[Batch, ...]:
        """What has been asked back and not been read back, what leaves first before the others.

        Not while a request of it is on its way: whether a provider discards what reaches it after the call-back is not said
        anywhere. It comes back within seconds, or its worker is taken for lost.
        """
        flying = select(batches.c.batch_id).where(batches.c.claim.in_(_sending()))
        query = select(batches.c.batch_id, func.min(batches.c.leaves_at).label("leaves_at"))
        query = query.where(batches.c.state == BatchState.CANCELLING, batches.c.batch_id.not_in(flying))
        query = query.group_by(batches.c.batch_id)
        with self._read() as connection:
            rows = connection.execute(query.order_by(func.min(batches.c.leaves_at), batches.c.batch_id))
            return tuple(Batch(row.batch_id, row.leaves_at) for row in rows)

    def count_called_back(self, at: datetime) -> int:
        """How many batches are cancelled whose time has not come: a provider allows only so many."""
        query = select(func.count(distinct(batches.c.batch_id)))
        with self._read() as connection:
            return connection.execute(query.where(batches.c.state.in_(_BACK), batches.c.leaves_at > at)).scalar_one()

    def close_batch(self, batch_id: str, state: BatchState, at: datetime) -> None:
        """What was read back of a batch that had been asked back: cancelled, or gone."""
        asked = batches.c.state.in_((*_OUT, BatchState.CANCELLING))
        done = update(batches).where(batches.c.batch_id == batch_id, asked)
        with self._write() as connection:
            connection.execute(done.values(state=state, changed_at=at))

    def take_back(self, at: datetime) -> int:
        """What is cancelled is in the ledger as never sent: it waits, or was stopped if nobody approves it now. How many.

        A request that is still on its way is taken back when it has come back, or was taken for lost.
        """
        with self._write() as connection:
            found = select(distinct(batches.c.draft_id)).where(batches.c.state == BatchState.CANCELLED)
            drafts_back = connection.execute(found).scalars().all()
            count = sum(connection.execute(_take_back(draft_id)).rowcount for draft_id in drafts_back)
            over = update(batches).where(batches.c.state == BatchState.CANCELLED, batches.c.claim.not_in(_sending()))
            connection.execute(over.values(state=BatchState.RETURNED, changed_at=at))
            campaigns = select(drafts.c.campaign_id).where(drafts.c.id.in_(drafts_back))
            mark_stale(self, connection, connection.execute(campaigns).scalars().all())
        return count

    def doubt_batch(self, batch_id: str, at: datetime, until: datetime) -> int:
        """Nobody can say whether a batch was called back in time: its mails are unknown until the provider's log tells."""
        mine = _claims(batches.c.batch_id == batch_id, batches.c.state == BatchState.CANCELLING)
        drafts_of = select(batches.c.draft_id).where(batches.c.batch_id == batch_id)
        doubtful = update(deliveries).where(
            deliveries.c.draft_id.in_(drafts_of),
            deliveries.c.claimed_by.in_(mine),
            deliveries.c.state == DeliveryState.SENT,
        )
        values = {"state": DeliveryState.UNKNOWN, "reason": _DOUBTFUL, "due_at": until, "sent_at": None}
        with self._write() as connection:
            campaigns = (
                connection.execute(doubtful.values(**values).returning(deliveries.c.campaign_id)).scalars().all()
            )
            mark_stale(self, connection, campaigns)
            gone = update(batches).where(batches.c.batch_id == batch_id, batches.c.state == BatchState.CANCELLING)
            connection.execute(gone.values(state=BatchState.GONE, changed_at=at))
        return len(campaigns)

    def await_leaving(self, at: datetime, grace: timedelta) -> None:
        """Unknown mails that a provider may still keep are looked for in its log only `grace` after they would leave."""
        waiting = select(batches.c.claim, batches.c.draft_id, batches.c.leaves_at).where(
            batches.c.state.not_in((BatchState.RETURNED, BatchState.UNUSED)),
            batches.c.leaves_at > at - grace,
            batches.c.claim.in_(select(deliveries.c.claimed_by).where(in_state(DeliveryState.UNKNOWN))),
        )
        with self._write() as connection:
            for row in connection.execute(waiting).all():
                unknown = update(deliveries).where(
                    deliveries.c.draft_id == row.draft_id,
                    deliveries.c.claimed_by == row.claim,
                    deliveries.c.state == DeliveryState.UNKNOWN,
                )
                connection.execute(unknown.values(due_at=row.leaves_at + grace))

    def list_handed_over(self, draft_ids: Sequence[int], at: datetime, before: timedelta) -> tuple[HandedOver, ...]:
        """What a provider has of these drafts and has not sent yet; it can be called back until `before` it leaves."""
        is_asked = batches.c.state.in_((BatchState.CANCELLING, BatchState.CANCELLED)).label("is_asked_back")
        is_gone = (batches.c.state == BatchState.GONE).label("is_gone")
        alike = (batches.c.draft_id, batches.c.leaves_at, is_asked, is_gone)
        kept = batches.c.state.not_in((BatchState.UNUSED, BatchState.RETURNED))
        query = select(*alike, func.sum(batches.c.mails).label("mails")).group_by(*alike)
        query = query.where(batches.c.draft_id.in_(draft_ids), kept, batches.c.leaves_at > at)
        with self._read() as connection:
            rows = connection.execute(query.order_by(batches.c.draft_id, batches.c.leaves_at)).all()
        return tuple(
            HandedOver(
                draft_id=row.draft_id,
                leaves_at=row.leaves_at,
                until=row.leaves_at - before,
                mails=int(row.mails),
                is_asked_back=bool(row.is_asked_back),
                is_too_late=bool(row.is_gone) or at >= row.leaves_at - before,
            )
            for row in rows
        )


def _sending() -> Any:
    """The claims whose request is on its way."""
    return select(deliveries.c.claimed_by).where(in_state(DeliveryState.SENDING), deliveries.c.claimed_by.is_not(None))


def _take_back(draft_id: int) -> Any:
    """The ledger's rows of what was cancelled of a draft; each is due when it was, and its attempt does not count."""
    back = (batches.c.draft_id == draft_id, batches.c.state == BatchState.CANCELLED)
    mine = batches.c.claim == deliveries.c.claimed_by
    rows = update(deliveries).where(
        deliveries.c.draft_id == draft_id,
        deliveries.c.claimed_by.in_(_claims(*back)),
        deliveries.c.state.in_((DeliveryState.SENT, DeliveryState.UNKNOWN)),
    )
    return rows.values(
        **not_sent(literal(_CALLED_BACK)),
        due_at=select(batches.c.due_at).where(mine).scalar_subquery(),
        attempts=deliveries.c.attempts - 1,
        sent_at=None,
        provider_id=None,
    )
