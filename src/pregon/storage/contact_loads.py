"""New contacts straight into their tables, by the driver's own quickest way: COPY on PostgreSQL, executemany on SQLite.

Who is new, and what becomes of people who are known, is decided in `contact_imports`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from pregon.storage.tables import UtcTime
from pregon.types import Consent, ContactState, ImportedRow

MEMBERSHIPS = ("contact_id", "list")
_ADDED = (
    *("id", "address", "name", "language", "state", "organisation", "city", "country"),
    *("open_tracking", "click_tracking", "created_at", "updated_at", "lists"),
)
_ANSWERS = ("contact_id", "purpose", "answer", "at", "how", "text")
_MAIL_ANSWERS = {
    ContactState.SUBSCRIBED: Consent.GRANTED,
    ContactState.UNSUBSCRIBED: Consent.DENIED,
    ContactState.PENDING: Consent.UNKNOWN,
}


def load_new(connection: Connection, rows: list[ImportedRow], moment: str) -> None:
    """New contacts, their lists and their answers. `moment` is the time of the import as the tables hold it.

    Raises the driver's IntegrityError when one of the addresses is taken by now.
    """
    people = list(zip(_reserve_ids(connection, len(rows)), rows, strict=True))
    _load_contacts(connection, [_write_contact(contact_id, row, moment) for contact_id, row in people])
    load_rows(connection, "memberships", MEMBERSHIPS, write_lists(people))
    load_rows(connection, "consents", _ANSWERS, list(_write_answers(people, moment)))


def _reserve_ids(connection: Connection, count: int) -> Iterable[int]:
    if connection.dialect.name == "postgresql":
        ids = f"nextval(pg_get_serial_sequence('contacts', 'id')) FROM generate_series(1, {count})"
        found: list[int] = connection.exec_driver_sql(
            f"SELECT array_agg(id) FROM (SELECT {ids}) AS taken (id)"  # noqa: S608 - our own number
        ).scalar_one()
        return found
    # Nobody else writes until this transaction ends.
    first: int = connection.exec_driver_sql("SELECT coalesce(max(id), 0) + 1 FROM contacts").scalar_one()
    return range(first, first + count)


def _load_contacts(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "postgresql":
        load_rows(connection, "contacts", _ADDED, rows)
        return
    # SQLite's index of words is written out after each statement, so that one statement adds them all.
    names = ", ".join(_ADDED)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS staged_people ({names})")
    load_rows(connection, "staged_people", _ADDED, rows)
    connection.exec_driver_sql(f"INSERT INTO contacts ({names}) SELECT {names} FROM staged_people")  # noqa: S608 - constants
    connection.exec_driver_sql("DELETE FROM staged_people")


def _write_contact(contact_id: int, row: ImportedRow, moment: str) -> tuple[Any, ...]:
    return (
        contact_id,
        row.address,
        row.name,
        row.language,
        row.state.value if row.state else "subscribed",
        row.organisation,
        row.city,
        row.country,
        str(row.opens),
        str(row.clicks),
        moment,
        moment,
        f"|{'|'.join(row.lists)}|" if row.lists else "",
    )


def write_lists(people: list[tuple[int, ImportedRow]]) -> list[tuple[Any, ...]]:
    """Who is on which list, by contact id."""
    return [(contact_id, name) for contact_id, row in people for name in row.lists]


def _write_answers(people: list[tuple[int, ImportedRow]], moment: str) -> Iterator[tuple[Any, ...]]:
    unknown = Consent.UNKNOWN
    for contact_id, row in people:
        rest = (write_time(row.consent_at) if row.consent_at else moment, row.consent_how, row.consent_text)
        mail = _MAIL_ANSWERS[row.state] if row.state else Consent.GRANTED
        yield (contact_id, "mail", str(mail), *rest)
        if row.opens is not unknown:
            yield (contact_id, "opens", str(row.opens), *rest)
        if row.clicks is not unknown:
            yield (contact_id, "clicks", str(row.clicks), *rest)


def load_rows(connection: Connection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Rows into a table, temporary or not, past what SQLAlchemy does for each of them."""
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


def write_time(at: datetime) -> str:
    """A time as the tables hold it."""
    return str(UtcTime().process_bind_param(at, None))  # type: ignore[arg-type]
