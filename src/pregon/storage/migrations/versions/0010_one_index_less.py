"""one index of the ledger less"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # The ledger's own index begins with the campaign as well.
    op.drop_index("ix_deliveries_campaign_id", "deliveries")


def downgrade() -> None:
    op.create_index("ix_deliveries_campaign_id", "deliveries", ["campaign_id"])
