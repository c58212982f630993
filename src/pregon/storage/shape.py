"""The shape of the database: where its migrations are, and how they are run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text

from pregon.errors import PregonError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


# A table that stands in a database while a backup is put back into it, and until what was due in it is held.
UNFINISHED_RESTORE = "unfinished_restore"


def migrate(engine: Engine, *, is_restore: bool = False) -> None:
    """Run the migrations that are missing. Raises `PregonError` where a restore did not come to its end."""
    with engine.connect() as connection, _without_references(connection), connection.begin():
        if not is_restore and inspect(connection).has_table(UNFINISHED_RESTORE):
            raise PregonError("a restore into it was interrupted: empty it, and restore the backup again")
        if _read_revision(connection) != head_revision():
            upgrade(connection, "head")
            _check_references(connection)


@contextmanager
def _without_references(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew, which breaks every reference to it until that is done."""
    if connection.dialect.name != "sqlite":
        yield
        return
    # On the driver's connection: it is no part of a transaction, in which this would have no effect.
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise RuntimeError(f"row {broken[1]} of {broken[0]} refers to a row of {broken[2]} that does not exist")


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the database of this connection to a revision."""
    # Alembic takes a tenth of a second to load, and nearly every start finds nothing to do.
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@cache
def head_revision() -> str:
    """The newest shape of the database: the number that the last migration's file begins with."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _read_revision(connection: Connection) -> str | None:
    """The shape that the database says it has; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
