"""YouTube's daily quota, counted before each call and never over the budget. Nothing is asked of YouTube for it.

A read costs 1 unit and a write of playlists or their items 50, refused calls included; the day ends at midnight
Pacific (YouTube Data API, quota costs). Whoever wires the channel says where the count is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")
READ_UNITS = 1
WRITE_UNITS = 50
_API = "/youtube/v3/"

SpendUnits = Callable[[str, int, int], bool]
"""(day, units, budget) -> whether the units could still be taken from the day's budget; if so, they are taken."""


class QuotaGoneError(ValueError):
    """The day's budget does not cover a call, so it was not made."""


class Quota:
    """The budget of one channel. Without `spend` the count is kept in memory and forgotten with the process."""

    def __init__(self, clock: Callable[[], datetime], budget: int, spend: SpendUnits | None = None) -> None:
        self.budget = budget
        self._clock = clock
        self._spend = spend or _MemoryCount()

    def charge(self, method: str, uri: str) -> None:
        """Take what a call costs from today's budget. Raises `QuotaGoneError` when that is too little; tokens cost nothing."""
        if _API not in uri:
            return
        units = READ_UNITS if method == "GET" else WRITE_UNITS
        if not self._spend(name_day(self._clock()), units, self.budget):
            raise QuotaGoneError(f"the daily quota of {self.budget:,} units is used up")


def name_day(now: datetime) -> str:
    """The day of the quota, as YYYY-MM-DD in Pacific time."""
    return now.astimezone(PACIFIC).date().isoformat()


def write_reset(now: datetime, seconds: float) -> str:
    """When the quota comes back, for people."""
    moment = datetime.fromtimestamp(now.timestamp() + seconds, UTC)
    return f"{moment:%H:%M} UTC on {moment.day} {moment:%B}"


class _MemoryCount:
    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def __call__(self, day: str, units: int, budget: int) -> bool:
        used = self._used.get(day, 0) + units
        if used > budget:
            return False
        self._used = {day: used}
        return True
