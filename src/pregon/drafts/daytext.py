"""Dates as people write them in a text, in English, French and Spanish: found, and compared by value.

Only for tracing: finds a day and month (and year when it stands there), never decides what a date means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from babel.dates import get_month_names

from pregon.types import Span

_LANGUAGES = ("en", "fr", "es")


@dataclass(frozen=True, slots=True)
class Day:
    """A day in a text: the year is None where the text does not give it."""

    day: int
    month: int
    year: int | None
    span: Span

    def agrees(self, other: Day) -> bool:
        """Whether both name the same day; a year that one of them leaves out does not contradict."""
        same_year = self.year == other.year or self.year is None or other.year is None
        return (self.day, self.month) == (other.day, other.month) and same_year


def day_of(value: date, span: Span) -> Day:
    """A date that an item states, as a `Day`."""
    return Day(value.day, value.month, value.year, span)


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    names = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for number, name in get_month_names(width, locale=language).items():
                names[name.lower().rstrip(".")] = number
    return names


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], ...]:
    month = "|".join(sorted(map(re.escape, _months()), key=len, reverse=True))
    before = rf"(?<!\d)(?P<day>\d{{1,2}})(?:er|st|nd|rd|th|º|°)?\s+(?:de\s+|of\s+)?(?P<month>{month})\b\.?(?:,?\s+(?:de\s+|del\s+)?(?P<year>\d{{4}}))?(?!\d)"
    after = rf"\b(?P<month>{month})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s+(?P<year>\d{{4}})(?!\d))?"
    figures = r"(?<![\d/.-])(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)"
    local = r"(?<![\d/.-])(?P<day>\d{1,2})[/.](?P<month>\d{1,2})[/.](?P<year>\d{4})(?![\d/])"
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in (before, after, figures, local))


def find_days(text: str) -> tuple[Day, ...]:
    """The days named in the text, in order of place; where two readings overlap the first stays, of two that begin together the longer."""
    found = [day for pattern in _patterns() for match in pattern.finditer(text) if (day := _read(match))]
    kept: list[Day] = []
    for day in sorted(found, key=lambda day: (day.span[0], -day.span[1])):
        if not kept or kept[-1].span[1] <= day.span[0]:
            kept.append(day)
    return tuple(kept)


def _read(match: re.Match[str]) -> Day | None:
    month = match["month"].lower().rstrip(".")
    number = int(month) if month.isdigit() else _months()[month]
    year = int(match["year"]) if match["year"] else None
    day = int(match["day"])
    start, end = match.start(), match.end() - (not year and match.group().endswith("."))
    return Day(day, number, year, (start, end)) if 1 <= number <= 12 and 1 <= day <= 31 else None
