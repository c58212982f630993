"""Every request that a channel can make of its provider, made once against the sandbox and recorded there."""

from __future__ import annotations

import base64
import functools
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from pregon.channels.x import UserTokens, XChannel
from pregon.sandbox import Sandbox, accounts, running_sandbox
from pregon.types import DeliveryState, Media, Outgoing, Shipment

from .builders import (
    CALENDAR,
    PATIENCE,
    Kept,
    bluesky_channel,
    discourse_channel,
    mail_content,
    mastodon_channel,
    newsletter,
    plan,
    playlist,
    sendgrid_channel,
    thread,
    topic,
    x_channel,
    youtube_channel,
)
from .test_youtube_plans import CREATE, MOVE, RETITLE, VIDEO, remove

PICTURE = Media("quay.png", "image/png", b"\x89PNG made up", "The quay at low tide")
GIF = Media("tide.gif", "image/gif", b"GIF89a", "The tide")


@dataclass(frozen=True)
class Recorded:
    """One request as it came in."""

    provider: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def values(self) -> dict[str, str]:
        """The query, each value as it stands."""
        return {name: ",".join(values) for name, values in parse_qs(self.query, keep_blank_values=True).items()}

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@functools.lru_cache(maxsize=1)
def recorded_requests() -> tuple[Recorded, ...]:
    """What every channel sends, settles, counts, uploads and tells, in order."""
    with running_sandbox() as sandbox:
        sandbox.record()
        for exercise in (use_sendgrid, use_x, use_x_tokens, use_youtube, use_mastodon, use_bluesky, use_discourse):
            exercise(sandbox)
        return tuple(
            Recorded(**(each | {"body": base64.b64decode(each["body"])})) for each in sandbox.read("recording")
        )


def post_and_read(channel: Any, first: Shipment, *, reply: bool = True) -> None:
    """Post, answer it, read both back, count."""
    sent = channel.send(first)[0]
    assert sent.state is DeliveryState.SENT
    if reply:
        second = replace(first.deliveries[0], delivery_id="post-1", position=1, reply_to_id=sent.provider_id)
        assert channel.send(replace(first, deliveries=(second,)))[0].state is DeliveryState.SENT
    assert channel.settle(first)[0].state is DeliveryState.SENT
    assert channel.sample((Outgoing("post-0", 0, "", provider_id=sent.provider_id),), datetime.now(UTC))


def use_sendgrid(sandbox: Sandbox) -> None:
    channel = sendgrid_channel(sandbox)
    people = newsletter("ada@portamar.example", "ben@brackwater.example")
    for opens in (True, False):
        for clicks in (True, False):
            channel.send(replace(people, track_opens=opens, track_clicks=clicks))
    channel.send(replace(people, content=mail_content(CALENDAR)))
    channel.send(replace(people, was_asked_for=True))
    assert channel.settle(people)[0].state is DeliveryState.SENT
    for kind in ("suppress", "release", "erase"):
        assert channel.tell_addresses(kind, ["odd+tag%/x@portamar.example"]).state is DeliveryState.SENT
    batch_id = channel.open_batch()
    assert isinstance(batch_id, str)
    leaves_at = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
    channel.send(replace(people, leaves_at=leaves_at, batch_id=batch_id))
    channel.cancel_batch(batch_id, "")
    channel.cancel_batch(batch_id, "pause")
    assert channel.read_batch(batch_id) == "cancel"
    assert channel.try_out(people) == ""


def use_x(sandbox: Sandbox) -> None:
    channel = x_channel(sandbox)
    post_and_read(channel, thread("One https://tidalcities.example/en/58", "Two", media=(PICTURE,)))
    assert channel.send(thread("A GIF", media=(GIF,)))[0].state is DeliveryState.SENT


def use_x_tokens(sandbox: Sandbox) -> None:
    tokens = UserTokens(
        accounts.X_CLIENT_ID, accounts.X_CLIENT_SECRET, accounts.X_REFRESH_TOKEN, Kept(), timeout=PATIENCE,
        clock=lambda: datetime.now(UTC), base_url=sandbox.x_url,
    )  # fmt: skip
    channel = XChannel("", "", "", "", tokens=tokens, base_url=sandbox.x_url, timeout=PATIENCE, grace_seconds=0)
    assert channel.send(thread("With a token"))[0].state is DeliveryState.SENT


def use_youtube(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    added = channel.send(playlist())[0]
    assert channel.settle(playlist())[0].state is DeliveryState.SENT
    for operation in (CREATE, RETITLE, MOVE, remove(sandbox)):
        assert channel.send(plan(operation))[0].state is DeliveryState.SENT
    channel.read_state((VIDEO,))
    assert channel.read_account().name
    assert channel.sample((Outgoing("video-0", 0, "PLtidal-en", provider_id=added.provider_id),), datetime.now(UTC))


def use_mastodon(sandbox: Sandbox) -> None:
    post_and_read(mastodon_channel(sandbox), thread("One", "Two", media=(PICTURE,)))


def use_bluesky(sandbox: Sandbox) -> None:
    text = "Tides https://tidalcities.example/en/58 #TidalCities"
    post_and_read(bluesky_channel(sandbox), thread(text, "Two", media=(PICTURE,)))


def use_discourse(sandbox: Sandbox) -> None:
    shipment = topic("Circular 58: two calls", "Two calls are open until June.", PICTURE, tags=("circulars",))
    channel = discourse_channel(sandbox)
    post_and_read(channel, shipment, reply=False)
    lost = replace(shipment.deliveries[0], delivery_id="lost", attempted_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert channel.settle(replace(shipment, deliveries=(lost,)))[0].state is DeliveryState.PENDING
