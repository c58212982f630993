"""When a window is open: days, hours, zones, the change of the clocks, and countries of several zones."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.send_windows import next_opening, zones_of
from pregon.types import SendWindow

OFFICE = SendWindow(frozenset(range(5)), time(8), time(19))
MADRID = "Europe/Madrid"


def at(text: str, zone: str = MADRID) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("2026-11-23T08:00", "2026-11-23T08:00"),
        ("2026-11-23T18:59", "2026-11-23T18:59"),
        ("2026-11-23T19:00", "2026-11-24T08:00"),
        ("2026-11-23T07:59", "2026-11-23T08:00"),
        ("2026-11-27T20:00", "2026-11-30T08:00"),
        ("2026-10-24T12:00", "2026-10-26T08:00"),  # over the end of summer time: eight o'clock stays eight o'clock
    ],
)
def test_days_and_hours_are_those_of_the_zone(asked, opens):
    assert next_opening(OFFICE, at(asked), [MADRID]) == at(opens)


def test_several_zones_are_open_together_or_never():
    coasts = ["America/New_York", "America/Los_Angeles"]
    assert next_opening(OFFICE, at("2026-11-23T09:00", coasts[0]), coasts) == at("2026-11-23T08:00", coasts[1])
    ends = ["Pacific/Kiritimati", "Pacific/Honolulu"]
    assert next_opening(SendWindow(frozenset({0}), time(9), time(17)), at("2026-11-23T09:00"), ends) is None


@pytest.mark.parametrize("name", ["KR", "kr", "South Korea", "Corée du Sud", "Corea del Sur", " corea del sur "])
def test_a_country_is_known_by_code_and_by_name(name):
    assert zones_of(name) == ("Asia/Seoul",)


def test_what_is_no_country_has_no_zone():
    assert zones_of("Estuaria") == zones_of("") == zones_of("ZQ") == ()
    assert set(zones_of("España")) == {"Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary"}


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.sets(st.integers(0, 6), min_size=1),
    st.sampled_from(["Europe/Madrid", "Asia/Seoul", "America/Santiago", "Australia/Lord_Howe"]),
)
def test_an_opening_is_inside_and_nothing_earlier_is(moment, days, zone):
    window = SendWindow(frozenset(days), time(8, 30), time(17))
    opening = next_opening(window, moment, [zone])
    local = opening.astimezone(ZoneInfo(zone))
    assert opening >= moment
    assert local.weekday() in days
    assert window.opens <= local.time() < window.closes
    # Either it was open when it was asked, or it opens at its hour: an opening later than needed would be a lost one.
    assert opening == moment or local.time() == window.opens
    assert (opening - moment).days <= 7
