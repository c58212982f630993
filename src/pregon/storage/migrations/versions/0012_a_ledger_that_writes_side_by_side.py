"""a ledger whose writes lie side by side"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_OPEN = sa.text("state = 'pending' OR state = 'sending' OR state = 'unknown'")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("receipt_id", sa.Integer()))
    # The unique constraint begins with the draft as well.
    op.drop_index("ix_deliveries_draft_id", "deliveries")
    op.drop_index("ix_deliveries_due", "deliveries")
    op.create_index(
        "ix_deliveries_due", "deliveries", ["state", "due_at"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.drop_index("ix_deliveries_ledger", "deliveries")
    op.create_index(
        "ix_deliveries_ledger", "deliveries", ["campaign_id", "state", "draft_id", "position", "contact_id"]
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_ledger", "deliveries")
    op.create_index("ix_deliveries_ledger", "deliveries", ["campaign_id", "state", "draft_id", "position", "address"])
    op.drop_index("ix_deliveries_due", "deliveries")
    op.create_index("ix_deliveries_due", "deliveries", ["state", "due_at"])
    op.create_index("ix_deliveries_draft_id", "deliveries", ["draft_id"])
    op.drop_column("deliveries", "receipt_id")
