"""A kept count is given again until somebody here commits a change to contacts, and for some seconds at most."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from postgres import fresh_schema
from pregon.storage.freshness import KEPT_SECONDS, KeptCounts
from pregon.storage.store import open_store
from pregon.types import Audience, Contact, ContactState, SuppressionReason


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    yield store
    store.close()


def test_a_change_by_this_process_is_counted_at_once(store, now):
    audience = Audience("All", ("members",), ("en",))
    assert store.count_audience(audience).recipients == 0
    added = store.add_contact(Contact(0, "a@x.example", "", "en", ContactState.SUBSCRIBED, ()), now)
    store.set_lists(added, ["members"], now)
    assert store.count_audience(audience).recipients == 1
    store.add_suppression("a@x.example", SuppressionReason.MANUAL, "", now)
    assert store.count_audience(audience).recipients == 0


def test_values_are_kept_until_a_commit_and_for_some_seconds(store):
    at, asked = [100.0], []
    kept = KeptCounts(store.engine, lambda: at[0])

    def count():
        asked.append(at[0])
        return len(asked)

    assert [kept.keep("a", count) for _ in range(3)] == [1, 1, 1]
    at[0] += KEPT_SECONDS - 0.1
    assert kept.keep("a", count) == 1
    at[0] += 0.2
    assert kept.keep("a", count) == 2
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE contacts SET name = '' WHERE id = 0"))
        assert kept.keep("a", count) == 2
    assert kept.keep("a", count) == 3
    with store.engine.connect() as connection:
        connection.execute(text("DELETE FROM contacts WHERE id = 0"))
        connection.rollback()
    with store.engine.begin() as connection:
        connection.execute(text("SELECT count(*) FROM contacts"))
    assert kept.keep("a", count) == 3


def test_what_changes_while_it_is_counted_is_not_kept(store):
    kept = KeptCounts(store.engine)

    def count():
        with store.engine.begin() as connection:
            connection.execute(text("UPDATE contacts SET name = '' WHERE id = 0"))
        return "old"

    assert kept.keep("a", count) == "old"
    assert kept.keep("a", lambda: "new") == "new"


@pytest.mark.postgres
def test_a_connection_that_is_lost_in_a_transaction_says_so(postgres):
    with fresh_schema(postgres) as address:
        store = open_store(address)
        with pytest.raises(OperationalError), store.engine.begin() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert store.count_audience(Audience("All", ("members",), ("en",))).recipients == 0
        store.close()
