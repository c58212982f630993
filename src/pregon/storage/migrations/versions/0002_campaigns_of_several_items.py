"""campaigns of several items, corrections, and the addresses of other languages"""

import sqlalchemy as sa
from alembic import op

from pregon.storage.tables import UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "campaign_items",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("drafted_version", sa.Integer(), nullable=False),
        sa.Column("joined_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_campaign_items_campaign_id_campaigns"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_campaign_items_item_id_items"),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_items"),
        sa.UniqueConstraint("item_id", name="uq_campaign_items_item_id"),
    )
    op.create_index("ix_campaign_items_campaign_id", "campaign_items", ["campaign_id"])
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("corrected_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_corrections_campaign_id_campaigns"),
        sa.ForeignKeyConstraint(["corrected_id"], ["campaigns.id"], name="fk_corrections_corrected_id_campaigns"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_corrections_item_id_items"),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sa.UniqueConstraint("campaign_id", name="uq_corrections_campaign_id"),
    )
    op.create_index("ix_corrections_corrected_id", "corrections", ["corrected_id"])
    op.create_index("ix_corrections_item_id", "corrections", ["item_id"])
    op.create_table(
        "item_alternates",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_item_alternates_item_id_items"),
        sa.PrimaryKeyConstraint("id", name="pk_item_alternates"),
    )
    op.create_index("ix_item_alternates_item_id", "item_alternates", ["item_id"])
    op.create_index("ix_item_alternates_address", "item_alternates", ["address"])
    for table in ("drafts", "answers"):
        # In plain SQL, since it would otherwise be a copy of the table, which other tables' rows refer to.
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN item_id INTEGER CONSTRAINT fk_{table}_item_id_items REFERENCES items (id)"
        )
    op.execute(
        "INSERT INTO campaign_items (campaign_id, item_id, drafted_version, joined_at) "
        "SELECT c.id, c.item_id, i.version, c.created_at FROM campaigns c JOIN items i ON i.id = c.item_id"
    )


def downgrade() -> None:
    for table in ("answers", "drafts"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN item_id")
    for table in ("item_alternates", "corrections", "campaign_items"):
        op.drop_table(table)
