"""quotas and credentials: what was used of a day, what a provider renews, and until when a channel is paused"""

import sqlalchemy as sa
from alembic import op

from pregon.storage.tables import UtcTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "quota_use",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "day", name="pk_quota_use"),
    )
    op.create_table(
        "credentials",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_credentials"),
    )
    op.add_column("channel_states", sa.Column("until", UtcTime(), nullable=True))
