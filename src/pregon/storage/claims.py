"""Queries of sending: due work is claimed by one worker, and what became of it is recorded. Each is one transaction.

Work is claimed by conditional UPDATE; the rows that it returns are the truth, whatever was read before.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    Row,
    String,
    and_,
    any_,
    distinct,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    type_coerce,
    update,
)  # fmt: skip

from pregon.deliveries import NOT_POSTED
from pregon.drafts import POST_CHANNELS
from pregon.storage.base import Queries
from pregon.storage.conditions import expect_state, in_state, not_sent
from pregon.storage.funnels import mark_stale
from pregon.storage.tables import UtcTime, deliveries, drafts, receipts
from pregon.types import ChannelName, Delivery, DeliveryState, Outcome

_BEFORE = deliveries.alias("before")
_Recorded = tuple[Outcome, datetime | None]


class ClaimQueries(Queries):
    """Claim and record."""

    def claim_due(self, channel: ChannelName, limit: int, worker: str, at: datetime) -> tuple[Delivery, ...]:
        """Claim up to `limit` due parts of one thread or operations of one playlist plan; () when nothing is due.

        A thread part is due only when every one before it is sent, a playlist operation when every one before it is
        sent or has failed. Newsletters are claimed by `exchange_mailings`.
        """
        with self._write() as connection:
            first = connection.execute(_due(channel, at).limit(1)).first()
            if first is None:
                return ()
            alike = _due(channel, at).where(
                deliveries.c.draft_id == first.draft_id, deliveries.c.revision == first.revision
            )
            due = [row.id for row in connection.execute(alike.limit(limit))]
            claim = update(deliveries).where(self._among(due), expect_state(DeliveryState.PENDING)).values(
                state=DeliveryState.SENDING, claimed_at=at, claimed_by=worker, attempts=deliveries.c.attempts + 1
            )  # fmt: skip
            claimed = connection.execute(claim.returning(deliveries)).all()
            mark_stale(self, connection, {row.campaign_id for row in claimed})
        return tuple(sorted(map(read_delivery_row, claimed), key=lambda row: (row.position, row.id)))

    def record_outcomes(
        self,
        outcomes: Sequence[_Recorded],
        kind: str,
        at: datetime,
        rows: Mapping[str, Delivery] = MappingProxyType({}),
    ) -> None:
        """Write what became of claimed or unknown deliveries; each outcome comes with the time of its next try.

        `kind` is send, settle or event. `rows` are the deliveries as they were claimed, or read to be settled: what became of that
        claim says nothing about a later one, so a row that was claimed again is not touched, nor one that somebody else
        has brought to an end. That something is out is true whoever claims it now. A thread ends with a part that failed.
        """
        groups: defaultdict[tuple[Any, ...], list[Outcome]] = defaultdict(list)
        for outcome, due_at in outcomes:
            groups[outcome.state, outcome.detail, outcome.is_unsent, outcome.in_doubt, due_at].append(outcome)
        with self._write() as connection:
            for (*_, due_at), group in groups.items():
                self._record_alike(connection, group, due_at, kind, at, rows)
            for outcome, _ in outcomes:
                if outcome.state is DeliveryState.FAILED:
                    _fail_followers(connection, outcome, rows.get(outcome.delivery_id))
            touched = select(distinct(deliveries.c.campaign_id)).where(
                self._among([outcome.delivery_id for outcome, _ in outcomes])
            )
            mark_stale(self, connection, connection.execute(touched).scalars())

    def _record_alike(
        self,
        connection: Connection,
        group: Sequence[Outcome],
        due_at: datetime | None,
        kind: str,
        at: datetime,
        rows: Mapping[str, Delivery],
    ) -> None:
        """Record deliveries of which the same became, whatever the provider's ids and answers are, in two statements."""
        state, detail = group[0].state, group[0].detail
        is_sent = state is DeliveryState.SENT
        marks = [None if is_sent else self._mark_claim(rows.get(each.delivery_id)) for each in group]
        given = self._table(
            [(each.delivery_id, each.provider_id, each.raw, mark) for each, mark in zip(group, marks, strict=True)]
        )
        receipt = {"kind": kind, "state": state.value, "detail": detail, "at": at}
        constants = [literal(value, receipts.c[name].type) for name, value in receipt.items()]
        told = select(given.c.id, given.c.raw, *constants)
        if state is DeliveryState.UNKNOWN:
            # As unknown as before, for the same reason, is no news: a log that lags for hours is asked every few minutes.
            same = and_(expect_state(DeliveryState.UNKNOWN), func.coalesce(deliveries.c.reason, "") == detail)
            told = told.join_from(given, deliveries, deliveries.c.id == given.c.id).where(not_(same))
        connection.execute(insert(receipts).from_select(["delivery_id", "raw", *receipt], told))
        changed: dict[str, Any] = {"state": state, "reason": detail or None}
        changed |= {"provider_id": func.coalesce(given.c.provider_id, deliveries.c.provider_id)}
        changed |= {"due_at": due_at} if due_at else {}
        changed |= {"sent_at": at} if is_sent else {}
        changed |= {"in_doubt": group[0].in_doubt} if state is DeliveryState.HELD else {}
        # A question that never reached the provider is no attempt either, but it was never counted as one.
        changed |= {"attempts": deliveries.c.attempts - 1} if group[0].is_unsent and kind == "send" else {}
        changed |= not_sent(literal(detail or None, String)) if state is DeliveryState.PENDING else {}
        if state is DeliveryState.PENDING:
            # Locked (PostgreSQL): who is stopping the draft just now is waited for, or waits and finds these rows.
            stopping = select(deliveries.c.draft_id).where(self._among([each.delivery_id for each in group]))
            connection.execute(select(drafts.c.id).where(drafts.c.id.in_(stopping)).with_for_update(read=True))
        open_states = _STILL_OUT if is_sent else _SETTLED if kind == "settle" else _OPEN
        record = update(deliveries).where(
            deliveries.c.id == given.c.id,
            or_(*map(expect_state, open_states)),
            or_(given.c.claim.is_(None), given.c.claim == _CLAIM_MARK),
        )
        connection.execute(record.values(**changed))

    def _mark_claim(self, row: Delivery | None) -> str | None:
        """One claim of a delivery: its worker's mark, which may be the same for all claims of that worker, and its time."""
        if row is None:
            return None
        claimed_at = UtcTime().process_bind_param(row.claimed_at, self.engine.dialect)
        return f"{row.claimed_by or ''} {claimed_at or ''}"

    def _table(self, rows: Sequence[tuple[str, str | None, str, str | None]]) -> Any:
        """Deliveries, their ids at the provider, its answers and their claims as a table: few parameters, however many they are."""
        names = ("id", "provider_id", "raw", "claim")
        if self.engine.dialect.name == "postgresql":
            columns = (literal(list(each), ARRAY(String)) for each in zip(*rows, strict=True))
            return func.unnest(*columns).table_valued(*names).render_derived("given")
        entry = func.json_each(literal(json.dumps(rows))).table_valued("value").c.value
        parts = (func.json_extract(entry, f"$[{place}]").label(name) for place, name in enumerate(names))
        return select(*parts).subquery("given")

    def _among(self, ids: Sequence[str]) -> Any:
        """Whether a delivery is one of these: one parameter, however many they are."""
        if self.engine.dialect.name == "postgresql":
            return deliveries.c.id == any_(literal(list(ids), ARRAY(String)))
        given = func.json_each(literal(json.dumps(list(ids)))).table_valued("value")
        return deliveries.c.id.in_(select(given.c.value))

    def _change(self, connection: Connection, statement: Any) -> int:
        """Run an UPDATE of deliveries; the figures of the campaigns it touches no longer hold. Returns how many rows."""
        changed = connection.execute(statement.returning(deliveries.c.campaign_id)).scalars().all()
        mark_stale(self, connection, changed)
        return len(changed)


_OPEN = (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.HELD)
_SETTLED = (DeliveryState.UNKNOWN,)
# What was taken for absent, and perhaps stopped as such, is out after all.
_STILL_OUT = (*_OPEN, DeliveryState.PENDING, DeliveryState.SUPPRESSED)
_CLAIM_MARK = (
    func.coalesce(deliveries.c.claimed_by, "")
    .concat(" ")
    .concat(func.coalesce(type_coerce(deliveries.c.claimed_at, String), ""))
)


def _fail_followers(connection: Connection, outcome: Outcome, row: Delivery | None) -> None:
    """The parts of a thread after one that can never go out fail with it, if that is what has been recorded of it."""
    if row is None or row.channel not in POST_CHANNELS:
        return
    has_failed = exists().where(_BEFORE.c.id == row.id, _BEFORE.c.state == DeliveryState.FAILED)
    followers = update(deliveries).where(
        deliveries.c.draft_id == row.draft_id,
        deliveries.c.revision == row.revision,
        deliveries.c.position > row.position,
        deliveries.c.state == DeliveryState.PENDING,
        has_failed,
    )
    connection.execute(followers.values(state=DeliveryState.FAILED, reason=f"{NOT_POSTED}: {outcome.detail}"))


def _due(channel: ChannelName, at: datetime) -> Any:
    """What of a thread or a playlist plan is due."""
    # A thread needs each part before; a playlist change that will never work does not stop those after it.
    finished = [DeliveryState.SENT, *([DeliveryState.FAILED] if channel is ChannelName.YOUTUBE else [])]
    unfinished_before = exists().where(
        _BEFORE.c.draft_id == deliveries.c.draft_id,
        _BEFORE.c.revision == deliveries.c.revision,
        _BEFORE.c.position < deliveries.c.position,
        _BEFORE.c.state.not_in(finished),
    )
    query = select(deliveries.c.id, deliveries.c.draft_id, deliveries.c.revision).where(
        deliveries.c.channel == channel,
        in_state(DeliveryState.PENDING),
        deliveries.c.due_at <= at,
        ~unfinished_before,
    )
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
        claimed_by=row.claimed_by,
    )
