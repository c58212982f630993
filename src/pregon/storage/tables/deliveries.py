"""The ledger, and what sending keeps beside it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false, text

from pregon.storage.tables.columns import UtcTime, make_id, metadata, refer_to


def _of_state(state: str, *columns: str) -> Index:
    """An index of the deliveries in one state. Several states in one condition would be looked up for each row."""
    where = text(f"state = '{state}'")
    return Index(f"ix_deliveries_{state}", *columns, sqlite_where=where, postgresql_where=where)


# No foreign keys, each of which PostgreSQL looks up for every row: the plan or the decision that a row is written from refers
# to the approval, which refers to the draft, and neither is ever deleted.
deliveries = Table(
    "deliveries",
    metadata,
    # Made of draft, content and address: the same mail, part or operation cannot be planned twice.
    Column("id", String(40), primary_key=True),
    Column("campaign_id", Integer, nullable=False),
    Column("draft_id", Integer, nullable=False),
    Column("approval_id", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("channel", String(20), nullable=False),
    Column("language", String(10), nullable=False),
    Column("position", Integer, nullable=False),
    Column("address", String(320), nullable=False),
    Column("contact_id", Integer),
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
    # Held, and it may be out all the same, or come out without us. Only a person's word sends it again.
    Column("in_doubt", Boolean, nullable=False, server_default=false()),
    # An index that a change of state writes anew costs more than the change, so the one that holds every row has no
    # state in it, and those of a state hold only that state's rows. Who wants one used writes the state as a literal.
    # Contacts and not addresses come last: rows are planned and sent in that order, so each write finds its neighbours. What
    # one person got is found draft by draft (`conditions.of_contacts`), without an index of its own.
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
    make_id(),
    refer_to("campaign_id", "campaigns", index=False),
    refer_to("draft_id", "drafts"),
    refer_to("approval_id", "approvals", index=False),
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
    make_id(),
    refer_to("delivery_id", "deliveries"),
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

# Mails of one claim that were, or were about to be, handed to a provider ahead of their time: written before the request.
batches = Table(
    "batches",
    metadata,
    Column("claim", String(80), primary_key=True),
    Column("batch_id", String(100), nullable=False, index=True),
    refer_to("draft_id", "drafts"),
    Column("revision", Integer, nullable=False),
    Column("mails", Integer, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("leaves_at", UtcTime, nullable=False),
    Column("state", String(20), nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Index("ix_batches_open", "state", "leaves_at"),
)
