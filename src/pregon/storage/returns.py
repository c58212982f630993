"""Queries of what was claimed and certainly did not leave: it is in the ledger again as not sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, select, update

from pregon.storage.claims import ClaimQueries
from pregon.storage.conditions import expect_state, not_sent
from pregon.storage.funnels import mark_stale
from pregon.storage.tables import deliveries, drafts, quota_use
from pregon.types import Budget, DeliveryState, Mailing


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
        given_back = mine.values(**not_sent(deliveries.c.reason), attempts=deliveries.c.attempts - 1, claimed_at=None)
        draft = select(drafts.c.id).where(drafts.c.id == mailing.draft_id)
        with self._write() as connection:
            # Locked (PostgreSQL): who is stopping the draft just now is waited for, or waits and finds these rows.
            connection.execute(draft.with_for_update(read=True))
            count = connection.execute(given_back).rowcount
            _use_less(connection, budgets, count)
            mark_stale(self, connection, [mailing.campaign_id] if count else [])
        return count

    def return_quota(self, budgets: Sequence[Budget], count: int) -> None:
        """So many mails that were counted in these budgets when they were claimed certainly did not leave."""
        if budgets and count:
            with self._write() as connection:
                _use_less(connection, budgets, count)


def _use_less(connection: Connection, budgets: Sequence[Budget], count: int) -> None:
    for budget in budgets:
        own = and_(quota_use.c.channel == budget.name, quota_use.c.day == budget.period)
        connection.execute(update(quota_use).where(own).values(units=quota_use.c.units - count))
