"""a ledger with fewer indexes to write at each change of a state"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_OPEN = sa.text("state = 'pending' OR state = 'sending' OR state = 'unknown'")
_OF_STATE = {
    "pending": ["due_at"],
    "sending": ["claimed_at"],
    "unknown": ["due_at"],
    "held": ["draft_id"],
    "failed": ["draft_id"],
    "suppressed": ["draft_id", "position", "contact_id"],
}


def upgrade() -> None:
    op.drop_index("ix_deliveries_due", "deliveries")
    op.drop_index("ix_deliveries_ledger", "deliveries")
    with op.batch_alter_table("deliveries") as table:
        table.drop_constraint("uq_deliveries_draft_id", type_="unique")
        table.drop_constraint("fk_deliveries_campaign_id_campaigns", type_="foreignkey")
        table.drop_constraint("fk_deliveries_draft_id_drafts", type_="foreignkey")
    op.create_index("ix_deliveries_draft", "deliveries", ["draft_id", "position", "contact_id"])
    for state, columns in _OF_STATE.items():
        where = sa.text(f"state = '{state}'")
        name = f"ix_deliveries_{state}"
        op.create_index(name, "deliveries", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for state in _OF_STATE:
        op.drop_index(f"ix_deliveries_{state}", "deliveries")
    op.drop_index("ix_deliveries_draft", "deliveries")
    with op.batch_alter_table("deliveries") as table:
        table.create_unique_constraint("uq_deliveries_draft_id", ["draft_id", "revision", "address", "position"])
        table.create_foreign_key("fk_deliveries_campaign_id_campaigns", "campaigns", ["campaign_id"], ["id"])
        table.create_foreign_key("fk_deliveries_draft_id_drafts", "drafts", ["draft_id"], ["id"])
    op.create_index(
        "ix_deliveries_due", "deliveries", ["state", "due_at"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index(
        "ix_deliveries_ledger", "deliveries", ["campaign_id", "state", "draft_id", "position", "contact_id"]
    )
