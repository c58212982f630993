"""When a channel may send: days and hours, in the network's time zone or in that of each reader's country.

Pure. Countries and their zones are those of the Unicode CLDR (Babel). What a country does not settle is not guessed: one
with several zones is open only while the window is open in each of them, and an unknown one counts as the network's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.core import get_global

from pregon.types import SendWindow

# Countries are written as their code or as their name in one of the secretariat's languages.
_LANGUAGES = ("en", "fr", "es")
_DAYS_AHEAD = 8
# Two zones of one country disagree at most this often before they agree; else they never do.
_MOST_STEPS = 40


def next_opening(window: SendWindow, at: datetime, zones: Iterable[str]) -> datetime | None:
    """The first moment from `at` on when the window is open in each of the zones; None when there is no such moment."""
    places = [ZoneInfo(zone) for zone in zones]
    moment = at
    for _ in range(_MOST_STEPS):
        later = max(_open_in(window, moment, place) for place in places)
        if later == moment:
            return at if moment == at else moment.astimezone(at.tzinfo)
        moment = later
    return None


def _open_in(window: SendWindow, at: datetime, place: ZoneInfo) -> datetime:
    local = at.astimezone(place)
    for ahead in range(_DAYS_AHEAD):
        day = local.date() + timedelta(days=ahead)
        opens = datetime.combine(day, window.opens, place)
        closes = datetime.combine(day, window.closes, place)
        if day.weekday() in window.days and at < closes:
            return max(at, opens)
    raise ValueError("a window is open on one day of the week at least")


def zones_of(country: str) -> tuple[str, ...]:
    """The time zones of a country, named by its ISO 3166-1 code or its name in English, French or Spanish; () if unknown."""
    name = country.strip()
    code = name.upper() if len(name) == 2 else _codes().get(name.casefold(), "")
    return _zones(code)


@cache
def _zones(code: str) -> tuple[str, ...]:
    return tuple(zone for zone in get_global("territory_zones").get(code, ()) if _is_known(zone))


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


@cache
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                codes.setdefault(name.casefold(), code)
    return codes
