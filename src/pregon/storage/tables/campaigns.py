"""Campaigns, their drafts and revisions, questions answered, decisions."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from pregon.storage.tables.columns import UtcTime, make_id, metadata, refer_to

campaigns = Table(
    "campaigns",
    metadata,
    make_id(),
    Column("slug", String(80), nullable=False, unique=True),
    refer_to("item_id", "items"),
    Column("kind", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("item_id"),
)

# The versions of one item in several languages share a campaign. `drafted_version` is the version that the drafts know.
campaign_items = Table(
    "campaign_items",
    metadata,
    make_id(),
    refer_to("campaign_id", "campaigns"),
    Column("item_id", ForeignKey("items.id"), nullable=False, unique=True),
    Column("drafted_version", Integer, nullable=False),
    Column("joined_at", UtcTime, nullable=False),
)

digest_items = Table(
    "digest_items",
    metadata,
    make_id(),
    refer_to("campaign_id", "campaigns", index=False),
    refer_to("item_id", "items"),
    Column("version", Integer, nullable=False),
    UniqueConstraint("campaign_id", "item_id"),
)

# A correction is a campaign of its own, of an item of its own: what has changed in `item_id` since `base_version`.
corrections = Table(
    "corrections",
    metadata,
    make_id(),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False, unique=True),
    refer_to("corrected_id", "campaigns"),
    refer_to("item_id", "items"),
    Column("base_version", Integer, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    make_id(),
    refer_to("campaign_id", "campaigns"),
    refer_to("item_id", "items", nullable=True, index=False),
    Column("channel", String(20), nullable=False),
    Column("language", String(10), nullable=False),
    Column("state", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("campaign_id", "channel", "language"),
)

revisions = Table(
    "revisions",
    metadata,
    make_id(),
    refer_to("draft_id", "drafts"),
    Column("number", Integer, nullable=False),
    Column("item_version", Integer, nullable=False),
    Column("fields_json", Text, nullable=False),
    Column("content_json", Text, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("checks_json", Text, nullable=False),
    Column("trace_json", Text, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # The content's own time of sending once more, so that a calendar finds it.
    Column("send_at", UtcTime, index=True),
    UniqueConstraint("draft_id", "number"),
)

answers = Table(
    "answers",
    metadata,
    make_id(),
    refer_to("campaign_id", "campaigns"),
    refer_to("item_id", "items", nullable=True, index=False),
    Column("question", String(80), nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_by", String(80), nullable=False),
    Column("answered_at", UtcTime, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    make_id(),
    refer_to("draft_id", "drafts"),
    Column("revision", Integer, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("decision", String(20), nullable=False),
    Column("decided_by", String(80), nullable=False),
    Column("comment", Text, nullable=False, default=""),
    Column("decided_at", UtcTime, nullable=False),
    Column("quote", Text, nullable=False, default="", server_default=""),
    # When what it set free is due; empty for a yes that another person has to join, and for every other decision.
    Column("due_at", UtcTime, index=True),
)

# Mails that a person sent to themselves to look at: no delivery, and in no figure.
test_sends = Table(
    "test_sends",
    metadata,
    Column("id", String(40), primary_key=True),
    refer_to("draft_id", "drafts"),
    Column("revision", Integer, nullable=False),
    Column("address", String(320), nullable=False),
    Column("asked_by", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("provider_id", String(300)),
    Column("asked_at", UtcTime, nullable=False),
)

# Pictures between being chosen and being saved with a revision, by the hash of their bytes.
uploads = Table(
    "uploads",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("media_type", String(40), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("uploaded_by", String(80), nullable=False),
    Column("uploaded_at", UtcTime, nullable=False),
)
