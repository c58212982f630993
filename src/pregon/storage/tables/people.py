"""Who works at the desk, and what they did."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text

from pregon.storage.tables.columns import UtcTime, make_id, metadata, refer_to

users = Table(
    "users",
    metadata,
    make_id(),
    Column("name", String(80), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("email", String(320), nullable=False, default="", server_default=""),
    # What a sign-in provider calls the person ("issuer subject"); without it they sign in with a password.
    Column("subject", String(400), index=True, unique=True),
    # The secret of the second step, sealed; its last code that was taken, which is never taken again.
    Column("totp_secret", Text),
    Column("totp_step", Integer, nullable=False, default=0, server_default="0"),
    Column("last_sign_in_at", UtcTime),
    # Since when a person may no longer come in; what they did stays theirs.
    Column("deactivated_at", UtcTime),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_hash", String(80), primary_key=True),
    refer_to("user_id", "users"),
    Column("used_at", UtcTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(80), primary_key=True),
    refer_to("user_id", "users"),
    Column("csrf", String(80), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime),
    Column("address", String(60), nullable=False, default="", server_default=""),
    Column("agent", String(200), nullable=False, default="", server_default=""),
    Column("how", String(20), nullable=False, default="password", server_default="password"),
)

# What has begun and waits for its other half: a password that wants a code, a person who is at the provider.
sign_in_steps = Table(
    "sign_in_steps",
    metadata,
    Column("token_hash", String(80), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("user_id", ForeignKey("users.id")),
    Column("data", Text, nullable=False),
    Column("tries", Integer, nullable=False, default=0, server_default="0"),
    Column("expires_at", UtcTime, nullable=False),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    make_id(),
    Column("name", String(80), nullable=False, index=True),
    Column("address", String(60), nullable=False, default="", server_default="", index=True),
    Column("succeeded", Boolean, nullable=False),
    Column("at", UtcTime, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    make_id(),
    refer_to("user_id", "users"),
    Column("name", String(80), nullable=False),
    Column("hint", String(20), nullable=False),
    Column("token_hash", String(80), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
)

audit_log = Table(
    "audit_log",
    metadata,
    make_id(),
    Column("at", UtcTime, nullable=False),
    Column("person", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    # Each line seals the one before it; the database itself refuses to change or delete a line.
    Column("prev_hash", String(80), nullable=False, default="", server_default=""),
    Column("hash", String(80), nullable=False, default="", server_default=""),
)
