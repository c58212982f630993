"""what a provider keeps"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("claim", sa.String(80), primary_key=True),
        sa.Column("batch_id", sa.String(100), nullable=False),
        sa.Column("draft_id", sa.Integer, sa.ForeignKey("drafts.id"), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("mails", sa.Integer, nullable=False),
        sa.Column("due_at", sa.String(32), nullable=False),
        sa.Column("leaves_at", sa.String(32), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("changed_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_batches_batch_id", "batches", ["batch_id"])
    op.create_index("ix_batches_draft_id", "batches", ["draft_id"])
    op.create_index("ix_batches_open", "batches", ["state", "leaves_at"])


def downgrade() -> None:
    op.drop_table("batches")
