"""Contacts, what they agreed to, and addresses that are never written to."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from pregon.storage.tables.columns import UtcTime, make_id, metadata, refer_to

contacts = Table(
    "contacts",
    metadata,
    make_id(),
    Column("address", String(320), nullable=False, unique=True),
    Column("name", Text, nullable=False, default=""),
    Column("language", String(10), nullable=False),
    Column("state", String(20), nullable=False),
    Column("organisation", Text, nullable=False, default=""),
    Column("city", Text, nullable=False, default=""),
    Column("country", Text, nullable=False, default=""),
    Column("open_tracking", String(10), nullable=False),
    Column("click_tracking", String(10), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    # The lists once more, as "|members|public|": one index then counts every audience without a join.
    Column("lists", Text, nullable=False, default="", server_default=""),
    Column("erased_at", UtcTime),
    Index("ix_contacts_audience", "lists", "language", "state"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("contact_id", ForeignKey("contacts.id"), primary_key=True),
    Column("list", String(80), primary_key=True),
    Index("ix_memberships_list", "list", "contact_id"),
)

# Lists that a person left: no import puts them back on.
left_lists = Table(
    "left_lists",
    metadata,
    Column("contact_id", ForeignKey("contacts.id"), primary_key=True),
    Column("list", String(80), primary_key=True),
)

# Append-only: what was agreed to or refused, when, how, and which text was shown. Today's answers stand in contacts.
consents = Table(
    "consents",
    metadata,
    make_id(),
    refer_to("contact_id", "contacts"),
    Column("purpose", String(10), nullable=False),
    Column("answer", String(10), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("how", Text, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
)

suppressions = Table(
    "suppressions",
    metadata,
    make_id(),
    Column("address", String(320), nullable=False, unique=True),
    Column("reason", String(20), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("created_at", UtcTime, nullable=False),
)

# Single mails that a person asked for themselves, e.g. to confirm an address: the outbox of the one mail that no
# officer approves.
notices = Table(
    "notices",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("contact_id", Integer, index=True),
    Column("address", String(320), nullable=False),
    Column("language", String(10), nullable=False),
    Column("wish_json", Text, nullable=False, default="{}"),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("provider_id", String(300)),
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("claimed_at", UtcTime),
    Column("answered_at", UtcTime),
    Index("ix_notices_due", "state", "due_at"),
)

# Who filled in a public form, as salted hashes: what the throttle counts.
form_attempts = Table(
    "form_attempts",
    metadata,
    make_id(),
    Column("mark", String(80), nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_form_attempts_mark", "mark", "at"),
)

# What the mail provider still has to be told of an address: never to write to it again, or to forget it.
provider_duties = Table(
    "provider_duties",
    metadata,
    make_id(),
    Column("kind", String(20), nullable=False),
    Column("address", String(320), nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", UtcTime, nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("created_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    Index("ix_provider_duties_due", "state", "due_at"),
)
