"""subscriptions at hubs, what asking a link found, and what is known of where a source has moved"""

import sqlalchemy as sa
from alembic import op

from pregon.storage.tables import UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for column in ("address", "hub", "topic"):
        op.add_column("sources", sa.Column(column, sa.Text(), nullable=True))
    op.add_column("sources", sa.Column("held_until", UtcTime(), nullable=True))
    op.create_table(
        "subscriptions",
        sa.Column("token", sa.String(length=80), nullable=False),
        sa.Column("source_id", sa.String(length=80), nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("next_try_at", UtcTime(), nullable=False),
        sa.Column("lease_ends_at", UtcTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_subscriptions"),
    )
    op.create_index("ix_subscriptions_source_id", "subscriptions", ["source_id"])
    op.create_table(
        "link_states",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("health", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("checked_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_link_states"),
    )
    op.create_index("ix_link_states_checked_at", "link_states", ["checked_at"])


def downgrade() -> None:
    for table in ("link_states", "subscriptions"):
        op.drop_table(table)
    for column in ("address", "hub", "topic", "held_until"):
        op.drop_column("sources", column)
