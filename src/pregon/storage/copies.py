"""Every row out and in again, for backups. Knows no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, func, insert, inspect, not_, select, text, update

from pregon.deliveries import AHEAD_MARK
from pregon.errors import PregonError
from pregon.storage.base import Queries, make_engine
from pregon.storage.conditions import is_held_in_doubt
from pregon.storage.funnels import mark_stale
from pregon.storage.shape import UNFINISHED_RESTORE, upgrade
from pregon.storage.tables import batches, deliveries, metadata, notices
from pregon.types import BatchState, DeliveryState

_BATCH = 1_000
Rows = Iterator[Mapping[str, Any]]
Load = Callable[[str, Rows], None]


class CopyQueries(Queries):
    """All tables, and the hold that follows a restore."""

    def dump_tables(self) -> Iterator[tuple[str, Rows]]:
        """Each table's name and rows, parents before children, all as of one moment."""
        options = {"isolation_level": "REPEATABLE READ"} if self.engine.dialect.name == "postgresql" else {}
        with self.engine.connect().execution_options(pregon_read_only=True, **options) as connection:
            connection.execute(text("SELECT 1"))
            for table in metadata.sorted_tables:
                result = connection.execution_options(yield_per=_BATCH).execute(select(table))
                yield table.name, (dict(row._mapping) for row in result)

    def hold_everything(self, reason: str, at: datetime) -> int:
        """Hold all that would go out by itself; what was being sent becomes unknown, so that the provider is asked.

        What was handed over ahead is called back no more: the batches that came after are not in a backup, and what was
        open of it may leave with one of them.
        """
        with self._write() as connection:
            open_ahead = update(deliveries).where(
                deliveries.c.state.in_((DeliveryState.SENDING.value, DeliveryState.UNKNOWN.value)),
                deliveries.c.claimed_by.like(f"%{AHEAD_MARK}/%"),
            )
            held_in_doubt = {"state": DeliveryState.HELD.value, "reason": reason, "in_doubt": True}
            connection.execute(open_ahead.values(**held_in_doubt))
            unfinished = batches.c.state.not_in((BatchState.UNUSED, BatchState.RETURNED))
            connection.execute(update(batches).where(unfinished).values(state=BatchState.GONE.value))
            was_sending = update(deliveries).where(deliveries.c.state == DeliveryState.SENDING.value)
            connection.execute(was_sending.values(state=DeliveryState.UNKNOWN.value, due_at=at))
            # What was held may have been released since.
            waits = deliveries.c.state.in_((DeliveryState.PENDING.value, DeliveryState.HELD.value))
            waiting = update(deliveries).where(waits, not_(is_held_in_doubt()))
            held = connection.execute(waiting.values(**held_in_doubt)).rowcount
            connection.execute(update(notices).where(notices.c.state == "pending").values(state="held"))
            touched = connection.execute(select(deliveries.c.campaign_id).distinct()).scalars().all()
            mark_stale(self, connection, touched)
            connection.execute(text(f"DROP TABLE IF EXISTS {UNFINISHED_RESTORE}"))
        return int(held)


@contextmanager
def make_database(url: str, revision: str) -> Iterator[Load]:
    """An empty database in the shape that it had at `revision`, to be loaded table by table, all or nothing.

    Nobody but the restore itself opens it until `hold_everything` has run: what is due in it would go out again.
    Raises `PregonError` when the database holds something already.
    """
    engine = make_engine(url)
    try:
        if inspect(engine).get_table_names():
            raise PregonError("There is a database already; restore into an empty PREGON_HOME or PREGON_DATABASE_URL.")
        with engine.begin() as connection:
            upgrade(connection, revision)
            shape = MetaData()
            shape.reflect(connection)

            def load(name: str, rows: Rows) -> None:
                for some in _batches(rows):
                    connection.execute(insert(shape.tables[name]), some)

            yield load
            _move_sequences(connection, engine, shape)
            connection.execute(text(f"CREATE TABLE {UNFINISHED_RESTORE} (mark INTEGER)"))
    finally:
        engine.dispose()


def _move_sequences(connection: Connection, engine: Engine, shape: MetaData) -> None:
    """PostgreSQL counts ids by itself: the next one must come after those that were loaded."""
    if engine.dialect.name != "postgresql":
        return
    for table in shape.tables.values():
        sequence = None
        if "id" in table.c:
            sequence = connection.execute(select(func.pg_get_serial_sequence(table.name, "id"))).scalar()
        if sequence is not None:
            highest = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(sequence, highest, False)))


def _batches(rows: Rows) -> Iterator[list[dict[str, Any]]]:
    while some := [dict(row) for row in islice(rows, _BATCH)]:
        yield some
