"""people who leave"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("users", sa.Column("deactivated_at", sa.String(32)))


def downgrade() -> None:
    op.drop_column("users", "deactivated_at")
