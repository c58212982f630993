"""Queries of what was claimed and certainly did not leave: it is in the ledger again as not sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, exists, func, literal, select, update

from pregon.storage.claims import ClaimQueries
from pregon.storage.conditions import expect_state
from pregon.storage.funnels import mark_stale
from pregon.storage.stopping import STOPPED
from pregon.storage.tables import approvals, deliveries, drafts, quota_use
from pregon.types import Budget, DeliveryState, DraftState, Mailing


class ReturnQueries(ClaimQueries):
    """Claims that are given back."""

    def return_mailing(self, mailing: Mailing, budgets: Sequence[Budget], at: datetime) -> int:
        """Give back a claim of which nothing was sent: it waits, or was stopped if nobody approves it now. How many mails.

        `budgets` are those that the claim was counted in; its attempt does not count. Rows that are no longer this
        claim's are not touched.
        """
        mine = update(deliveries).where(
            self._among([row[0] for row in mailing.rows]),
            deliveries.c.claimed_by == mailing.claim,
            expect_state(DeliveryState.SENDING),
        )
        given_back = mine.values(
            **not_sent(mailing.draft_id, deliveries.c.reason), attempts=deliveries.c.attempts - 1, claimed_at=None
        )
        draft = select(drafts.c.id).where(drafts.c.id == mailing.draft_id)
        with self._write() as connection:
            # Locked (PostgreSQL): who is stopping the draft just now is waited for, or waits and finds these rows.
            connection.execute(draft.with_for_update(read=True))
            count = connection.execute(given_back).rowcount
            for budget in budgets:
                own = and_(quota_use.c.channel == budget.name, quota_use.c.day == budget.period)
                used = update(quota_use).where(own)
                connection.execute(used.values(units=quota_use.c.units - count))
            mark_stale(self, connection, [mailing.campaign_id] if count else [])
        return count


def not_sent(draft_id: int, reason: Any) -> dict[str, Any]:
    """The state of a draft's rows that did not leave, and why: pending with `reason`, or stopped, and by whom."""
    approved = exists().where(
        drafts.c.id == draft_id, drafts.c.state == DraftState.APPROVED, drafts.c.revision == deliveries.c.revision
    )
    last = (
        select(approvals.c.decided_by).where(approvals.c.draft_id == draft_id).order_by(approvals.c.id.desc()).limit(1)
    )
    stopped = literal(STOPPED).concat(func.coalesce(last.scalar_subquery(), ""))
    return {
        "state": case((approved, DeliveryState.PENDING.value), else_=DeliveryState.SUPPRESSED.value),
        "reason": case((approved, reason), else_=stopped),
    }
