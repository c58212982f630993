"""the desk of an officer"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_GUARDS = {
    "sqlite": (
        "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END",
        "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$",
        "CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
    ),
}


def upgrade() -> None:
    op.add_column("users", sa.Column("email", sa.String(320), nullable=False, server_default=""))
    op.add_column("approvals", sa.Column("quote", sa.Text(), nullable=False, server_default=""))
    op.add_column("approvals", sa.Column("due_at", sa.String(32)))
    op.create_index("ix_approvals_due_at", "approvals", ["due_at"])
    op.add_column("revisions", sa.Column("send_at", sa.String(32)))
    op.create_index("ix_revisions_send_at", "revisions", ["send_at"])
    op.create_index(
        "ix_deliveries_ledger", "deliveries", ["campaign_id", "state", "draft_id", "position", "address"]
    )
    _create_tables()
    _fill_times()
    _fill_days()
    op.add_column("audit_log", sa.Column("prev_hash", sa.String(80), nullable=False, server_default=""))
    op.add_column("audit_log", sa.Column("hash", sa.String(80), nullable=False, server_default=""))
    _chain_audit()
    for statement in _GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def _create_tables() -> None:
    op.create_table(
        "test_sends",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("asked_by", sa.String(80), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.String(300)),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name="fk_test_sends_draft_id_drafts"),
        sa.PrimaryKeyConstraint("id", name="pk_test_sends"),
    )
    op.create_index("ix_test_sends_draft_id", "test_sends", ["draft_id"])
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.String(80), nullable=False),
        sa.Column("uploaded_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_table(
        "item_days",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_item_days_item_id_items"),
        sa.PrimaryKeyConstraint("id", name="pk_item_days"),
    )
    op.create_index("ix_item_days_item_id", "item_days", ["item_id"])
    op.create_index("ix_item_days_day", "item_days", ["day"])


def _fill_times() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.text("SELECT id, content_json FROM revisions")).all():
        send_at = json.loads(row.content_json).get("send_at")
        if send_at:
            change = sa.text("UPDATE revisions SET send_at = :at WHERE id = :id")
            connection.execute(change, {"at": _stored_time(send_at), "id": row.id})
    # What an approval set free was due when the first of its deliveries was.
    op.execute("UPDATE approvals SET due_at = (SELECT min(due_at) FROM deliveries WHERE approval_id = approvals.id)")


def _stored_time(value: str) -> str:
    from datetime import UTC, datetime

    return datetime.fromisoformat(value).astimezone(UTC).isoformat(timespec="microseconds")


def _fill_days() -> None:
    connection = op.get_bind()
    newest = sa.text(
        "SELECT v.item_id, v.item_json FROM item_versions v JOIN items i ON i.id = v.item_id AND i.version = v.version"
    )
    for row in connection.execute(newest).all():
        item = json.loads(row.item_json)
        days = [(each["date"], "deadline", each["text"]) for each in item.get("deadlines", ())]
        days += [(each["deadline"], "deadline", each["text"]) for each in item.get("calls", ()) if each["deadline"]]
        days += [(each["start"][:10], "meeting", each["title"]) for each in item.get("events", ())]
        for day, kind, text in dict.fromkeys(days):
            values = {"item_id": row.item_id, "day": day, "kind": kind, "text": text}
            connection.execute(
                sa.text("INSERT INTO item_days (item_id, day, kind, text) VALUES (:item_id, :day, :kind, :text)"), values
            )


def _chain_audit() -> None:
    connection, before = op.get_bind(), ""
    for row in connection.execute(sa.text("SELECT * FROM audit_log ORDER BY id")).all():
        line = [before, row.at, row.person, row.action, row.subject, row.detail]
        now = hashlib.sha256(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
        change = sa.text("UPDATE audit_log SET prev_hash = :before, hash = :now WHERE id = :id")
        connection.execute(change, {"before": before, "now": now, "id": row.id})
        before = now


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_log_no_update")
        op.execute("DROP TRIGGER audit_log_no_delete")
    else:
        op.execute("DROP TRIGGER audit_log_no_change ON audit_log")
        op.execute("DROP FUNCTION refuse_audit_change()")
    for table in ("test_sends", "uploads", "item_days"):
        op.drop_table(table)
    op.drop_index("ix_deliveries_ledger", "deliveries")
    op.drop_index("ix_revisions_send_at", "revisions")
    op.drop_index("ix_approvals_due_at", "approvals")
    for table, columns in {
        "users": ("email",), "approvals": ("quote", "due_at"), "revisions": ("send_at",),
        "audit_log": ("prev_hash", "hash"),
    }.items():
        for column in columns:
            op.drop_column(table, column)
