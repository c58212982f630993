"""Whom we tell of what happens."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from pregon.storage.tables.columns import UtcTime, make_id, metadata, refer_to

hooks = Table(
    "hooks",
    metadata,
    make_id(),
    Column("url", String(500), nullable=False),
    Column("events", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("created_by", String(80), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("swept_at", UtcTime, nullable=False),
    Column("last_at", UtcTime),
    Column("last_result", Text, nullable=False, default=""),
)

# The outbox: `fact` names what is told, so that it is told once however often it is found.
hook_messages = Table(
    "hook_messages",
    metadata,
    Column("id", String(40), primary_key=True),
    refer_to("hook_id", "hooks", index=False),
    Column("fact", String(120), nullable=False),
    Column("event", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("detail", Text, nullable=False, default=""),
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    UniqueConstraint("hook_id", "fact"),
    Index("ix_hook_messages_due", "state", "due_at"),
)
