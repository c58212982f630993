"""What each channel makes of each fault: its outcome, its pause, what settling says, and one write at the stand-in.

A new channel adds a line to WAYS; what it means otherwise than the others stands in `own`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from pregon.sandbox import Sandbox
from pregon.types import DeliveryState, Media, Shipment

from .builders import (
    bluesky_channel,
    discourse_channel,
    haste,
    mastodon_channel,
    newsletter,
    playlist,
    sendgrid_channel,
    thread,
    topic,
    writes,
    x_channel,
    youtube_channel,
)

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED
HELD = DeliveryState.HELD
Meaning = tuple[DeliveryState, str | None, DeliveryState]
# Longer than anybody waits who is in haste.
LONG = 5
COMMON: dict[str, Meaning] = {
    "drop_after_accept": (UNKNOWN, None, SENT),
    "drop_before_accept": (UNKNOWN, None, PENDING),
    "hang": (UNKNOWN, None, SENT),
    "500_but_done": (UNKNOWN, None, SENT),
    "partial": (UNKNOWN, None, SENT),
    "502": (UNKNOWN, None, PENDING),
    "429": (PENDING, None, PENDING),
    "429_with_reset": (PENDING, None, PENDING),
    "401": (PENDING, "credentials", PENDING),
    "402": (FAILED, None, PENDING),
    "redirect": (PENDING, "address", PENDING),
}


@dataclass(frozen=True)
class Way:
    """How a channel is built and used here, and where it writes; `renews` where a refused token is renewed at once."""

    channel: Callable[..., Any]
    shipment: Callable[[], Shipment]
    path: str
    own: dict[str, Meaning] = field(default_factory=dict)
    with_picture: Callable[[Media], Shipment] | None = None
    renews: bool = False


def post_with(picture: Media) -> Shipment:
    return thread("Look", media=(picture,))


WAYS = {
    "sendgrid": Way(
        sendgrid_channel,
        lambda: newsletter("ada@portamar.example", "ben@brackwater.example"),
        "/v3/mail/send",
        # Its answer to an accepted mail has no body that half could be missing of.
        {"402": (PENDING, "credit", PENDING), "partial": (SENT, None, SENT)},
    ),
    "x": Way(
        x_channel,
        lambda: thread("Cities & tides: two calls <open> https://tidalcities.example/en/58?utm_source=x #TidalCities"),
        "/2/tweets",
        {
            "duplicate_403": (HELD, None, PENDING),
            "reply_403": (FAILED, None, PENDING),
            "402": (PENDING, "credit", PENDING),
            "quota_exceeded": (PENDING, "credit", PENDING),
        },
        post_with,
    ),
    "youtube": Way(
        youtube_channel,
        playlist,
        "/playlistItems",
        {
            "quota_exceeded": (PENDING, "quota", PENDING),
            "402": (PENDING, "credentials", PENDING),
            "401": (SENT, None, SENT),
        },
        renews=True,
    ),
    "mastodon": Way(
        mastodon_channel,
        lambda: thread("Cities & tides <open>\n\nhttps://tidalcities.example/en/58?utm_source=mastodon\n#TidalCities"),
        "/api/v1/statuses",
        {"expired_token": (PENDING, "credentials", PENDING), "reply_403": (PENDING, "credentials", PENDING)},
        post_with,
    ),
    "bluesky": Way(
        bluesky_channel,
        lambda: thread("Marées à deux villes: https://tidalcities.example/en/58. #VillesDeMarée"),
        "/xrpc/com.atproto.repo.createRecord",
        {"expired_token": (PENDING, None, PENDING)},
        post_with,
    ),
    "discourse": Way(
        discourse_channel,
        lambda: topic("Circular 58: two calls", "Two calls are open until June."),
        "/posts.json",
        {"expired_token": (PENDING, "credentials", PENDING)},
        lambda picture: topic("Circular 58: two calls", "Two calls are open until June.", picture),
    ),
}
CASES = [
    pytest.param(name, fault, meaning, id=f"{name}-{fault}")
    for name, way in WAYS.items()
    for fault, meaning in {**COMMON, **way.own}.items()
]


@pytest.mark.parametrize(("name", "fault", "meaning"), CASES)
def test_each_fault_has_its_outcome_and_one_write(sandbox: Sandbox, name: str, fault: str, meaning: Meaning) -> None:
    way = WAYS[name]
    patient, shipment = way.channel(sandbox), way.shipment()
    sandbox.set_fault(name, fault, seconds=LONG)
    channel, begun = way.channel(sandbox, **haste(fault)), monotonic()
    outcomes = channel.send(shipment)
    assert monotonic() - begun < LONG, "it waited for what hangs"
    state, pause, settled = meaning
    assert {(outcome.state, outcome.pause) for outcome in outcomes} == {(state, pause)}
    assert all(outcome.detail for outcome in outcomes)
    assert {outcome.state for outcome in patient.settle(shipment)} == {settled}
    # A token that is refused did nothing, so asking again with another is no second write.
    assert writes(sandbox, way.path) == (2 if way.renews and fault == "401" else 1)
    assert sandbox.read("requests")["trapped"] == []


@pytest.mark.parametrize("days", [-2, 2])
@pytest.mark.parametrize("name", WAYS)
def test_a_clock_that_is_days_wrong_settles_nothing_as_not_sent(
    sandbox: Sandbox, name: str, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = WAYS[name]
    channel, shipment = way.channel(sandbox), way.shipment()
    sandbox.set_fault(name, "drop_before_accept")
    assert {outcome.state for outcome in channel.send(shipment)} == {UNKNOWN}
    wrong = datetime.now(UTC) + timedelta(days=days)
    with monkeypatch.context() as patch:
        patch.setattr("pregon.channels.clock.read_clock", lambda: wrong)
        assert {outcome.state for outcome in channel.settle(shipment)} == {UNKNOWN}
    assert {outcome.state for outcome in channel.settle(shipment)} == {PENDING}


@pytest.mark.parametrize("fault", ["drop_after_accept", "partial", "502", "hang"])
@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if way.with_picture])
def test_a_failed_upload_posts_nothing(sandbox: Sandbox, name: str, fault: str) -> None:
    way = WAYS[name]
    assert way.with_picture
    sandbox.set_fault(name, fault, on="upload", seconds=LONG)
    picture = Media("a.png", "image/png", b"x", "A quay")
    assert way.channel(sandbox, **haste(fault)).send(way.with_picture(picture))[0].state is PENDING
    assert writes(sandbox, way.path) == 0


@pytest.mark.parametrize("name", WAYS)
def test_nobody_there_writes_nothing(name: str) -> None:
    # Port 1 of this machine answers nobody.
    nowhere = Sandbox("http://127.0.0.1:1", "")
    outcome = WAYS[name].channel(nowhere).send(WAYS[name].shipment())[0]
    assert (outcome.state, outcome.pause) == (PENDING, None)
