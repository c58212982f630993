"""The migrations bring an empty database, and one with data, to the shape that the code expects."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from pregon.storage.shape import MIGRATIONS, head_revision, upgrade
from pregon.storage.store import open_store
from pregon.storage.tables import metadata

# Full-text search: an index over an expression on PostgreSQL, a virtual table with its own tables on SQLite.
SEARCH = "contact_words"


def migrate(url: str, revision: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        upgrade(connection, revision)
    engine.dispose()


def test_the_newest_shape_is_the_one_that_alembic_ends_with():
    assert head_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def test_tables_and_migrations_agree(url):
    store = open_store(url)
    with store.engine.connect() as connection:
        opts = {"compare_type": False, "include_name": lambda name, *_: not str(name).startswith(SEARCH)}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []
    store.close()


def test_what_a_first_version_held_is_kept(url):
    migrate(url, "0001")
    engine = create_engine(url)
    at = "2026-11-01T09:00:00.000000+00:00"
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO items (id, identity, kind, fingerprint, version, created_at, updated_at) "
            "VALUES (1, 'url:t.example/a', 'news', 'f', 3, :at, :at)",
            "INSERT INTO campaigns (id, slug, item_id, kind, title, created_at) VALUES (1, 's', 1, 'news', 't', :at)",
            "INSERT INTO drafts (id, campaign_id, channel, language, state, revision, updated_at) "
            "VALUES (1, 1, 'email', 'en', 'in_review', 1, :at)",
            "INSERT INTO contacts (id, address, name, language, state, organisation, city, country, open_tracking, "
            "click_tracking, created_at, updated_at) "
            "VALUES (1, 'a@t.example', 'A', 'en', 'subscribed', '', '', '', 'unknown', 'granted', :at, :at)",
            "INSERT INTO memberships (contact_id, list) VALUES (1, 'members')",
            "INSERT INTO approvals (id, draft_id, revision, digest, decision, decided_by, comment, decided_at) "
            "VALUES (1, 1, 1, 'd', 'approved', 'officer', '', :at)",
            "INSERT INTO deliveries (id, campaign_id, draft_id, approval_id, revision, channel, language, position, "
            "address, contact_id, state, attempts, due_at, track_opens, track_clicks, planned_at) "
            "VALUES ('abc', 1, 1, 1, 1, 'email', 'en', 0, 'a@t.example', 1, 'sent', 1, :at, FALSE, TRUE, :at)",
            "INSERT INTO deliveries (id, campaign_id, draft_id, approval_id, revision, channel, language, position, "
            "address, state, reason, attempts, due_at, track_opens, track_clicks, planned_at) SELECT 'd' || n, 1, 1, 1, 1, "
            "'x', 'en', n, '', 'held', said, 1, :at, FALSE, FALSE, :at FROM (SELECT 1 AS n, 'held: the forum keeps this "
            "topic until a moderator approves it' AS said UNION ALL SELECT 2, 'held: it was due too long ago') AS each",
            "INSERT INTO samples (delivery_id, metric, value, at) VALUES ('abc', 'views', 7, :at)",
        ):
            connection.execute(text(statement), {"at": at})
    engine.dispose()
    store = open_store(url)
    campaign = store.read_campaign("s")
    assert campaign is not None
    assert store.campaign_of_item(1) == campaign
    assert store.drafted_version(1) == 3
    assert [draft.language for draft in store.list_drafts([1])] == ["en"]
    contact = store.read_contact(1)
    assert contact is not None
    assert (contact.lists, contact.click_tracking.value) == (("members",), "granted")
    # SQLite makes the ledger anew, while samples refer to it.
    delivery = store.list_deliveries(1)[0]
    assert (delivery.id, delivery.contact_id, delivery.state.value) == ("abc", 1, "sent")
    with store.engine.connect() as connection:
        assert connection.execute(text("SELECT value FROM samples WHERE delivery_id = 'abc'")).scalar() == 7
        in_doubt = connection.execute(text("SELECT id FROM deliveries WHERE in_doubt")).scalars().all()
        assert in_doubt == ["d1"]
    store.close()
