"""Conditions on deliveries, written so that each database takes the index that is meant for them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import literal_column, select

from pregon.storage.tables import deliveries, drafts
from pregon.types import DeliveryState


def of_campaign(campaign_id: int) -> Any:
    """Whether a delivery belongs to a campaign: by its drafts, which the ledger is ordered by."""
    return deliveries.c.draft_id.in_(select(drafts.c.id).where(drafts.c.campaign_id == campaign_id))


def in_state(state: DeliveryState) -> Any:
    """Whether a delivery is in this state, as a literal: only so is the index of that state used."""
    return deliveries.c.state == literal_column(f"'{state.value}'")


def expect_state(state: DeliveryState) -> Any:
    """The same of rows that are found otherwise: an expression, which no index on states is preferred for."""
    return deliveries.c.state.concat("") == state.value
