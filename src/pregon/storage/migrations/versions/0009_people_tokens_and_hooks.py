"""people, tokens and hooks"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "users": (
            sa.Column("subject", sa.String(400)),
            sa.Column("totp_secret", sa.Text()),
            sa.Column("totp_step", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("last_sign_in_at", sa.String(32)),
        ),
        "sessions": (
            sa.Column("seen_at", sa.String(32)),
            sa.Column("address", sa.String(60), nullable=False, server_default=""),
            sa.Column("agent", sa.String(200), nullable=False, server_default=""),
            sa.Column("how", sa.String(20), nullable=False, server_default="password"),
        ),
        "login_attempts": (sa.Column("address", sa.String(60), nullable=False, server_default=""),),
    }


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_users_subject", "users", ["subject"], unique=True)
    op.create_index("ix_login_attempts_address", "login_attempts", ["address"])
    _create_people()
    _create_hooks()


def _create_people() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(80), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.String(32)),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recovery_codes_user_id_users"),
        sa.PrimaryKeyConstraint("code_hash", name="pk_recovery_codes"),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])
    op.create_table(
        "sign_in_steps",
        sa.Column("token_hash", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("user_id", sa.Integer()),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sign_in_steps_user_id_users"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sign_in_steps"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("hint", sa.String(20), nullable=False),
        sa.Column("token_hash", sa.String(80), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.Column("last_used_at", sa.String(32)),
        sa.Column("revoked_at", sa.String(32)),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_tokens_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])


def _create_hooks() -> None:
    op.create_table(
        "hooks",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("swept_at", sa.String(32), nullable=False),
        sa.Column("last_at", sa.String(32)),
        sa.Column("last_result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hooks"),
    )
    op.create_table(
        "hook_messages",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("hook_id", sa.Integer(), nullable=False),
        sa.Column("fact", sa.String(120), nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("due_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["hook_id"], ["hooks.id"], name="fk_hook_messages_hook_id_hooks"),
        sa.PrimaryKeyConstraint("id", name="pk_hook_messages"),
        sa.UniqueConstraint("hook_id", "fact", name="uq_hook_messages_hook_id"),
    )
    op.create_index("ix_hook_messages_due", "hook_messages", ["state", "due_at"])


def downgrade() -> None:
    for table in ("hook_messages", "hooks", "api_tokens", "sign_in_steps", "recovery_codes"):
        op.drop_table(table)
    op.drop_index("ix_login_attempts_address", "login_attempts")
    op.drop_index("ix_users_subject", "users")
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)
