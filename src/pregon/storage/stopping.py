"""Queries of stopping: what has not gone out of a draft is taken back, whatever of it is out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select, update

from pregon.errors import StaleRevisionError
from pregon.storage.base import Queries
from pregon.storage.conditions import STOPPED, in_state
from pregon.storage.funnels import mark_stale
from pregon.storage.tables import approvals, deliveries, drafts, plans
from pregon.types import Decision, DeliveryState, Draft, DraftState

_STALE = "Somebody else decided about this draft just now; read the page again."


class StoppingQueries(Queries):
    """Stop in the middle."""

    def stop_draft(
        self, draft: Draft, digest: str, decision: Decision, state: DraftState, by: str, at: datetime
    ) -> int:
        """Write a decision on an approved draft and take back what is pending of it. Returns how many deliveries that are.

        What is being sent just now is not touched: its outcome is recorded, and a refused one is held, since its draft is
        no longer approved. Raises `StaleRevisionError` when somebody else decided meanwhile.
        """
        moved = update(drafts).where(
            drafts.c.id == draft.id, drafts.c.revision == draft.revision, drafts.c.state == draft.state
        )
        pending = update(deliveries).where(
            deliveries.c.draft_id == draft.id, deliveries.c.state == DeliveryState.PENDING
        )
        with self._write() as connection:
            if connection.execute(moved.values(state=state, updated_at=at)).rowcount != 1:
                raise StaleRevisionError(_STALE, current=draft.revision)
            connection.execute(update(plans).where(plans.c.draft_id == draft.id).values(state="withdrawn"))
            stopped = pending.values(state=DeliveryState.SUPPRESSED, reason=f"{STOPPED}{by}")
            count = connection.execute(stopped).rowcount
            values = {"draft_id": draft.id, "revision": draft.revision, "digest": digest, "decision": decision}
            said = {"decided_by": by, "comment": "", "quote": "", "decided_at": at, "due_at": None}
            connection.execute(insert(approvals).values(**values, **said))
            mark_stale(self, connection, [draft.campaign_id])
        return count

    def count_sending(self, draft_id: int) -> int:
        """How many deliveries of a draft are on their way."""
        own = (in_state(DeliveryState.SENDING), deliveries.c.draft_id + 0 == draft_id)
        with self._read() as connection:
            return connection.execute(select(func.count()).select_from(deliveries).where(*own)).scalar_one()

    def count_stopped(self, draft_id: int) -> int:
        """How many deliveries of a draft were taken back when it was stopped."""
        query = (
            select(func.count())
            .select_from(deliveries)
            .where(
                deliveries.c.draft_id == draft_id,
                deliveries.c.state == DeliveryState.SUPPRESSED,
                deliveries.c.reason.startswith(STOPPED, autoescape=True),
            )
        )
        with self._read() as connection:
            return connection.execute(query).scalar_one()
