"""what is held and may be out all the same is told by a column, and no longer by how its reason begins"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_BEGAN = (
    "held: whether it went out could not be settled",
    "held: the forum keeps this topic",
    "held: it was due when the backup was taken",
)


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("in_doubt", sa.Boolean, nullable=False, server_default=sa.false()))
    rows = sa.table("deliveries", *(sa.column(name) for name in ("state", "reason", "in_doubt")))
    began = sa.or_(*(rows.c.reason.startswith(each) for each in _BEGAN))
    # The state as a literal, so that its index leads to the few rows that are held.
    held = sa.and_(rows.c.state == sa.literal_column("'held'"), began)
    op.execute(rows.update().where(held).values(in_doubt=sa.true()))


def downgrade() -> None:
    op.drop_column("deliveries", "in_doubt")
