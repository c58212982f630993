"""The log is only added to: the database refuses to change it, and its seals say where somebody got around that."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from pregon.storage import open_store
from pregon.types import AuditEntry

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path):
    opened = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    for number in range(4):
        opened.add_audit(AuditEntry(AT, "Ana", "edit", f"draft {number}", "«é»"))
    yield opened
    opened.close()


def run(store, *statements):
    with store.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_lines_are_sealed_one_after_another(store):
    assert store.find_broken_line() is None
    assert len({entry.hash for entry in store.walk_audit()}) == 4
    assert [entry.subject for entry in store.walk_audit()] == ["draft 0", "draft 1", "draft 2", "draft 3"]


def test_the_database_refuses_to_change_a_line(store):
    for statement in ("UPDATE audit_log SET person = 'Ben'", "DELETE FROM audit_log WHERE id = 2"):
        with pytest.raises(DatabaseError, match="only added to"):
            run(store, statement)
    assert store.find_broken_line() is None


def test_whoever_gets_around_it_is_found(store):
    guards = "DROP TRIGGER audit_log_no_update", "DROP TRIGGER audit_log_no_delete"
    run(store, *guards, "DELETE FROM audit_log WHERE id = 2")
    broken = store.find_broken_line()
    assert broken is not None
    assert broken.subject == "draft 2"
