"""Send windows on a real ledger: what falls due outside waits, in the network's hours or in each reader's."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from conftest import CLEAN  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.settings import SendWindowRule

MADRID, SEOUL = ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Seoul")


@pytest.fixture
def give_hours(house):
    """The same house, with a send window for mail and posts."""
    opened = []

    def rebuild(house, **changes):
        rule = SendWindowRule.model_validate({"from": "08:00", "to": "19:00", **changes})
        channels = house.settings.channels
        windowed = {name: getattr(channels, name).model_copy(update={"send_window": rule}) for name in ("email", "x")}
        settings = house.settings.model_copy(update={"channels": channels.model_copy(update=windowed)})
        assert settings.network.time_zone == MADRID.key
        opened.append(build_pipeline(settings, house.sandbox, clock=house.clock))
        return replace(house, pipeline=opened[-1], settings=settings)

    yield rebuild
    for pipeline in opened:
        pipeline.store.close()


@pytest.fixture
def at_night(house):
    """Friday of this week or the next, 21:30 in the network's zone: 17:30 or 15:30 in Santiago, Saturday in Seoul."""
    today = house.clock.at.astimezone(MADRID).date()
    friday = today + timedelta(days=(4 - today.weekday()) % 7 or 7)
    house.clock.at = datetime.combine(friday, time(21, 30), MADRID)
    return house


def due_times(house, slug):
    return {row.due_at for row in house.pipeline.reviewing.who(slug) if row.state == "pending"}


def monday(house, zone=MADRID):
    """Eight o'clock of the Monday that follows."""
    return datetime.combine(house.clock.at.astimezone(MADRID).date() + timedelta(days=3), time(8), zone)


def test_a_yes_at_night_goes_out_when_the_office_opens(at_night, give_hours):
    opens = monday(at_night)
    house = give_hours(at_night)
    slug = house.open_campaign(CLEAN)
    assert house.draft(slug, "email").due_at == opens
    for channel in ("email", "x"):
        house.approve(slug, channel)
    assert due_times(house, slug) == {opens}
    house.pipeline.delivering.deliver()
    house.clock.forward(days=2)
    house.pipeline.delivering.deliver()
    assert house.sandbox.read("mails") == house.sandbox.read("posts") == []
    house.clock.at = opens
    house.pipeline.delivering.deliver()
    assert set(house.states(slug)) == {"sent", "suppressed"}


def test_what_becomes_due_outside_waits_too(at_night, give_hours):
    opens = monday(at_night)
    house = at_night
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "x")  # approved while any hour was good
    house = give_hours(house)
    assert house.pipeline.delivering.deliver().outcomes["x"] == {}
    assert due_times(house, slug) == {opens}
    assert "waits for the hours" in house.pipeline.reviewing.who(slug)[0].reason
    house.clock.at = opens
    house.pipeline.delivering.deliver()
    assert set(house.states(slug, "x")) == {"sent"}


def test_each_reader_in_the_hours_of_their_country(at_night, give_hours):
    opens, opens_in_seoul = monday(at_night), monday(at_night, SEOUL)
    house = give_hours(at_night, zone="recipient")
    house.pipeline.contacts.import_text(
        "email,name,language,country,lists,status\n"
        "kim@seoul.example,Kim,fr,KR,members,subscribed\n"
        "luz@chile.example,Luz,fr,Chile,members,subscribed\n"
        "lea@paris.example,Lea,fr,France,members,subscribed\n"
    )
    slug = house.open_campaign(CLEAN)
    view = house.draft(slug, "email")
    assert (view.due_at, view.window.opens.hour) == (None, 8)
    house.approve(slug, "email")

    def sent():
        return {mail["to"] for mail in house.sandbox.read("mails")}

    house.pipeline.delivering.deliver()
    # In Santiago it is still Friday afternoon; Estuaria is nowhere, so it keeps the network's hours.
    everybody = {row.address: row.due_at for row in house.pipeline.reviewing.who(slug) if row.state == "pending"}
    assert "luz@chile.example" not in everybody
    assert everybody.pop("kim@seoul.example") == opens_in_seoul
    assert set(everybody.values()) == {opens}
    assert "lea@paris.example" in everybody
    house.clock.at = opens_in_seoul
    house.pipeline.delivering.deliver()
    states = {row.address: row.state for row in house.pipeline.reviewing.who(slug)}
    assert states["luz@chile.example"] == states["kim@seoul.example"] == "sent"
    assert states["lea@paris.example"] == "pending"
    house.clock.at = opens
    house.pipeline.delivering.deliver()
    assert set(house.states(slug, "email")) == {"sent", "suppressed"}
