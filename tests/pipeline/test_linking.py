"""Links are asked once a day while alive, once an hour while dead, and not at all where that makes no sense."""

from __future__ import annotations

from collections.abc import Sequence

from pregon.pipeline import Linking
from pregon.types import LinkHealth, LinkState

ALIVE, DEAD = "https://alive.tidal.org/", "https://dead.tidal.org/"


class Asker:
    """Keeps what was asked; `dead` in an address means that it is gone, `late` that there was no time."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, addresses: Sequence[str]) -> dict[str, LinkState]:
        self.asked += addresses
        return {address: LinkState(address, self.judge(address), "") for address in addresses}

    @staticmethod
    def judge(address: str) -> LinkHealth:
        if "late" in address:
            return LinkHealth.UNCHECKED
        return LinkHealth.GONE if "dead" in address else LinkHealth.ALIVE


def test_what_was_asked_is_remembered_a_day_or_an_hour(house):
    ask = Asker()
    linking = Linking(house.pipeline.store, ask, house.clock)
    for hours, again in ((0, [ALIVE, DEAD]), (0.9, []), (0.2, [DEAD]), (22, [DEAD]), (1, [ALIVE, DEAD])):
        house.clock.forward(hours=hours)
        ask.asked.clear()
        found = linking.check([ALIVE, DEAD, ALIVE])
        assert ask.asked == again
        assert {address: state.health.value for address, state in found.items()} == {ALIVE: "alive", DEAD: "gone"}


def test_what_there_was_no_time_for_is_asked_again(house):
    ask = Asker()
    linking = Linking(house.pipeline.store, ask, house.clock)
    for _ in range(2):
        assert linking.check(["https://late.tidal.org/"])["https://late.tidal.org/"].health is LinkHealth.UNCHECKED
    assert len(ask.asked) == 2


def test_reserved_hosts_and_what_is_no_page_are_not_asked(house):
    ask = Asker()
    addresses = [
        "mailto:a@tidal.org", "tel:+34", "https://tidalcities.example/en", "http://a.test/", "http://b.invalid./",
        "http://localhost:8321/", "http://desk.localhost/", "#top", "", "https://", "ftp://tidal.org/",
    ]  # fmt: skip
    found = Linking(house.pipeline.store, ask, house.clock).check(addresses)
    assert {address: found[address].health for address in addresses} == dict.fromkeys(addresses, LinkHealth.UNCHECKED)
    assert ask.asked == []


def test_switched_off_nothing_is_asked(house):
    ask = Asker()
    found = Linking(house.pipeline.store, ask, house.clock, enabled=False).check([ALIVE])
    assert (found[ALIVE].health, ask.asked) == (LinkHealth.UNCHECKED, [])


def test_a_very_long_address_is_remembered_and_old_ones_are_forgotten(house):
    ask = Asker()
    linking = Linking(house.pipeline.store, ask, house.clock)
    long = ALIVE + "x" * 9_000
    many = [f"{ALIVE}{number}" for number in range(1_200)]
    linking.check([long, *many])
    assert linking.check([long, *many])[long].health is LinkHealth.ALIVE
    assert len(ask.asked) == 1_201
    house.clock.forward(days=31)
    assert linking.forget_old() == 1_201
