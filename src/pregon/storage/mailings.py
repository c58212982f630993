"""Queries of sending newsletters by the thousand: what came back is recorded and what is due is claimed, in one commit.

The same rules as `claims`, by statements that write a whole request at once. A million rows go through here, so they
leave and come back as tuples, and SQLite hands them over in one step instead of a thousand.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Row,
    String,
    and_,
    any_,
    case,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)  # fmt: skip

from pregon.storage.claims import ClaimQueries, expect_state, in_state
from pregon.storage.funnels import mark_stale
from pregon.storage.tables import approvals, channel_states, contacts, deliveries, drafts, receipts, suppressions
from pregon.types import ChannelName, Decision, DeliveryState, DraftState, Mailing, Outcome

_ALIKE = ("campaign_id", "draft_id", "revision", "language", "track_opens", "track_clicks")
_ROWID: ColumnElement[int] = literal_column("deliveries.rowid")


class MailingQueries(ClaimQueries):
    """Record and claim newsletters."""

    def exchange_mailings(
        self, finished: Sequence[tuple[Mailing, Outcome]], count: int, limit: int, worker: str, at: datetime
    ) -> tuple[Mailing, ...]:
        """Record what became of whole mailings, and claim up to `count` more of up to `limit` mails each.

        Nothing is claimed while mail is paused. An address that was suppressed or unsubscribed since planning is taken
        out by the claim itself, so that this is effective for everything not yet claimed.
        """
        with self._write() as connection:
            for mailing, outcome in finished:
                self._record_mailing(connection, mailing, outcome, at)
            claimed = self._claim_mailings(connection, count, limit, worker, at) if count else ()
            touched = {mailing.campaign_id for mailing, _ in finished} | {mailing.campaign_id for mailing in claimed}
            mark_stale(self, connection, touched)
        return tuple(mailing for mailing in claimed if mailing.rows)

    # --- claiming

    def _claim_mailings(
        self, connection: Connection, count: int, limit: int, worker: str, at: datetime
    ) -> tuple[Mailing, ...]:
        """The mailings that were claimed, and one without rows for each look that found only what may not be sent."""
        paused = select(channel_states.c.paused).where(channel_states.c.channel == ChannelName.EMAIL)
        if connection.execute(paused).scalar():
            return ()
        found: list[Mailing] = []
        while sum(bool(mailing.rows) for mailing in found) < count:
            mailing = self._claim_next(connection, limit, worker, at)
            if mailing is None:
                break
            found.append(mailing)
        return tuple(found)

    def _claim_next(self, connection: Connection, limit: int, worker: str, at: datetime) -> Mailing | None:
        due = and_(
            deliveries.c.channel == ChannelName.EMAIL, in_state(DeliveryState.PENDING), deliveries.c.due_at <= at
        )
        # In no order but the time: a million mails due at once are not sorted again for every thousand of them.
        # What another worker is about to claim is passed over (PostgreSQL; SQLite has one writer at a time).
        columns = [deliveries.c[name] for name in _ALIKE]
        first = select(*columns).where(due).order_by(deliveries.c.due_at).limit(1)
        alike = connection.execute(first.with_for_update(skip_locked=True)).first()
        if alike is None:
            return None
        places = self._read_places(
            connection, and_(due, *(deliveries.c[name] == alike._mapping[name] for name in _ALIKE)), limit
        )
        claim = f"{worker}/{secrets.token_hex(6)}"
        sendable = and_(self._at_places(places), expect_state(DeliveryState.PENDING), ~_REFUSED)
        values = {"state": DeliveryState.SENDING, "claimed_at": at, "claimed_by": claim}
        change = update(deliveries).where(sendable).values(attempts=deliveries.c.attempts + 1, **values)
        if connection.execute(change).rowcount < len(places):
            self._take_out(connection, places)
        return self._read_claimed(connection, alike, places, claim, at)

    def _read_places(self, connection: Connection, alike: Any, limit: int) -> list[int | str]:
        """Where the next due rows are: their numbers in SQLite, which are found twice as fast as ids, else their ids."""
        query = select(self._place().label("place")).where(alike).order_by(deliveries.c.due_at).limit(limit)
        if self._is_postgres():
            return list(connection.execute(query.with_for_update(skip_locked=True)).scalars())
        gathered = select(func.json_group_array(literal_column("place"))).select_from(query.subquery())
        return list(json.loads(connection.execute(gathered).scalar_one()))

    def _take_out(self, connection: Connection, places: Sequence[int | str]) -> None:
        reason = case((_IS_SUPPRESSED, "suppressed after planning"), else_="unsubscribed after planning")
        refused = update(deliveries).where(self._at_places(places), expect_state(DeliveryState.PENDING), _REFUSED)
        connection.execute(refused.values(state=DeliveryState.SUPPRESSED, reason=reason))

    def _read_claimed(
        self, connection: Connection, alike: Row[Any], places: list[int | str], claim: str, at: datetime
    ) -> Mailing:
        name = func.coalesce(contacts.c.name, "").label("name")
        query = select(deliveries.c.id, deliveries.c.address, name, deliveries.c.attempts)
        query = query.select_from(deliveries.outerjoin(contacts, contacts.c.id == deliveries.c.contact_id))
        query = query.where(self._at_places(places), deliveries.c.claimed_by == claim)
        if self._is_postgres():
            rows = [tuple(row) for row in connection.execute(query)]
        else:
            entries = func.json_array(*(literal_column(each) for each in ("id", "address", "name", "attempts")))
            gathered = select(func.json_group_array(entries)).select_from(query.subquery())
            rows = json.loads(connection.execute(gathered).scalar_one())
        return Mailing(
            **alike._mapping,
            approved_digest=_read_approved_digest(connection, alike.draft_id, alike.revision),
            claim=claim,
            claimed_at=at,
            rows=rows,
            places=places,
        )

    # --- recording

    def _record_mailing(self, connection: Connection, mailing: Mailing, outcome: Outcome, at: datetime) -> None:
        """The same outcome for each row of a mailing, with one receipt for all of them."""
        state, detail = outcome.state, outcome.detail
        receipt = insert(receipts).values(
            delivery_id=mailing.rows[0][0], kind="send", state=state, detail=detail, raw=outcome.raw, at=at
        )
        (receipt_id,) = connection.execute(receipt).inserted_primary_key  # type: ignore[misc]
        given = {"provider_id": outcome.provider_id, "sent_at": at if state is DeliveryState.SENT else None}
        values = {name: value for name, value in given.items() if value} | {"state": state, "receipt_id": receipt_id}
        change = update(deliveries).values(reason=detail or None, **values)
        # The claim says which rows, the places only where they are.
        mine = and_(deliveries.c.claimed_by == mailing.claim, expect_state(DeliveryState.SENDING))
        if connection.execute(change.where(self._at_places(mailing.places), mine)).rowcount < len(mailing.rows):
            # Something was taken for lost meanwhile, or lies elsewhere by now.
            still = or_(*map(expect_state, (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.HELD)))
            connection.execute(change.where(self._among([row[0] for row in mailing.rows]), still))

    def _is_postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def _place(self) -> Any:
        return deliveries.c.id if self._is_postgres() else _ROWID

    def _at_places(self, places: Sequence[int | str]) -> Any:
        if self._is_postgres():
            return deliveries.c.id == any_(literal(list(places), ARRAY(String)))
        listed = func.json_each(literal(json.dumps(list(places)))).table_valued("value")
        return _ROWID.in_(select(listed.c.value))


_IS_SUPPRESSED = exists().where(suppressions.c.address == func.lower(deliveries.c.address))
_REFUSED = or_(
    _IS_SUPPRESSED,
    exists().where(contacts.c.id == deliveries.c.contact_id, contacts.c.state != "subscribed"),
)


def _read_approved_digest(connection: Connection, draft_id: int, revision: int) -> str | None:
    """What the standing approval of this revision binds; None when the draft is not approved in it."""
    decided = approvals.c.decision.in_((Decision.APPROVED, Decision.WITHDRAWN))
    joined = drafts.join(approvals, and_(approvals.c.draft_id == drafts.c.id, decided))
    query = select(drafts.c.state, approvals.c.decision, approvals.c.revision, approvals.c.digest)
    query = query.select_from(joined).where(drafts.c.id == draft_id).order_by(approvals.c.id.desc()).limit(1)
    last = connection.execute(query).first()
    if last is None or (last.state, last.decision, last.revision) != (DraftState.APPROVED, Decision.APPROVED, revision):
        return None
    return str(last.digest)
