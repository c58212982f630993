"""rows of the ledger with one index less, and without a foreign key: their plan refers to the approval"""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.drop_index("ix_deliveries_contact_id", "deliveries")
    with op.batch_alter_table("deliveries") as table:
        table.drop_constraint("fk_deliveries_approval_id_approvals", type_="foreignkey")


def downgrade() -> None:
    with op.batch_alter_table("deliveries") as table:
        table.create_foreign_key("fk_deliveries_approval_id_approvals", "approvals", ["approval_id"], ["id"])
    op.create_index("ix_deliveries_contact_id", "deliveries", ["contact_id"])
