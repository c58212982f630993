"""plans of newsletters, and figures that are kept"""

import sqlalchemy as sa
from alembic import op

from pregon.storage.tables import UtcTime

revision = "0007"
down_revision = "0006"

COUNTS = (
    "planned", "sent", "failed", "suppressed", "unknown", "held", "pending", "delivered", "trackable", "bounced",
    "clickers", "clicks", "machine_clicks", "opens", "machine_opens", "unsubscribed", "complained",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("approval_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("planned_through", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_plans_campaign_id_campaigns"),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name="fk_plans_draft_id_drafts"),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.id"], name="fk_plans_approval_id_approvals"),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
    )
    op.create_index("ix_plans_draft_id", "plans", ["draft_id"])
    op.create_index("ix_plans_state", "plans", ["state"])
    op.create_table(
        "funnels",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.Column("samples", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_funnels_campaign_id_campaigns"),
        sa.PrimaryKeyConstraint("campaign_id", "channel", "language", name="pk_funnels"),
    )
    op.create_table(
        "funnel_marks",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_funnel_marks_campaign_id_campaigns"),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_funnel_marks"),
    )
    # What was counted at each view until now is counted once more, and then kept.
    op.execute("INSERT INTO funnel_marks (campaign_id, mark, counted) SELECT DISTINCT campaign_id, 1, 0 FROM deliveries")


def downgrade() -> None:
    for table in ("funnel_marks", "funnels", "plans"):
        op.drop_table(table)
