"""Rows that more than one stage's queries read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from pregon.types import Campaign, Kind


def read_campaign(row: Row[Any]) -> Campaign:
    """A campaign from its row."""
    return Campaign(row.id, row.slug, row.item_id, Kind(row.kind), row.title, row.created_at)
