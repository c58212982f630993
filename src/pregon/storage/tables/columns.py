"""What every table shares: the metadata, times as text, numbers that the database counts, references."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Dialect, ForeignKey, Integer, MetaData, String
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, as sortable text `2026-11-23T09:30:00.000000+00:00`."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Refuse naive times: a time without a zone is a bug, not a default."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the text back as an aware datetime."""
        return None if value is None else datetime.fromisoformat(value)


def make_id() -> Column[Any]:
    """A number that the database counts up by itself."""
    return Column("id", Integer, primary_key=True, autoincrement=True)


def refer_to(name: str, target: str, *, nullable: bool = False, index: bool = True) -> Column[Any]:
    """A column that names a row of another table."""
    return Column(name, ForeignKey(f"{target}.id"), nullable=nullable, index=index)
