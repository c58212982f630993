"""The calendar: what went out, what is planned, and the days that the work has to mind. Reads, decides nothing.

Days are those of the network's time zone.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pregon.pipeline.protocols import Clock, DayStore
from pregon.settings import ReservePeriod, Settings
from pregon.types import ChannelName, ItemDay, ScheduledDraft


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day. `reserved` are the reserve periods that it lies in; `digest_due`: a digest is made on this day."""

    day: date
    in_month: bool
    is_today: bool
    drafts: tuple[ScheduledDraft, ...] = ()
    announced: tuple[ItemDay, ...] = ()
    reserved: tuple[ReservePeriod, ...] = ()
    digest_due: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say of this day."""
        return not (self.drafts or self.announced or self.reserved or self.digest_due)


@dataclass(frozen=True, slots=True)
class CalendarMonth:
    """A month in whole weeks from Monday."""

    first: date
    weeks: tuple[tuple[CalendarDay, ...], ...] = field(default_factory=tuple)

    @property
    def days(self) -> Iterator[CalendarDay]:
        """The days of the month itself."""
        return (day for week in self.weeks for day in week if day.in_month)


class Calendar:
    """Drafts, items and configuration -> days."""

    def __init__(self, store: DayStore, settings: Settings, clock: Clock) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._zone = ZoneInfo(settings.network.time_zone)

    def today(self) -> date:
        """The day that it is in the network's zone."""
        return self._settings.network.day_of(self._clock())

    def month(self, year: int, month: int, channel: str = "") -> CalendarMonth:
        """Every day of a month, and those of its first and last week. `channel` leaves out what goes another way."""
        weeks = calendar.Calendar().monthdatescalendar(year, month)
        start, end = weeks[0][0], weeks[-1][-1] + timedelta(days=1)
        drafts = self._store.scheduled_drafts(self._begin(start), self._begin(end), channel)
        announced = self._store.announced_days(start, end)
        days = tuple(tuple(self._day(day, month, channel, drafts, announced) for day in week) for week in weeks)
        return CalendarMonth(date(year, month, 1), days)

    def _begin(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone).astimezone(UTC)

    def _day(
        self,
        day: date,
        month: int,
        channel: str,
        drafts: tuple[ScheduledDraft, ...],
        announced: tuple[ItemDay, ...],
    ) -> CalendarDay:
        periods = self._settings.network.reserve_periods
        return CalendarDay(
            day=day,
            in_month=day.month == month,
            is_today=day == self.today(),
            drafts=tuple(each for each in drafts if each.due_at.astimezone(self._zone).date() == day),
            announced=tuple(each for each in announced if each.day == day),
            reserved=tuple(period for period in periods if period.start <= day <= period.end),
            digest_due=channel in ("", ChannelName.EMAIL) and self._makes_digest(day),
        )

    def _makes_digest(self, day: date) -> bool:
        """A digest tells of the last whole week or month, so it is made on the first day after; past ones are drafts now."""
        rule = self._settings.digest
        if rule is None or day < self.today():
            return False
        return day.weekday() == 0 if rule.every == "week" else day.day == 1
