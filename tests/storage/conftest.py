from datetime import UTC, datetime

import pytest

from postgres import postgres_server

__all__ = ["postgres_server"]


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 23, 9, tzinfo=UTC)
