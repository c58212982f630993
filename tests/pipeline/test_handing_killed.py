"""Killed between any two steps of handing over and calling back, under faults: everybody gets it once, and nobody never.

A real SIGKILL at random moments is in `benchmarks/crash.py`; here each step is hit on purpose.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from pregon.pipeline import Delivering
from pregon.types import ChannelName, Decision

HANDED_OVER_MINUTES = 60


class Killed(BaseException):
    """The process is no more."""


class Life:
    """So many steps until the process is killed; from then on nothing of it does anything."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Killed


class Mortal:
    """A part whose calls are steps: killed before a call, or after it was done and before anybody knows."""

    def __init__(self, part: Any, life: Life) -> None:
        self._part, self._life = part, life

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        return self._mortal(value) if callable(value) else value

    def _mortal(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            self._life.step()
            done = call(*args, **options)
            self._life.step()
            return done

        return step


def deliver(house, life: Life) -> None:
    """One pass of a process with such a life."""
    email = house.settings.channels.email.model_copy(update={"handover_minutes": HANDED_OVER_MINUTES, "batch_size": 8})
    channels = house.settings.channels.model_copy(update={"email": email})
    settings = house.settings.model_copy(update={"channels": channels})
    whole = house.pipeline.delivering
    delivering = Delivering(
        Mortal(house.pipeline.store, life),
        whole._approved._materials,
        {ChannelName.EMAIL: Mortal(whole._channels[ChannelName.EMAIL], life)},
        settings,
        house.clock,
        worker="mortal",
        key=whole._key,
    )
    try:
        delivering.deliver()
    except Killed:
        return


def move(house, **delta: float) -> None:
    house.clock.forward(**delta)
    house.sandbox.set_clock(house.clock().isoformat())


def test_killed_at_any_step_everybody_gets_it_once(house):
    chance = random.Random(3)
    slug = house.open_campaign()
    house.approve(slug, "email")
    people = house.draft(slug, "email").recipients
    killed = 0
    for _ in range(12):
        if chance.random() < 0.5:
            fault = chance.choice(("drop_after_accept", "drop_before_accept", "500_but_done"))
            house.sandbox.set_fault("sendgrid", fault, on=chance.choice(("write", "batch", "cancel", "read")))
        life = Life(chance.randrange(60))
        deliver(house, life)
        killed += life.steps < 0
        if chance.random() < 0.2 and house.pipeline.stopping.look(slug):
            house.pipeline.stopping.stop(slug, Decision.WITHDRAWN, house.officer)
            house.approve(slug, "email")
        move(house, minutes=4)
    house.sandbox._call("DELETE", "faults")
    for _ in range(8):
        deliver(house, Life(10**6))
        move(house, minutes=30)
    found = Counter(mail["to_email"] for mail in house.sandbox.read("mails"))
    states = Counter(house.states(slug, "email"))
    assert killed > 3, "hardly a kill came before the end: the test shows nothing"
    assert set(found.values()) == {1}, "somebody got it twice"
    assert len(found) == people, f"lost: {states}"
    assert states["sent"] == people
