"""Queries of sending newsletters by the thousand: what came back is recorded and what is due is claimed, in one commit.

The same rules as `claims`, by statements that write a whole request at once. A million rows go through here, so they
leave and come back as tuples, SQLite hands them over in one step instead of a thousand, and the statements are kept as
text: building them anew for each request took as long as running them.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row

from pregon.storage.claims import ClaimQueries
from pregon.storage.funnels import mark_stale
from pregon.storage.tables import UtcTime
from pregon.types import Budget, DeliveryState, Mailing, MailRow, Outcome

# In these, {name} is a value, {place} where a row lies (its number in SQLite; in PostgreSQL a change moves it) and
# {at_places} whether a row is among the given ones. States are literals, so that the index of that state is used; for
# rows that are found otherwise they are expressions, so that it is not. So is the draft of what is pending: its index
# leads to everything that has long been sent.
_PAUSED = "SELECT paused FROM channel_states WHERE channel = 'email'"
# In no order but the time: a million mails due at once are not sorted again for every thousand of them. What another
# worker is about to claim is passed over (PostgreSQL; SQLite has one writer at a time).
_FIRST = (
    "SELECT campaign_id, draft_id, revision, language, track_opens, track_clicks, due_at FROM deliveries "
    "WHERE channel = 'email' AND state = 'pending' AND due_at <= {until} "
    "AND (due_at <= {at} OR attempts = 0) ORDER BY due_at LIMIT 1 {skip}"
)
# PostgreSQL sorts all that is due for each question while it has no figures of what was just planned.
_BY_INDEX = "SET LOCAL enable_sort = off"
_ALIKE = (
    "draft_id + 0 = {draft_id} AND revision = {revision} AND language = {language} "
    "AND track_opens = {track_opens} AND track_clicks = {track_clicks}"
)
_PLACES = (
    "SELECT {place} AS place FROM deliveries WHERE channel = 'email' AND state = 'pending' AND due_at <= {latest} "  # noqa: S608 - constants
    "AND " + _ALIKE + " AND (due_at <= {at} OR attempts = 0) ORDER BY due_at LIMIT {limit} {skip}"
)
_SUPPRESSED = "EXISTS (SELECT 1 FROM suppressions s WHERE s.address = lower(deliveries.address))"
_LEFT = "EXISTS (SELECT 1 FROM contacts c WHERE c.id = deliveries.contact_id AND c.state <> 'subscribed')"
_REFUSED = f"({_SUPPRESSED} OR {_LEFT})"
# Whoever is sent to is looked up anyway, so a yes to tracking that was taken back is found for nothing.
_CHANGED = (
    "EXISTS (SELECT 1 FROM contacts c WHERE c.id = deliveries.contact_id AND (c.state <> 'subscribed' "
    "OR deliveries.track_opens AND c.open_tracking <> 'granted' "
    "OR deliveries.track_clicks AND c.click_tracking <> 'granted'))"
)
_CLAIM = (
    "UPDATE deliveries SET state = 'sending', claimed_at = {at}, claimed_by = {claim}, attempts = attempts + 1 "  # noqa: S608 - constants
    "WHERE {at_places} AND state || '' = 'pending' AND " + _ALIKE + f" AND NOT ({_SUPPRESSED} OR {_CHANGED})"
)
# What is planned as tracked leaves without what is not agreed to any more: the next look claims it with its like.
_AGREES = "EXISTS (SELECT 1 FROM contacts c WHERE c.id = deliveries.contact_id AND c."
_UNTRACK = (
    "UPDATE deliveries SET track_opens = track_opens AND " + _AGREES + "open_tracking = 'granted'), "  # noqa: S608 - constants
    "track_clicks = track_clicks AND " + _AGREES + "click_tracking = 'granted') "
    "WHERE {at_places} AND state || '' = 'pending'"
)
_TAKE_OUT = (
    "UPDATE deliveries SET state = 'suppressed', reason = CASE WHEN " + _SUPPRESSED + " THEN 'suppressed' "  # noqa: S608 - constants
    "ELSE 'unsubscribed' END || ' after planning' WHERE {at_places} AND state || '' = 'pending' AND " + _REFUSED
)
_CLAIMED = (
    "SELECT deliveries.id AS id, deliveries.address AS address, coalesce(contacts.name, '') AS name, attempts "
    "FROM deliveries LEFT JOIN contacts ON contacts.id = deliveries.contact_id WHERE {at_places} AND claimed_by = {claim}"
)
# PostgreSQL says what it claimed at once; SQLite would do so row by row.
_RETURNING = (
    " RETURNING deliveries.id, deliveries.address, "
    "coalesce((SELECT c.name FROM contacts c WHERE c.id = deliveries.contact_id), ''), attempts, {place} AS place"
)
# The decision that stands: the last yes or withdrawal.
_STANDING = (
    "SELECT a.digest FROM drafts d JOIN approvals a ON a.draft_id = d.id WHERE d.id = {draft_id} "
    "AND d.state = 'approved' AND a.decision = 'approved' AND a.revision = {revision} AND a.id = (SELECT max(b.id) "
    "FROM approvals b WHERE b.draft_id = {draft_id} AND b.decision IN ('approved', 'withdrawn'))"
)
_MAY_LEAVE = f"{_STANDING} AND NOT EXISTS ({_PAUSED} AND paused IS NOT NULL)"
_RECEIPT = (
    "INSERT INTO receipts (delivery_id, kind, state, detail, raw, at) "
    "VALUES ({delivery_id}, 'send', {state}, {detail}, {raw}, {at}) RETURNING id"
)
_RECORD = (
    "UPDATE deliveries SET state = {state}, reason = {detail}, provider_id = coalesce({provider_id}, provider_id), "
    "sent_at = coalesce({sent_at}, sent_at), receipt_id = {receipt_id} WHERE "
)
# The claim says which rows, the places only where they are.
_MINE = _RECORD + "{at_places} AND claimed_by = {claim} AND state || '' = 'sending'"
# What was taken for absent, and stopped as such, is out all the same.
_STILL_OPEN = _RECORD + "{among} AND state || '' IN ('sending', 'unknown', 'held', 'pending', 'suppressed')"
# What the provider keeps until its time may have been called back since, and claimed by somebody else.
_STILL_KEPT = _RECORD + "{among} AND claimed_by = {claim} AND state || '' IN ('sending', 'unknown', 'held')"

_OPEN_BUDGET = "INSERT INTO quota_use (channel, day, units) VALUES ({name}, {period}, 0) ON CONFLICT DO NOTHING"
_READ_BUDGET = "SELECT units FROM quota_use WHERE channel = {name} AND day = {period} {lock}"
_CLOSE_BUDGETS = "DELETE FROM quota_use WHERE channel = {name} AND day < {period}"
_USE = "UPDATE quota_use SET units = units + {used} WHERE channel = {name} AND day = {period}"

_SQLITE = {
    "place": "deliveries.rowid",
    "skip": "",
    "lock": "",
    "at_places": "deliveries.rowid IN (SELECT value FROM json_each(:places))",
    "among": "deliveries.id IN (SELECT value FROM json_each(:ids))",
}
_POSTGRES = {
    "place": "deliveries.ctid::text",
    "skip": "FOR UPDATE SKIP LOCKED",
    "lock": "FOR UPDATE",
    "at_places": "deliveries.ctid = ANY(CAST(%(places)s AS tid[]))",
    "among": "deliveries.id = ANY(%(ids)s)",
}


class MailingQueries(ClaimQueries):
    """Record and claim newsletters."""

    def exchange_mailings(
        self,
        finished: Sequence[tuple[Mailing, Outcome]],
        count: int,
        limit: int,
        worker: str,
        at: datetime,
        budgets: Sequence[Budget] = (),
        *,
        until: datetime | None = None,
    ) -> tuple[Mailing, ...]:
        """Record what became of whole mailings, and claim up to `count` more of up to `limit` mails each.

        Nothing is claimed while mail is paused, and no more than is left of each budget. An address that was suppressed
        or unsubscribed since planning is taken out by the claim itself, and a yes to tracking that was taken back since is
        gone from what it claims, so that both are effective for everything not yet claimed. With `until` what is due by then is claimed ahead: a mailing that is due later than `at` has mails of
        one time alone. What was refused once waits for its time.
        """
        with self._write() as connection:
            run = _Statements(connection, at, until or at)
            for mailing, outcome in finished:
                _record_mailing(run, mailing, outcome)
            claimed = _claim_mailings(run, count, limit, worker, budgets) if count else ()
            mark_stale(self, connection, {each.campaign_id for each in (*(done for done, _ in finished), *claimed)})
        return tuple(mailing for mailing in claimed if mailing.rows)

    def may_leave(self, mailing: Mailing) -> bool:
        """Whether what was claimed may still leave: mail is not paused, and the approval stands that the claim read."""
        with self._read() as connection:
            run = _Statements(connection, mailing.claimed_at, mailing.claimed_at)
            standing = run(_MAY_LEAVE, draft_id=mailing.draft_id, revision=mailing.revision).scalar()
            return standing is not None and standing == mailing.approved_digest


class _Statements:
    """Runs the texts above on one connection, in its database's way of writing them."""

    def __init__(self, connection: Connection, at: datetime, until: datetime) -> None:
        self._connection, self.at = connection, at
        self.is_postgres = connection.dialect.name == "postgresql"
        self.moment, self.until = self.write_time(at), self.write_time(until)

    def __call__(self, statement: str, **values: Any) -> Any:
        return self._connection.exec_driver_sql(_write(statement, self.is_postgres), {"at": self.moment, **values})

    def write_time(self, at: datetime) -> str:
        """A time as the ledger has it; such texts compare as the times do."""
        return UtcTime().process_bind_param(at, self._connection.dialect) or ""

    def several(self, values: Sequence[Any]) -> Any:
        """Values as one parameter."""
        return list(values) if self.is_postgres else json.dumps(values)

    def read_all(self, statement: str, columns: str, **values: Any) -> list[Any]:
        """The rows as tuples, of one column as values. SQLite gathers each column into one JSON text.

        A column and not a row each: a thousand lists would have Python look through everything it holds, again and again.
        """
        names = columns.split(", ")
        if self.is_postgres:
            found = self(statement, **values)
            return list(found.scalars()) if len(names) == 1 else list(map(tuple, found))
        gathered = ", ".join(f"json_group_array({name})" for name in names)
        texts = self(f"SELECT {gathered} FROM ({statement})", **values).one()  # noqa: S608 - constants
        parts = [json.loads(text) for text in texts]
        return parts[0] if len(names) == 1 else list(zip(*parts, strict=True))


@lru_cache(maxsize=64)
def _write(statement: str, is_postgres: bool) -> str:
    parts = _POSTGRES if is_postgres else _SQLITE
    mark = "%({})s" if is_postgres else ":{}"
    return re.sub(r"\{(\w+)\}", lambda found: parts.get(found[1], mark.format(found[1])), statement)


# --- claiming


def _claim_mailings(
    run: _Statements, count: int, limit: int, worker: str, budgets: Sequence[Budget]
) -> tuple[Mailing, ...]:
    """The mailings that were claimed, and one without rows for each look that found only what may not be sent."""
    if run(_PAUSED).scalar():
        return ()
    if run.is_postgres:
        run(_BY_INDEX)
    left = _read_budgets(run, budgets)
    found: list[Mailing] = []
    while left and sum(bool(mailing.rows) for mailing in found) < count:
        mailing = _claim_next(run, min(limit, left), worker)
        if mailing is None:
            break
        found.append(mailing)
        left -= len(mailing.rows)
    used = sum(len(mailing.rows) for mailing in found)
    for budget in budgets if used else ():
        run(_USE, name=budget.name, period=budget.period, used=used)
    return tuple(found)


def _read_budgets(run: _Statements, budgets: Sequence[Budget]) -> int:
    """How many mails all budgets leave. Their rows are locked until the claim is committed."""
    left = sys.maxsize
    for budget in budgets:
        named = {"name": budget.name, "period": budget.period}
        used = None
        while used is None:  # another worker, of a later period, may just have closed it
            run(_OPEN_BUDGET, **named)
            used = run(_READ_BUDGET, **named).scalar()
        left = min(left, max(0, budget.most - used))
        run(_CLOSE_BUDGETS, **named)
    return left


def _claim_next(run: _Statements, limit: int, worker: str) -> Mailing | None:
    alike = run(_FIRST, until=run.until).first()
    if alike is None:
        return None
    latest, same = max(run.moment, alike.due_at), _without_campaign(alike)
    places = run.read_all(_PLACES, "place", limit=limit, latest=latest, **same)
    claim = f"{worker}/{secrets.token_hex(6)}"
    rows, claimed_places = _claim_rows(run, claim, places, same)
    return Mailing(
        campaign_id=alike.campaign_id,
        draft_id=alike.draft_id,
        revision=alike.revision,
        language=alike.language,
        track_opens=bool(alike.track_opens),
        track_clicks=bool(alike.track_clicks),
        approved_digest=run(_STANDING, draft_id=alike.draft_id, revision=alike.revision).scalar(),
        claim=claim,
        claimed_at=run.at,
        rows=rows,
        places=claimed_places,
        due_at=datetime.fromisoformat(alike.due_at),
    )


def _claim_rows(
    run: _Statements, claim: str, places: list[Any], same: dict[str, Any]
) -> tuple[list[MailRow], list[Any]]:
    """Claim what lies at these places, take out what may no longer be sent or tracked; what was claimed, and where it lies now."""
    listed = run.several(places)
    if run.is_postgres:
        found = run(_CLAIM + _RETURNING, claim=claim, places=listed, **same).all()
        rows, now = [tuple(row[:4]) for row in found], [row.place for row in found]
    else:
        run(_CLAIM, claim=claim, places=listed, **same)
        rows, now = run.read_all(_CLAIMED, "id, address, name, attempts", claim=claim, places=listed), places
    if len(rows) < len(places):
        run(_TAKE_OUT, places=listed)
        run(_UNTRACK, places=listed)
    return rows, now


def _without_campaign(alike: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in alike._mapping.items() if name not in ("campaign_id", "due_at")}


# --- recording


def _record_mailing(run: _Statements, mailing: Mailing, outcome: Outcome) -> None:
    """The same outcome for each row of a mailing, with one receipt for all of them."""
    told: dict[str, Any] = {"state": outcome.state.value, "detail": outcome.detail}
    receipt_id = run(_RECEIPT, delivery_id=mailing.rows[0][0], raw=outcome.raw, **told).scalar_one()
    told |= {"provider_id": outcome.provider_id, "receipt_id": receipt_id}
    told["sent_at"] = run.write_time(outcome.leaves_at or run.at) if outcome.state is DeliveryState.SENT else None
    if run(_MINE, claim=mailing.claim, places=run.several(mailing.places), **told).rowcount < len(mailing.rows):
        # Something was taken for lost meanwhile, or lies elsewhere by now.
        still = _STILL_KEPT if outcome.leaves_at else _STILL_OPEN
        run(still, claim=mailing.claim, ids=run.several([row[0] for row in mailing.rows]), **told)
