"""The clock: the one place where the stages get the time from."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)
