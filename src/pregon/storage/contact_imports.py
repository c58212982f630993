"""Contacts by the thousand: new people are loaded as they are, known ones are staged and taken by a few statements.

One call is one short transaction, so that a million rows never keep the deliveries waiting. What a person has said
themselves stays: no row brings back who unsubscribed, who left a list, who refused tracking or who was erased.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from pregon.storage.base import Queries
from pregon.storage.contact_loads import MEMBERSHIPS, load_new, load_rows, write_lists, write_time
from pregon.storage.freshness import KeptCounts
from pregon.storage.tables import suppressions
from pregon.types import ImportCount, ImportedRow

_STAGED = {
    "contact_id": "INTEGER PRIMARY KEY",
    "name": "TEXT",
    "language": "TEXT",
    "state": "TEXT",
    "organisation": "TEXT",
    "city": "TEXT",
    "country": "TEXT",
    "opens": "TEXT",
    "clicks": "TEXT",
    "at": "TEXT",
    "how": "TEXT",
    "words": "TEXT",
}
_TEXTS = ("name", "organisation", "city", "country")
# What each column of a known contact becomes. A row that changes nothing is not written: on PostgreSQL a written row
# is written into every index again.
_NEW_VALUES = {
    **{name: f"CASE WHEN r.{name} <> '' THEN r.{name} ELSE contacts.{name} END" for name in (*_TEXTS, "language")},
    "state": "CASE WHEN r.state = 'unsubscribed' THEN r.state ELSE contacts.state END",
    **{
        f"{column}_tracking": f"CASE WHEN r.{answer} = 'unknown' OR contacts.{column}_tracking = 'denied' "
        f"THEN contacts.{column}_tracking ELSE r.{answer} END"
        for column, answer in (("open", "opens"), ("click", "clicks"))
    },
}
_UPDATE = (
    f"UPDATE contacts SET {', '.join(f'{name} = {value}' for name, value in _NEW_VALUES.items())}, "  # noqa: S608 - constants
    "updated_at = {at} FROM staged_rows r WHERE contacts.id = r.contact_id AND ("
    + " OR ".join(f"contacts.{name} <> {value}" for name, value in _NEW_VALUES.items())
    + ")"
)
_JOIN_LISTS = (
    "INSERT INTO memberships (contact_id, list) SELECT l.contact_id, l.list FROM staged_lists l WHERE NOT EXISTS "
    "(SELECT 1 FROM left_lists WHERE left_lists.contact_id = l.contact_id AND left_lists.list = l.list) "
    "ON CONFLICT (contact_id, list) DO NOTHING"
)
_LEDGER = "INSERT INTO consents (contact_id, purpose, answer, at, how, text) "
_CHANGED_ANSWERS = (
    "SELECT c.id, 'mail', 'denied', r.at, r.how, r.words FROM staged_rows r JOIN contacts c ON c.id = r.contact_id "
    "WHERE r.state = 'unsubscribed' AND c.state <> 'unsubscribed'",
    "SELECT c.id, 'opens', r.opens, r.at, r.how, r.words FROM staged_rows r JOIN contacts c ON c.id = r.contact_id "
    "WHERE r.opens <> 'unknown' AND r.opens <> c.open_tracking AND c.open_tracking <> 'denied'",
    "SELECT c.id, 'clicks', r.clicks, r.at, r.how, r.words FROM staged_rows r JOIN contacts c ON c.id = r.contact_id "
    "WHERE r.clicks <> 'unknown' AND r.clicks <> c.click_tracking AND c.click_tracking <> 'denied'",
)
_KEPT = (
    "SELECT count(*) FROM staged_rows r JOIN contacts c ON c.id = r.contact_id "
    "WHERE c.state = 'unsubscribed' AND r.state <> 'unsubscribed'"
)
# Words are put into their index by the 64 MB and merged in as much memory: with the usual 4 MB each, every few thousand rows
# would be merged by themselves. Contacts are looked up in an index one by one: without figures of a table that has just been
# filled, all contacts would be read again for each batch.
_POSTGRESQL_LIMITS = "; ".join(
    (
        "SET LOCAL gin_pending_list_limit = '64MB'",
        "SET LOCAL work_mem = '64MB'",
        *(f"SET LOCAL enable_{plan} = off" for plan in ("seqscan", "hashjoin", "mergejoin")),
    )
)


class ContactImportQueries(Queries):
    """Take rows of a file."""

    kept_counts: KeptCounts

    def has_erased(self) -> bool:
        """Whether anybody was ever erased."""
        erased = select(suppressions.c.id).where(suppressions.c.address.like("hash:%")).limit(1)
        with self._read() as connection:
            return connection.execute(erased).first() is not None

    def count_import_writers(self) -> int:
        """How many batches of a file may be taken at the same time: their addresses are different, so none waits for another.

        SQLite has one writer at a time. PostgreSQL works on each in a process of its own.
        """
        return 2 if self.engine.dialect.name == "postgresql" else 1

    def import_rows(
        self, rows: Sequence[ImportedRow], at: datetime, *, marks: Sequence[str] = (), dry_run: bool = False
    ) -> ImportCount:
        """Add or update one batch of contacts, whose addresses are all different; a trial changes nothing.

        `marks` are what stands for the rows' addresses in suppressions of people who were erased. New contacts without a
        word about it are subscribed. Returns what became of the rows.
        """
        with self.engine.connect() as connection, connection.begin() as transaction:
            self.kept_counts.note_change(connection)
            erased = _find_erased(connection, marks)
            wanted = [row for place, row in enumerate(rows) if place not in erased]
            count = self._import(connection, wanted, at)
            if dry_run:
                transaction.rollback()
        return ImportCount(*count, tuple(rows[place].line for place in sorted(erased)))

    def _import(self, connection: Connection, rows: list[ImportedRow], at: datetime) -> tuple[int, int, int]:
        """(added, updated, kept)."""
        if connection.dialect.name == "postgresql":
            _run(connection, _POSTGRESQL_LIMITS)
        # Everybody goes through the addresses in the same order: two imports never wait for each other in a ring.
        rows.sort(key=_address_of)
        moment = write_time(at)
        added, known = _add_new(connection, rows, moment)
        kept = self._update_known(connection, rows, known, moment) if known else 0
        return added, len(known), kept

    def _update_known(self, connection: Connection, rows: list[ImportedRow], known: dict[str, int], moment: str) -> int:
        """Returns how many had unsubscribed and stay so."""
        _stage(connection, [(known[row.address], row) for row in rows if row.address in known], moment)
        kept = _count(connection, _KEPT)
        for answers in _CHANGED_ANSWERS:
            _run(connection, _LEDGER + answers)
        _run(connection, _UPDATE.format(at=f"'{moment}'"))
        _run(connection, _JOIN_LISTS)
        key, ids = self._lists_key(), "SELECT contact_id FROM staged_rows"
        _run(connection, f"UPDATE contacts SET lists = {key} WHERE id IN ({ids}) AND lists <> {key}")  # noqa: S608 - constants
        return kept


def _address_of(row: ImportedRow) -> str:
    return row.address


def _find_erased(connection: Connection, marks: Sequence[str]) -> set[int]:
    """People who asked to be erased are known by a salted hash alone, and stay out. Returns their places."""
    if not marks:
        return set()
    wanted = suppressions.c.address.in_(bindparam("marks", expanding=True))
    found = set(connection.execute(select(suppressions.c.address).where(wanted), {"marks": list(marks)}).scalars())
    return {place for place, mark in enumerate(marks) if mark in found}


def _add_new(connection: Connection, rows: list[ImportedRow], moment: str) -> tuple[int, dict[str, int]]:
    """Returns how many were added, and who was known: their ids by address."""
    known = _find_known(connection, rows)
    while fresh := [row for row in rows if row.address not in known]:
        try:
            with connection.begin_nested():
                load_new(connection, fresh, moment)
            break
        except connection.dialect.loaded_dbapi.IntegrityError:
            # Somebody else added one of these addresses at this moment and was first: by now it is known.
            found = _find_known(connection, rows)
            if len(found) <= len(known):
                raise
            known = found
    return len(fresh), known


def _find_known(connection: Connection, rows: list[ImportedRow]) -> dict[str, int]:
    addresses = [row.address for row in rows]
    wanted: tuple[Any, ...]
    if connection.dialect.name == "postgresql":
        query, wanted = "SELECT address, id FROM contacts WHERE address = ANY(%s)", (addresses,)
    else:
        query = "SELECT c.address, c.id FROM json_each(?) w CROSS JOIN contacts c ON c.address = w.value"
        wanted = (json.dumps(addresses),)
    return dict(connection.exec_driver_sql(query, wanted).tuples().all())


def _stage(connection: Connection, people: list[tuple[int, ImportedRow]], moment: str) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in _STAGED.items())
    gone = " ON COMMIT DELETE ROWS" if connection.dialect.name == "postgresql" else ""
    _run(connection, f"CREATE TEMPORARY TABLE IF NOT EXISTS staged_rows ({columns}){gone}")
    _run(connection, f"CREATE TEMPORARY TABLE IF NOT EXISTS staged_lists (contact_id INTEGER, list TEXT){gone}")
    if not gone:
        _run(connection, "DELETE FROM staged_rows")
        _run(connection, "DELETE FROM staged_lists")
    load_rows(
        connection, "staged_rows", tuple(_STAGED), [_stage_row(contact_id, row, moment) for contact_id, row in people]
    )
    load_rows(connection, "staged_lists", MEMBERSHIPS, write_lists(people))
    if connection.dialect.name == "postgresql":
        # Nobody else analyses a temporary table, and without figures the joins would be planned for no rows at all.
        _run(connection, "ANALYZE staged_rows (contact_id)")
        _run(connection, "ANALYZE staged_lists")


def _stage_row(contact_id: int, row: ImportedRow, moment: str) -> tuple[Any, ...]:
    return (
        contact_id,
        row.name,
        "" if row.is_language_assumed else row.language,
        row.state.value if row.state else "",
        row.organisation,
        row.city,
        row.country,
        str(row.opens),
        str(row.clicks),
        write_time(row.consent_at) if row.consent_at else moment,
        row.consent_how,
        row.consent_text,
    )


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)


def _count(connection: Connection, statement: str) -> int:
    return int(connection.exec_driver_sql(statement).scalar_one())
