"""What followed: events and polled counters. Rows of the ledger stay, so these can always be counted anew."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, String, Table, Text, UniqueConstraint

from pregon.storage.tables.columns import UtcTime, make_id, metadata

events = Table(
    "events",
    metadata,
    make_id(),
    Column("provider", String(20), nullable=False),
    Column("key", String(200), nullable=False),
    Column("type", String(20), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("delivery_id", String(40), index=True),
    Column("url", Text),
    Column("label", String(10), nullable=False),
    Column("rule", String(40), nullable=False),
    Column("counted", Boolean, nullable=False),
    Column("raw", Text, nullable=False),
    UniqueConstraint("provider", "key"),
)

samples = Table(
    "samples",
    metadata,
    make_id(),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False, index=True),
    Column("metric", String(40), nullable=False),
    Column("value", Float, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("delivery_id", "metric", "at"),
)
