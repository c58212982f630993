"""What every query module shares: the engine, a write transaction and a read transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite


class Queries:
    """Base of the query modules."""

    engine: Engine

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self.engine.connect().execution_options(pregon_read_only=True) as connection:
            yield connection

    def _insert(self, table: Table) -> Any:
        """An INSERT of this database's dialect, which knows ON CONFLICT."""
        return (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert(table)

    def _lists_key(self) -> str:
        """SQL for `contacts.lists`, computed from the memberships of the contact at hand."""
        ordered = "(SELECT list FROM memberships WHERE contact_id = contacts.id ORDER BY list) AS m"
        joined = "string_agg" if self.engine.dialect.name == "postgresql" else "group_concat"
        return f"coalesce('|' || (SELECT {joined}(m.list, '|') FROM {ordered}) || '|', '')"  # noqa: S608 - constants
