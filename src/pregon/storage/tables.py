"""Every table, as SQLAlchemy Core. The migrations in `migrations/` bring a database to this shape.

Names follow the stages. Times are UTC with microseconds, stored as ISO text so that SQLite and PostgreSQL compare
them alike. Nothing is deleted that a figure or a dispute could need: contacts are erased, their deliveries stay.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, as sortable text `2026-11-23T09:30:00.000000+00:00`."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Refuse naive times: a time without a zone is a bug, not a default."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the text back as an aware datetime."""
        return None if value is None else datetime.fromisoformat(value)


def _id() -> Column[Any]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, nullable: bool = False, index: bool = True) -> Column[Any]:
    return Column(name, ForeignKey(f"{target}.id"), nullable=nullable, index=index)


# --- sources and items ---------------------------------------------------------------------------------------

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
    _id(),
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
    _id(),
    _ref("item_id", "items"),
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
    _id(),
    _ref("item_id", "items"),
    Column("address", String(500), nullable=False, index=True),
)

# The days that an item's newest version names: until when people may answer, when they meet.
item_days = Table(
    "item_days",
    metadata,
    _id(),
    _ref("item_id", "items"),
    Column("day", String(10), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("text", Text, nullable=False),
)

sightings = Table(
    "sightings",
    metadata,
    _id(),
    Column("source_id", String(80), nullable=False),
    Column("key", String(500), nullable=False),
    Column("content_hash", String(80), nullable=False),
    _ref("item_id", "items", nullable=True),
    Column("result", String(20), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("seen_at", UtcTime, nullable=False),
    UniqueConstraint("source_id", "key"),
)

# --- drafts and approvals ------------------------------------------------------------------------------------

campaigns = Table(
    "campaigns",
    metadata,
    _id(),
    Column("slug", String(80), nullable=False, unique=True),
    _ref("item_id", "items"),
    Column("kind", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("item_id"),
)

# The versions of one item in several languages share a campaign. `drafted_version` is the version that the drafts know.
campaign_items = Table(
    "campaign_items",
    metadata,
    _id(),
    _ref("campaign_id", "campaigns"),
    Column("item_id", ForeignKey("items.id"), nullable=False, unique=True),
    Column("drafted_version", Integer, nullable=False),
    Column("joined_at", UtcTime, nullable=False),
)

digest_items = Table(
    "digest_items",
    metadata,
    _id(),
    _ref("campaign_id", "campaigns", index=False),
    _ref("item_id", "items"),
    Column("version", Integer, nullable=False),
    UniqueConstraint("campaign_id", "item_id"),
)

# A correction is a campaign of its own, of an item of its own: what has changed in `item_id` since `base_version`.
corrections = Table(
    "corrections",
    metadata,
    _id(),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False, unique=True),
    _ref("corrected_id", "campaigns"),
    _ref("item_id", "items"),
    Column("base_version", Integer, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    _id(),
    _ref("campaign_id", "campaigns"),
    _ref("item_id", "items", nullable=True, index=False),
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
    _id(),
    _ref("draft_id", "drafts"),
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
    _id(),
    _ref("campaign_id", "campaigns"),
    _ref("item_id", "items", nullable=True, index=False),
    Column("question", String(80), nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_by", String(80), nullable=False),
    Column("answered_at", UtcTime, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    _id(),
    _ref("draft_id", "drafts"),
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
    _ref("draft_id", "drafts"),
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

# --- contacts ------------------------------------------------------------------------------------------------

contacts = Table(
    "contacts",
    metadata,
    _id(),
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
    _id(),
    _ref("contact_id", "contacts"),
    Column("purpose", String(10), nullable=False),
    Column("answer", String(10), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("how", Text, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
)

suppressions = Table(
    "suppressions",
    metadata,
    _id(),
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
    _id(),
    Column("mark", String(80), nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_form_attempts_mark", "mark", "at"),
)

# What the mail provider still has to be told of an address: never to write to it again, or to forget it.
provider_duties = Table(
    "provider_duties",
    metadata,
    _id(),
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

# --- deliveries ----------------------------------------------------------------------------------------------


def _of_state(state: str, *columns: str) -> Index:
    """An index of the deliveries in one state. Several states in one condition would be looked up for each row."""
    where = text(f"state = '{state}'")
    return Index(f"ix_deliveries_{state}", *columns, sqlite_where=where, postgresql_where=where)


# No foreign keys to campaigns and drafts, which are never deleted: the approval, without which there is no row, has both.
deliveries = Table(
    "deliveries",
    metadata,
    # Made of draft, content and address: the same mail, part or operation cannot be planned twice.
    Column("id", String(40), primary_key=True),
    Column("campaign_id", Integer, nullable=False),
    Column("draft_id", Integer, nullable=False),
    Column("approval_id", ForeignKey("approvals.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("channel", String(20), nullable=False),
    Column("language", String(10), nullable=False),
    Column("position", Integer, nullable=False),
    Column("address", String(320), nullable=False),
    Column("contact_id", Integer, index=True),
    Column("state", String(20), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", UtcTime, nullable=False),
    Column("claimed_at", UtcTime),
    Column("claimed_by", String(80)),
    Column("sent_at", UtcTime),
    Column("provider_id", String(300)),
    Column("track_opens", Boolean, nullable=False, default=False),
    Column("track_clicks", Boolean, nullable=False, default=False),
    Column("planned_at", UtcTime, nullable=False),
    # The receipt that this delivery shares with the others of its request. Without a foreign key: no row of a million
    # is checked for it, and receipts are never deleted.
    Column("receipt_id", Integer),
    # An index that a change of state writes anew costs more than the change, so the one that holds every row has no
    # state in it, and those of a state hold only that state's rows. Who wants one used writes the state as a literal.
    # Contacts and not addresses come last: rows are planned and sent in that order, so each write finds its neighbours.
    Index("ix_deliveries_draft", "draft_id", "position", "contact_id"),
    _of_state("pending", "due_at"),
    _of_state("sending", "claimed_at"),
    _of_state("unknown", "due_at"),
    _of_state("held", "draft_id"),
    _of_state("failed", "draft_id"),
    _of_state("suppressed", "draft_id", "position", "contact_id"),
)

# An approved newsletter on its way to one row per contact; `planned_through` is the last contact that has its row.
plans = Table(
    "plans",
    metadata,
    _id(),
    _ref("campaign_id", "campaigns", index=False),
    _ref("draft_id", "drafts"),
    _ref("approval_id", "approvals", index=False),
    Column("revision", Integer, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("planned_through", Integer, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
)

# Figures as they were counted last; a campaign whose mark is beyond what was counted has changed since.
funnels = Table(
    "funnels",
    metadata,
    Column("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    Column("channel", String(20), primary_key=True),
    Column("language", String(10), primary_key=True),
    *(
        Column(name, Integer, nullable=False)
        for name in (
            "planned", "sent", "failed", "suppressed", "unknown", "held", "pending", "delivered", "trackable",
            "bounced", "clickers", "clicks", "machine_clicks", "opens", "machine_opens", "unsubscribed", "complained",
        )
    ),
    Column("samples", Text, nullable=False),
)  # fmt: skip

funnel_marks = Table(
    "funnel_marks",
    metadata,
    Column("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    Column("mark", Integer, nullable=False),
    Column("counted", Integer, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    _id(),
    _ref("delivery_id", "deliveries"),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)

channel_states = Table(
    "channel_states",
    metadata,
    Column("channel", String(20), primary_key=True),
    Column("paused", Text),
    Column("changed_at", UtcTime, nullable=False),
    Column("until", UtcTime),
)

quota_use = Table(
    "quota_use",
    metadata,
    Column("channel", String(20), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("units", Integer, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
)

# --- metrics -------------------------------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    _id(),
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
    _id(),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False, index=True),
    Column("metric", String(40), nullable=False),
    Column("value", Float, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("delivery_id", "metric", "at"),
)

# --- people --------------------------------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    _id(),
    Column("name", String(80), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("email", String(320), nullable=False, default="", server_default=""),
    # What a sign-in provider calls the person ("issuer subject"); without it they sign in with a password.
    Column("subject", String(400), index=True, unique=True),
    # The secret of the second step, sealed; its last code that was taken, which is never taken again.
    Column("totp_secret", Text),
    Column("totp_step", Integer, nullable=False, default=0, server_default="0"),
    Column("last_sign_in_at", UtcTime),
    # Since when a person may no longer come in; what they did stays theirs.
    Column("deactivated_at", UtcTime),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_hash", String(80), primary_key=True),
    _ref("user_id", "users"),
    Column("used_at", UtcTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(80), primary_key=True),
    _ref("user_id", "users"),
    Column("csrf", String(80), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime),
    Column("address", String(60), nullable=False, default="", server_default=""),
    Column("agent", String(200), nullable=False, default="", server_default=""),
    Column("how", String(20), nullable=False, default="password", server_default="password"),
)

# What has begun and waits for its other half: a password that wants a code, a person who is at the provider.
sign_in_steps = Table(
    "sign_in_steps",
    metadata,
    Column("token_hash", String(80), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("user_id", ForeignKey("users.id")),
    Column("data", Text, nullable=False),
    Column("tries", Integer, nullable=False, default=0, server_default="0"),
    Column("expires_at", UtcTime, nullable=False),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    _id(),
    Column("name", String(80), nullable=False, index=True),
    Column("address", String(60), nullable=False, default="", server_default="", index=True),
    Column("succeeded", Boolean, nullable=False),
    Column("at", UtcTime, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    _id(),
    _ref("user_id", "users"),
    Column("name", String(80), nullable=False),
    Column("hint", String(20), nullable=False),
    Column("token_hash", String(80), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
)

# --- hooks: whom we tell of what happens ---------------------------------------------------------------------

hooks = Table(
    "hooks",
    metadata,
    _id(),
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
    _ref("hook_id", "hooks", index=False),
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

# Mails of one claim that were, or were about to be, handed to a provider ahead of their time: written before the request.
batches = Table(
    "batches",
    metadata,
    Column("claim", String(80), primary_key=True),
    Column("batch_id", String(100), nullable=False, index=True),
    _ref("draft_id", "drafts"),
    Column("revision", Integer, nullable=False),
    Column("mails", Integer, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("leaves_at", UtcTime, nullable=False),
    Column("state", String(20), nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Index("ix_batches_open", "state", "leaves_at"),
)

audit_log = Table(
    "audit_log",
    metadata,
    _id(),
    Column("at", UtcTime, nullable=False),
    Column("person", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    # Each line seals the one before it; the database itself refuses to change or delete a line.
    Column("prev_hash", String(80), nullable=False, default="", server_default=""),
    Column("hash", String(80), nullable=False, default="", server_default=""),
)
