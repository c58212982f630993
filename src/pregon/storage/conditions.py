"""Conditions on deliveries, written so that each database takes the index that is meant for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, exists, func, literal, literal_column, or_, select

from pregon.storage.tables import approvals, deliveries, drafts
from pregon.types import ChannelName, DeliveryState, DraftState

# How the reason of what was taken back begins; the person follows.
STOPPED = "stopped by "


def of_campaign(campaign_id: int) -> Any:
    """Whether a delivery belongs to a campaign: by its drafts, which the ledger is ordered by."""
    return deliveries.c.draft_id.in_(select(drafts.c.id).where(drafts.c.campaign_id == campaign_id))


def stands() -> Any:
    """Whether a delivery is not of an approval that lapsed: nobody was ever going to get those, and no figure has them."""
    return or_(deliveries.c.reason.is_(None), deliveries.c.reason.not_like("withdrawn:%"))


def of_contacts(contact_ids: Any) -> Any:
    """Whether a delivery is a newsletter to one of these: looked up draft by draft, a few microseconds each."""
    mails = select(drafts.c.id).where(drafts.c.channel == ChannelName.EMAIL)
    return and_(deliveries.c.draft_id.in_(mails), deliveries.c.position == 0, deliveries.c.contact_id.in_(contact_ids))


def in_state(state: DeliveryState) -> Any:
    """Whether a delivery is in this state, as a literal: only so is the index of that state used."""
    return deliveries.c.state == literal_column(f"'{state.value}'")


def expect_state(state: DeliveryState) -> Any:
    """The same of rows that are found otherwise: an expression, which no index on states is preferred for."""
    return deliveries.c.state.concat("") == state.value


def is_held_in_doubt() -> Any:
    """Whether a delivery is held that may be out: nobody could tell, and a person has not said yet."""
    return and_(deliveries.c.state == DeliveryState.HELD.value, deliveries.c.in_doubt)


def in_state_of(state: DeliveryState, draft_ids: Sequence[int]) -> Any:
    """Whether a delivery is in this state and of these drafts, by the index of the state.

    That of the unknown ones does not know drafts, and SQLite would rather walk every row of the draft: so the draft is
    compared as an expression, for which it has no index.
    """
    draft = deliveries.c.draft_id + 0 if state is DeliveryState.UNKNOWN else deliveries.c.draft_id
    return and_(in_state(state), draft.in_(draft_ids))


def due_again(at: datetime) -> Any:
    """When a delivery that waits again is due: now, but never before the time that was approved."""
    approved = select(approvals.c.due_at).where(approvals.c.id == deliveries.c.approval_id).scalar_subquery()
    now = literal(at, deliveries.c.due_at.type)
    return case((approved > now, approved), else_=now)


def not_sent(reason: Any) -> dict[str, Any]:
    """The state of rows that certainly did not leave, and why: pending with `reason`, or stopped, and by whom."""
    approved = exists().where(
        drafts.c.id == deliveries.c.draft_id,
        drafts.c.state == DraftState.APPROVED,
        drafts.c.revision == deliveries.c.revision,
    )
    last = select(approvals.c.decided_by).where(approvals.c.draft_id == deliveries.c.draft_id)
    stopped = literal(STOPPED).concat(
        func.coalesce(last.order_by(approvals.c.id.desc()).limit(1).scalar_subquery(), "")
    )
    return {
        "state": case((approved, DeliveryState.PENDING.value), else_=DeliveryState.SUPPRESSED.value),
        "reason": case((approved, reason), else_=stopped),
    }
