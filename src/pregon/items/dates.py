"""Dates as people write them in English, French and Spanish, each with its span.

A date is found, never completed: a missing year stays missing until `FoundDate.resolve` is given the document's own
date. "At the end of the year" or "November 2009" is not a day and is not found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pregon.items.texts import fold
from pregon.types import Span

_MONTHS = {
    1: "january jan janvier janv enero ene",
    2: "february feb février fevrier févr fevr febrero",
    3: "march mar mars marzo",
    4: "april apr avril avr abril abr",
    5: "may mai mayo",
    6: "june jun juin junio",
    7: "july jul juillet juil julio",
    8: "august aug août aout agosto ago",
    9: "september sep sept septembre septiembre setiembre",
    10: "october oct octobre octubre",
    11: "november nov novembre noviembre",
    12: "december dec décembre decembre déc diciembre dic",
}
_NUMBER_OF = {fold(name): number for number, names in _MONTHS.items() for name in names.split()}
_NAMES = sorted({name for names in _MONTHS.values() for name in names.split()}, key=len, reverse=True)
WEEKDAYS = {
    fold(name): day
    for day, names in enumerate(
        ("monday lundi lunes", "tuesday mardi martes", "wednesday mercredi miércoles", "thursday jeudi jueves",
         "friday vendredi viernes", "saturday samedi sábado", "sunday dimanche domingo")
    )
    for name in names.split()
}  # fmt: skip
# Words that are also something else ("you may", "10 march", "hace 2 ago"): months only with a year or a capital.
_DOUBTFUL = {"may", "march", "mar", "ago", "set", "sep", "ene", "dec", "jan", "jun", "dic"}

_B = r"[ \t\u00a0\u202f]"
_GAP = rf"(?:{_B}{{1,3}}\n?{_B}{{0,3}}|\n{_B}{{0,3}})"
_SUFFIX = r"(?:er|re|st|nd|rd|th|º|°)?"
_JOIN = rf"(?:{_B}{{0,2}}[-–—/&]{_B}{{0,2}}|{_GAP}(?:to|through|and|au|et|al|a|y|e){_GAP}(?:(?:the|le|el){_GAP})?)"
_MONTH = r"(?P<month>" + "|".join(_NAMES) + r")(?!\w)\.?"
_YEAR = rf"(?:,?{_GAP}(?:(?:de|del|of){_GAP})?(?P<year>(?:19|20)\d\d)(?!\d))?"
_DAY_MONTH = re.compile(
    rf"(?<!\d[.,])(?<![\d/.:–-])(?P<day>\d{{1,2}}){_SUFFIX}(?:{_JOIN}(?P<last>\d{{1,2}}){_SUFFIX})?{_GAP}(?:(?:de|of){_GAP})?{_MONTH}{_YEAR}",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"(?<!\w){_MONTH}{_GAP}(?P<day>\d{{1,2}}){_SUFFIX}(?:{_JOIN}(?P<last>\d{{1,2}}){_SUFFIX})?(?![\d:/.%]?\d){_YEAR}",
    re.IGNORECASE,
)
_ISO = re.compile(r"(?<![\d-])(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?![\d-])")
_NUMERIC = re.compile(r"(?<![\d/.-])(?P<day>\d{1,2})([/.-])(?P<month>\d{1,2})\2(?P<year>(?:19|20)\d\d)(?![\d/-]|\.\d)")
_BETWEEN = re.compile(rf"{_JOIN}", re.IGNORECASE)
_WEEKDAY_BEFORE = re.compile(rf"(\w{{5,9}}),?{_GAP}(?:(?:the|le|el){_GAP})?(?:the{_GAP})?$")


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A day, or a run of days, as written. `problem` is impossible (31 February) or ambiguous (03/04/2026)."""

    span: Span
    day: int
    month: int
    year: int | None
    last: tuple[int, int, int | None] | None = None  # day, month, year of the last day of a range
    weekday: int | None = None
    problem: str | None = None

    def resolve(self, reference: date | None = None) -> date | None:
        """The first day. Without a written year: the first such day from `reference` on, or None without one."""
        return _resolve(self.day, self.month, self.year, reference) if self.problem is None else None

    def resolve_last(self, reference: date | None = None) -> date | None:
        """The last day of a range; None for a single day."""
        if self.last is None or self.problem is not None:
            return None
        day, month, year = self.last
        return _resolve(day, month, year, self.resolve(reference) or reference)

    def contradicts_weekday(self) -> bool:
        """Whether the weekday written beside the full date is not that date's weekday."""
        day = self.resolve() if self.year else None
        return day is not None and self.weekday is not None and day.weekday() != self.weekday


# More days than a document of any sort holds: the rest of a hostile one is not looked at.
_MOST = 2_000


def find_dates(text: str, language: str | None = None) -> list[FoundDate]:
    """Every day written in `text`, in order. Numeric dates are day/month; in English that is said to be ambiguous."""
    found = [_from_words(match, text) for match in _DAY_MONTH.finditer(text)]
    found += [_from_words(match, text) for match in _MONTH_DAY.finditer(text)]
    found += [_from_numbers(match, text, "en" if language is None else language) for match in _NUMERIC.finditer(text)]
    found += [_from_numbers(match, text, "iso") for match in _ISO.finditer(text)]
    return _join_ranges(_without_overlaps([one for one in found if one]), text)[:_MOST]


def _from_words(match: re.Match[str], text: str) -> FoundDate | None:
    name = fold(match["month"])
    if name in _DOUBTFUL and not match["year"] and (match["month"].islower() or (len(name) < 4 and name != "may")):
        return None
    if match.re is _MONTH_DAY and match["month"].islower() and not match["year"]:
        return None
    day, month, year = int(match["day"]), _NUMBER_OF[name], int(match["year"]) if match["year"] else None
    last = (int(match["last"]), month, year) if match["last"] else None
    problem = None if _possible(day, month, year) and (not last or _possible(*last)) else "impossible"
    return FoundDate(match.span(), day, month, year, last, _weekday_before(text, match.start()), problem)


def _from_numbers(match: re.Match[str], text: str, language: str) -> FoundDate | None:
    day, month, year = int(match["day"]), int(match["month"]), int(match["year"])
    problem = None
    if language == "en" and month > 12 >= day:
        day, month = month, day
    elif language == "en" and day <= 12 and day != month:
        problem = "ambiguous"
    if not _possible(day, month, year):
        problem = "impossible"
    return FoundDate(match.span(), day, month, year, None, _weekday_before(text, match.start()), problem)


def _weekday_before(text: str, start: int) -> int | None:
    found = _WEEKDAY_BEFORE.search(text[max(0, start - 24) : start])
    return WEEKDAYS.get(fold(found[1])) if found else None


def _possible(day: int, month: int, year: int | None) -> bool:
    try:
        date(year or 2000, month, day)
    except ValueError:
        return False
    return True


def _resolve(day: int, month: int, year: int | None, reference: date | None) -> date | None:
    if year is None and reference is None:
        return None
    years = [year] if year is not None or reference is None else [reference.year, reference.year + 1]
    for candidate in years:
        if candidate is not None and _possible(day, month, candidate):
            resolved = date(candidate, month, day)
            if year is not None or reference is None or resolved >= reference - timedelta(days=1):
                return resolved
    return None


def _without_overlaps(found: list[FoundDate]) -> list[FoundDate]:
    kept: list[FoundDate] = []
    for one in sorted(found, key=lambda one: (one.span[0], -one.span[1])):
        if not kept or one.span[0] >= kept[-1].span[1]:
            kept.append(one)
        elif one.year and not kept[-1].year and one.span[1] > kept[-1].span[1]:
            kept[-1] = one
    return kept


def _join_ranges(found: list[FoundDate], text: str) -> list[FoundDate]:
    joined: list[FoundDate] = []
    for one in found:
        before = joined[-1] if joined else None
        if before and before.last is None and one.last is None and _is_range(before, one, text):
            last = (one.day, one.month, one.year)
            joined[-1] = replace(before, span=(before.span[0], one.span[1]), year=before.year or one.year, last=last)
        else:
            joined.append(one)
    return joined


def _is_range(first: FoundDate, second: FoundDate, text: str) -> bool:
    between = text[first.span[1] : second.span[0]]
    in_order = (first.month, first.day) < (second.month, second.day) or (first.year or 0) < (second.year or 0)
    return bool(len(between) < 16 and _BETWEEN.fullmatch(between)) and in_order and not first.problem
