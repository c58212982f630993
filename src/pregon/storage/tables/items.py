"""Sources, what was seen of them, and the items that were read."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, UniqueConstraint

from pregon.storage.tables.columns import UtcTime, make_id, metadata, refer_to

sources = Table(
    "sources",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("next_check_at", UtcTime),
    Column("failures", Integer, nullable=False, default=0),
    Column("polled_before", Boolean, nullable=False, default=False),
    Column("last_polled_at", UtcTime),
    Column("last_error", Text),
    Column("moved_to", Text),
    Column("gone", Boolean, nullable=False, default=False),
    # The configured address that all this was learnt from: with another address everything begins anew.
    Column("address", Text),
    Column("held_until", UtcTime),
    Column("hub", Text),
    Column("topic", Text),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("token", String(80), primary_key=True),
    Column("source_id", String(80), nullable=False, index=True),
    Column("hub", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("next_try_at", UtcTime, nullable=False),
    Column("lease_ends_at", UtcTime),
    Column("failures", Integer, nullable=False, default=0),
    Column("detail", Text, nullable=False, default=""),
)

link_states = Table(
    "link_states",
    metadata,
    # A hash, because an address may be longer than an index takes.
    Column("key", String(80), primary_key=True),
    Column("address", Text, nullable=False),
    Column("health", String(20), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("checked_at", UtcTime, nullable=False, index=True),
)

items = Table(
    "items",
    metadata,
    make_id(),
    Column("identity", String(300), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("language", String(10)),
    Column("title", Text),
    Column("number", Integer),
    Column("fingerprint", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

item_versions = Table(
    "item_versions",
    metadata,
    make_id(),
    refer_to("item_id", "items"),
    Column("version", Integer, nullable=False),
    Column("fingerprint", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("media_type", String(80), nullable=False),
    Column("origin", Text, nullable=False),
    Column("item_json", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("item_id", "version"),
)

# The addresses at which a document says that its versions in other languages are.
item_alternates = Table(
    "item_alternates",
    metadata,
    make_id(),
    refer_to("item_id", "items"),
    Column("address", String(500), nullable=False, index=True),
)

# The days that an item's newest version names: until when people may answer, when they meet.
item_days = Table(
    "item_days",
    metadata,
    make_id(),
    refer_to("item_id", "items"),
    Column("day", String(10), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("text", Text, nullable=False),
)

sightings = Table(
    "sightings",
    metadata,
    make_id(),
    Column("source_id", String(80), nullable=False),
    Column("key", String(500), nullable=False),
    Column("content_hash", String(80), nullable=False),
    refer_to("item_id", "items", nullable=True),
    Column("result", String(20), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("seen_at", UtcTime, nullable=False),
    UniqueConstraint("source_id", "key"),
)
