"""what a digest tells of"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "digest_items",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_digest_items_campaign_id_campaigns"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_digest_items_item_id_items"),
        sa.PrimaryKeyConstraint("id", name="pk_digest_items"),
        sa.UniqueConstraint("campaign_id", "item_id", name="uq_digest_items_campaign_id"),
    )
    op.create_index("ix_digest_items_item_id", "digest_items", ["item_id"])


def downgrade() -> None:
    op.drop_table("digest_items")
