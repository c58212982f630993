"""What every query module shares: the engine, a write transaction and a read transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite


def make_engine(url: str | URL, **options: Any) -> Engine:
    """An engine whose errors name no value: they are logged as they are, and values are addresses and texts."""
    engine = create_engine(url, hide_parameters=True, **options)
    event.listen(engine, "handle_error", _hide_detail)
    return engine


def _hide_detail(context: ExceptionContext) -> None:
    # PostgreSQL's DETAIL shows the row, or the key, that it refuses.
    said = getattr(getattr(context.original_exception, "diag", None), "message_primary", None)
    if said and context.sqlalchemy_exception:
        context.original_exception.args = (said,)
        context.sqlalchemy_exception.args = (f"({type(context.original_exception).__name__}) {said}",)


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
