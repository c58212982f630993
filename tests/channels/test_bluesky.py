from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pregon.channels.bluesky import BlueskyChannel
from pregon.channels.bluesky.payload import find_facets, make_key
from pregon.drafts import post_length
from pregon.sandbox import Sandbox, accounts
from pregon.types import ChannelName, DeliveryState, Media, Outgoing, Shipment

from .builders import LINK, thread, writes

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED
TEXT = f"Marées à deux villes: {LINK}. #VillesDeMarée"
CREATE = "/xrpc/com.atproto.repo.createRecord"


def channel(sandbox: Sandbox, password: str = accounts.BLUESKY_PASSWORD, **options: Any) -> BlueskyChannel:
    given = {"timeout": 0.5, "grace_seconds": 0.0} | options
    return BlueskyChannel(accounts.BLUESKY_HANDLE, password, sandbox.bluesky_url, **given)


def part(number: int, reply_to_id: str | None = None) -> Shipment:
    shipment = thread(TEXT, "The second part", "The third", position=number, reply_to_id=reply_to_id)
    return Shipment(shipment.content, (replace(shipment.deliveries[0], delivery_id=f"post-{number}"),))


def test_a_thread_hangs_on_its_first_post(sandbox: Sandbox) -> None:
    ways = channel(sandbox)
    first = ways.send(part(0))[0]
    second = ways.send(part(1, first.provider_id))[0]
    third = ways.send(part(2, second.provider_id))[0]
    assert [first.state, second.state, third.state] == [SENT] * 3
    posts = [post["value"] for post in sandbox.read("skeets")]
    assert [post["text"] for post in posts] == [TEXT, "The second part", "The third"]
    assert "reply" not in posts[0]
    assert [post["reply"]["root"]["uri"] for post in posts[1:]] == [first.provider_id] * 2
    assert posts[2]["reply"]["parent"]["uri"] == second.provider_id
    assert posts[0]["langs"] == ["en"]


def test_links_and_tags_stand_where_the_bytes_are() -> None:
    text = "é #Tide #2026 (https://a.example/x) https://b.example/é, ok"
    raw = text.encode()
    shown = [raw[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode() for f in find_facets(text)]
    assert shown == ["https://a.example/x", "https://b.example/é", "#Tide"]


def test_the_same_delivery_cannot_be_posted_twice(sandbox: Sandbox) -> None:
    ways, shipment = channel(sandbox), part(0)
    first, again = ways.send(shipment)[0], ways.send(shipment)[0]
    assert (first.state, again.state) == (SENT, UNKNOWN)
    assert ways.settle(shipment)[0].provider_id == first.provider_id
    assert len(sandbox.read("skeets")) == 1
    assert re.fullmatch(r"[2-7a-j][2-7a-z]{12}", make_key("post-0"))
    assert make_key("post-0") != make_key("post-1")


def test_a_picture_goes_up_with_its_description(sandbox: Sandbox) -> None:
    picture = Media("quay.png", "image/png", b"\x89PNG made up", "The quay at low tide")
    assert channel(sandbox).send(thread("Look", media=(picture,)))[0].state is SENT
    (blob,), (post,) = sandbox.read("blobs"), sandbox.read("skeets")
    (image,) = post["value"]["embed"]["images"]
    assert (image["alt"], image["image"]["ref"]["$link"]) == ("The quay at low tide", blob["link"])


@pytest.mark.parametrize(
    ("fault", "on"), [("hang", "upload"), ("502", "upload"), ("502", "session"), ("hang", "session")]
)
def test_what_fails_before_the_post_posts_nothing(sandbox: Sandbox, fault: str, on: str) -> None:
    sandbox.set_fault("bluesky", fault, on=on, seconds=3)
    outcome = channel(sandbox).send(thread("Look", media=(Media("a.png", "image/png", b"x", ""),)))[0]
    assert outcome.state is PENDING
    assert sandbox.read("skeets") == []


@pytest.mark.parametrize(
    ("fault", "state", "pause", "settled"),
    [
        ("drop_after_accept", UNKNOWN, None, SENT),
        ("drop_before_accept", UNKNOWN, None, PENDING),
        ("hang", UNKNOWN, None, SENT),
        ("500_but_done", UNKNOWN, None, SENT),
        ("502", UNKNOWN, None, PENDING),
        ("429", PENDING, None, PENDING),
        ("429_with_reset", PENDING, None, PENDING),
        ("401", PENDING, "credentials", PENDING),
        ("expired_token", PENDING, None, PENDING),
        ("402", FAILED, None, PENDING),
        ("redirect", PENDING, "address", PENDING),
    ],
)
def test_each_fault_has_its_outcome_and_one_post(
    sandbox: Sandbox, fault: str, state: DeliveryState, pause: str | None, settled: DeliveryState
) -> None:
    ways, shipment = channel(sandbox), part(0)
    sandbox.set_fault("bluesky", fault, seconds=3)
    outcome = ways.send(shipment)[0]
    assert (outcome.state, outcome.pause) == (state, pause)
    assert ways.settle(shipment)[0].state is settled
    assert writes(sandbox, CREATE) == 1
    assert sandbox.read("requests")["trapped"] == []


def test_an_ended_session_is_opened_anew(sandbox: Sandbox) -> None:
    ways, shipment = channel(sandbox), part(0)
    sandbox.set_fault("bluesky", "expired_token")
    assert ways.send(shipment)[0].retry_after == 1.0
    assert ways.send(shipment)[0].state is SENT
    assert writes(sandbox, "/xrpc/com.atproto.server.createSession") == 2


def test_a_wrong_password_pauses(sandbox: Sandbox) -> None:
    outcome = channel(sandbox, password="wrong").send(part(0))[0]
    assert (outcome.state, outcome.pause) == (PENDING, "credentials")
    assert channel(sandbox, password="wrong").settle(part(0))[0].state is UNKNOWN


def test_absence_counts_only_after_a_while_and_when_it_was_read(sandbox: Sandbox) -> None:
    assert channel(sandbox, grace_seconds=60).settle(part(0))[0].state is UNKNOWN
    sandbox.set_fault("bluesky", "502", on="read")
    assert channel(sandbox).settle(part(0))[0].state is UNKNOWN


def test_counters_are_samples(sandbox: Sandbox) -> None:
    ways = channel(sandbox)
    sent = ways.send(part(0))[0]
    found = ways.sample([Outgoing("post-0", 0, "", provider_id=sent.provider_id)], datetime.now(UTC))
    assert {(sample.metric, sample.value) for sample in found} == {
        ("likes", 3),
        ("reposts", 2),
        ("replies", 1),
        ("quotes", 0),
    }


def test_lengths_are_bluesky_s() -> None:
    assert post_length("👩‍👩‍👧‍👦é", ChannelName.BLUESKY) == 2
    assert post_length(LINK, ChannelName.BLUESKY) == len(LINK)
