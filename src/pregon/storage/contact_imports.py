"""Contacts by the thousand: rows are staged in a temporary table and taken by a few set-based statements.

One call is one short transaction, so that a million rows never keep the deliveries waiting. What a person has said
themselves stays: no row brings back who unsubscribed, who left a list, who refused tracking or who was erased.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from pregon.storage.base import Queries
from pregon.storage.tables import UtcTime, suppressions
from pregon.types import ImportCount, ImportedRow

_COLUMNS = {
    "place": "INTEGER PRIMARY KEY",
    "line": "INTEGER",
    "address": "TEXT",
    "name": "TEXT",
    "language": "TEXT",
    "state": "TEXT",
    "organisation": "TEXT",
    "city": "TEXT",
    "country": "TEXT",
    "opens": "TEXT",
    "clicks": "TEXT",
    "lists": "TEXT",
    "at": "TEXT",
    "how": "TEXT",
    "words": "TEXT",
    "contact_id": "INTEGER",
    "fresh": "INTEGER",
}
_STAGED = tuple(_COLUMNS)[:-2]
_TEXTS = ("name", "organisation", "city", "country")
# As an expression a staged address cannot be looked up, only a contact's: neither database then walks all contacts.
_FIND = (
    "UPDATE staged_rows SET contact_id = c.id, fresh = {fresh} FROM contacts c "
    "WHERE c.address = staged_rows.address || '' AND staged_rows.contact_id IS NULL"
)
_REFUSE_LISTS = (
    "DELETE FROM staged_lists WHERE EXISTS (SELECT 1 FROM staged_rows r JOIN left_lists l ON l.contact_id = r.contact_id "
    "WHERE r.place = staged_lists.place AND l.list = staged_lists.list)"
)
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
_INSERT = (
    "INSERT INTO contacts (address, name, language, state, organisation, city, country, open_tracking, click_tracking, "
    "created_at, updated_at, lists) SELECT address, name, language, CASE WHEN state = '' THEN 'subscribed' ELSE state END, "
    "organisation, city, country, opens, clicks, {at}, {at}, lists FROM staged_rows WHERE contact_id IS NULL "
    "ORDER BY address ON CONFLICT (address) DO NOTHING"
)
_INSERT_AND_FIND = (
    "WITH added AS ({insert} RETURNING id, address) UPDATE staged_rows SET contact_id = added.id, fresh = 1 FROM added "
    "WHERE added.address = staged_rows.address AND staged_rows.contact_id IS NULL"
)
_MEMBERSHIPS = (
    "INSERT INTO memberships (contact_id, list) SELECT r.contact_id, l.list FROM staged_lists l "
    "JOIN staged_rows r ON r.place = l.place WHERE true ON CONFLICT (contact_id, list) DO NOTHING"
)
_LEDGER = "INSERT INTO consents (contact_id, purpose, answer, at, how, text) "
_NEW_ANSWERS = (
    "SELECT contact_id, 'mail', CASE state WHEN 'unsubscribed' THEN 'denied' WHEN 'pending' THEN 'unknown' "
    "ELSE 'granted' END, at, how, words FROM staged_rows WHERE fresh = 1",
    "SELECT contact_id, 'opens', opens, at, how, words FROM staged_rows WHERE fresh = 1 AND opens <> 'unknown'",
    "SELECT contact_id, 'clicks', clicks, at, how, words FROM staged_rows WHERE fresh = 1 AND clicks <> 'unknown'",
)
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


class ContactImportQueries(Queries):
    """Take rows of a file."""

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
            count = self._import(connection, rows, marks, at)
            if dry_run:
                transaction.rollback()
        return count

    def _import(
        self, connection: Connection, rows: Sequence[ImportedRow], marks: Sequence[str], at: datetime
    ) -> ImportCount:
        self._stage(connection, rows, at)
        erased = self._take_out_erased(connection, rows, marks)
        _run(connection, _FIND.format(fresh=0))
        known = _count(connection, "SELECT count(*) FROM staged_rows WHERE contact_id IS NOT NULL")
        kept = self._update_known(connection, at) if known else 0
        self._insert_new(connection, len(rows) - len(erased) - known, at)
        _run(connection, _MEMBERSHIPS)
        for answers in _NEW_ANSWERS:
            _run(connection, _LEDGER + answers)
        if known:
            _run(connection, self._renew_lists())
        return ImportCount(len(rows) - len(erased) - known, known, kept, erased)

    @staticmethod
    def _insert_new(connection: Connection, count: int, at: datetime) -> None:
        """New contacts; their ids go into the staged rows."""
        insert = _INSERT.format(at=f"'{_write_time(at)}'")
        if connection.dialect.name == "postgresql":
            # The ids come back from the insertion itself, all of them at once: here hashing is the quickest.
            _run(connection, "SET LOCAL enable_hashjoin = on; SET LOCAL enable_nestloop = off")
            found = connection.exec_driver_sql(_INSERT_AND_FIND.format(insert=insert)).rowcount
            _run(connection, "SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = on")
            if found == count:
                return
        else:
            _run(connection, insert)
        # Whoever else imports the same address at this moment was first.
        _run(connection, _FIND.format(fresh=1))

    def _update_known(self, connection: Connection, at: datetime) -> int:
        kept = _count(connection, _KEPT)
        _run(connection, _REFUSE_LISTS)
        for answers in _CHANGED_ANSWERS:
            _run(connection, _LEDGER + answers)
        _run(connection, _UPDATE.format(at=f"'{_write_time(at)}'"))
        return kept

    @staticmethod
    def _take_out_erased(connection: Connection, rows: Sequence[ImportedRow], marks: Sequence[str]) -> tuple[int, ...]:
        """People who asked to be erased are known by a salted hash alone, and stay out."""
        if not marks:
            return ()
        wanted = suppressions.c.address.in_(bindparam("marks", expanding=True))
        found = set(connection.execute(select(suppressions.c.address).where(wanted), {"marks": list(marks)}).scalars())
        places = [place for place, mark in enumerate(marks) if mark in found]
        for place in places:
            for table in ("staged_lists", "staged_rows"):
                _run(connection, f"DELETE FROM {table} WHERE place = {place}")  # noqa: S608 - our own number
        return tuple(rows[place].line for place in places)

    def _renew_lists(self) -> str:
        key = self._lists_key()
        known = "SELECT contact_id FROM staged_rows WHERE fresh = 0"
        return f"UPDATE contacts SET lists = {key} WHERE id IN ({known}) AND lists <> {key}"  # noqa: S608 - no value of anybody's in it

    def _stage(self, connection: Connection, rows: Sequence[ImportedRow], at: datetime) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
        _run(connection, f"CREATE TEMPORARY TABLE IF NOT EXISTS staged_rows ({columns})")
        _run(connection, "CREATE TEMPORARY TABLE IF NOT EXISTS staged_lists (place INTEGER, list TEXT)")
        _run(connection, "DELETE FROM staged_rows")
        _run(connection, "DELETE FROM staged_lists")
        moment = _write_time(at)
        people = [_stage_row(place, row, moment) for place, row in enumerate(rows)]
        lists = [(place, name) for place, row in enumerate(rows) for name in row.lists]
        _load(connection, "staged_rows", _STAGED, people)
        _load(connection, "staged_lists", ("place", "list"), lists)
        if connection.dialect.name == "postgresql":
            # Words are put into their index by the batch: with the usual 4 MB each thousand rows would be merged by itself.
            _run(connection, "SET LOCAL gin_pending_list_limit = '64MB'")
            # A batch is looked up row by row in the index. Anything else reads all contacts again for each batch.
            for plan in ("hashjoin", "mergejoin"):
                _run(connection, f"SET LOCAL enable_{plan} = off")
            # Nobody else analyses a temporary table, and without figures the joins would be planned for no rows at all.
            _run(connection, "ANALYZE staged_rows (place)")
            _run(connection, "ANALYZE staged_lists")


def _stage_row(place: int, row: ImportedRow, moment: str) -> tuple[Any, ...]:
    return (
        place,
        row.line,
        row.address,
        row.name,
        row.language,
        row.state.value if row.state else "",
        row.organisation,
        row.city,
        row.country,
        row.opens.value,
        row.clicks.value,
        f"|{'|'.join(row.lists)}|" if row.lists else "",
        _write_time(row.consent_at) if row.consent_at else moment,
        row.consent_how,
        row.consent_text,
    )


def _load(connection: Connection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Rows into a temporary table by the driver's own quickest way."""
    if not rows:
        return
    cursor = connection.connection.cursor()
    try:
        if isinstance(cursor, sqlite3.Cursor):
            marks = ", ".join("?" * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608
            return
        copying: Any = cursor
        with copying.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    finally:
        cursor.close()


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)


def _count(connection: Connection, statement: str) -> int:
    return int(connection.exec_driver_sql(statement).scalar_one())


def _write_time(at: datetime) -> str:
    return str(UtcTime().process_bind_param(at, None))  # type: ignore[arg-type]
