from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postgres import fresh_schema, postgres_server

__all__ = ["postgres_server"]


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'a.db'}"
        return
    with fresh_schema(request.getfixturevalue("postgres")) as address:
        yield address
