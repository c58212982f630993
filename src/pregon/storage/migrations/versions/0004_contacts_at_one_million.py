"""contacts at one million: lists in one index, words to search by, consents, notices, duties of the provider"""

import sqlalchemy as sa
from alembic import op

from pregon.storage.tables import UtcTime

revision = "0004"
down_revision = "0003"

_WORDS = "name, address, organisation, city"


def upgrade() -> None:
    op.add_column("contacts", sa.Column("lists", sa.Text(), nullable=False, server_default=""))
    op.add_column("contacts", sa.Column("erased_at", UtcTime(), nullable=True))
    op.create_index("ix_memberships_list", "memberships", ["list", "contact_id"])
    _create_tables()
    if op.get_bind().dialect.name == "postgresql":
        _prepare_postgresql()
    else:
        _prepare_sqlite()
    op.create_index("ix_contacts_audience", "contacts", ["lists", "language", "state"])


def _create_tables() -> None:
    op.create_table(
        "left_lists",
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("list", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_left_lists_contact_id_contacts"),
        sa.PrimaryKeyConstraint("contact_id", "list", name="pk_left_lists"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_consents_contact_id_contacts"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_contact_id", "consents", ["contact_id"])
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("wish_json", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.String(length=300), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("claimed_at", UtcTime(), nullable=True),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_contact_id", "notices", ["contact_id"])
    op.create_index("ix_notices_due", "notices", ["state", "due_at"])
    op.create_table(
        "form_attempts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mark", sa.String(length=80), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_form_attempts"),
    )
    op.create_index("ix_form_attempts_mark", "form_attempts", ["mark", "at"])
    op.create_table(
        "provider_duties",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("done_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_provider_duties"),
    )
    op.create_index("ix_provider_duties_due", "provider_duties", ["state", "due_at"])


def _prepare_postgresql() -> None:
    op.execute(
        "UPDATE contacts SET lists = '|' || m.names || '|' FROM (SELECT contact_id, string_agg(list, '|' ORDER BY list)"
        " AS names FROM memberships GROUP BY contact_id) m WHERE m.contact_id = contacts.id"
    )
    # The same expression stands in storage/contacts.py: a search uses the index only when they are equal.
    op.execute(
        "CREATE INDEX contact_words ON contacts USING gin (to_tsvector('simple', translate("
        "name || ' ' || address || ' ' || organisation || ' ' || city, '@.-_+', '     ')))"
    )


def _prepare_sqlite() -> None:
    op.execute(
        "UPDATE contacts SET lists = '|' || (SELECT group_concat(list, '|') FROM (SELECT list FROM memberships"
        " WHERE contact_id = contacts.id ORDER BY list)) || '|' WHERE id IN (SELECT contact_id FROM memberships)"
    )
    op.execute(
        f"CREATE VIRTUAL TABLE contact_words USING fts5({_WORDS}, content='contacts', content_rowid='id',"
        " tokenize='unicode61 remove_diacritics 2', detail='none')"
    )
    new, old = ("new." + _WORDS.replace(", ", ", new."), "old." + _WORDS.replace(", ", ", old."))
    add = f"INSERT INTO contact_words (rowid, {_WORDS}) VALUES (new.id, {new});"
    take = f"INSERT INTO contact_words (contact_words, rowid, {_WORDS}) VALUES ('delete', old.id, {old});"
    op.execute(f"CREATE TRIGGER contact_words_added AFTER INSERT ON contacts BEGIN {add} END")
    op.execute(f"CREATE TRIGGER contact_words_taken AFTER DELETE ON contacts BEGIN {take} END")
    # Only a change of words costs anything: a change of state or consent does not come here.
    op.execute(f"CREATE TRIGGER contact_words_changed AFTER UPDATE OF {_WORDS} ON contacts BEGIN {take} {add} END")
    op.execute("INSERT INTO contact_words (contact_words) VALUES ('rebuild')")
