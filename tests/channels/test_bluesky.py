from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests

from pregon.channels.bluesky.payload import find_facets, make_key
from pregon.drafts import post_length
from pregon.sandbox import Sandbox
from pregon.types import ChannelName, DeliveryState, Media, Outgoing, Shipment

from .builders import LINK, bluesky_channel, haste, thread, writes

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED
TEXT = f"Marées à deux villes: {LINK}. #VillesDeMarée"
CREATE = "/xrpc/com.atproto.repo.createRecord"


def part(number: int, reply_to_id: str | None = None) -> Shipment:
    shipment = thread(TEXT, "The second part", "The third", position=number, reply_to_id=reply_to_id)
    return Shipment(shipment.content, (replace(shipment.deliveries[0], delivery_id=f"post-{number}"),))


def test_a_thread_hangs_on_its_first_post(sandbox: Sandbox) -> None:
    ways = bluesky_channel(sandbox)
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
    ways, shipment = bluesky_channel(sandbox), part(0)
    first, again = ways.send(shipment)[0], ways.send(shipment)[0]
    assert (first.state, again.state) == (SENT, UNKNOWN)
    assert ways.settle(shipment)[0].provider_id == first.provider_id
    assert len(sandbox.read("skeets")) == 1
    assert re.fullmatch(r"[2-7a-j][2-7a-z]{12}", make_key("post-0"))
    assert make_key("post-0") != make_key("post-1")


def test_a_picture_goes_up_with_its_description(sandbox: Sandbox) -> None:
    picture = Media("quay.png", "image/png", b"\x89PNG made up", "The quay at low tide")
    assert bluesky_channel(sandbox).send(thread("Look", media=(picture,)))[0].state is SENT
    (blob,), (post,) = sandbox.read("blobs"), sandbox.read("skeets")
    (image,) = post["value"]["embed"]["images"]
    assert (image["alt"], image["image"]["ref"]["$link"]) == ("The quay at low tide", blob["link"])


@pytest.mark.parametrize("fault", ["502", "hang"])
def test_a_session_that_cannot_be_opened_posts_nothing(sandbox: Sandbox, fault: str) -> None:
    sandbox.set_fault("bluesky", fault, on="session", seconds=3)
    assert bluesky_channel(sandbox, **haste(fault)).send(part(0))[0].state is PENDING
    assert sandbox.read("skeets") == []


def test_an_ended_session_is_opened_anew(sandbox: Sandbox) -> None:
    ways, shipment = bluesky_channel(sandbox), part(0)
    sandbox.set_fault("bluesky", "expired_token")
    assert ways.send(shipment)[0].retry_after == 1.0
    assert ways.send(shipment)[0].state is SENT
    assert writes(sandbox, "/xrpc/com.atproto.server.createSession") == 2


def test_a_wrong_password_pauses(sandbox: Sandbox) -> None:
    outcome = bluesky_channel(sandbox, password="wrong").send(part(0))[0]
    assert (outcome.state, outcome.pause) == (PENDING, "credentials")
    assert bluesky_channel(sandbox, password="wrong").settle(part(0))[0].state is UNKNOWN


def test_absence_counts_only_after_a_while_and_when_it_was_read(sandbox: Sandbox) -> None:
    assert bluesky_channel(sandbox, grace_seconds=60).settle(part(0))[0].state is UNKNOWN
    sandbox.set_fault("bluesky", "502", on="read")
    assert bluesky_channel(sandbox).settle(part(0))[0].state is UNKNOWN


def test_counters_are_samples(sandbox: Sandbox) -> None:
    ways = bluesky_channel(sandbox)
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


def test_counters_that_fail_meanwhile_fail_no_post(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = bluesky_channel(sandbox)
    upload = channel._client.upload

    def uploading(media: Media) -> requests.Response:
        answer = upload(media)
        sandbox.set_fault("bluesky", "502", on="read")
        channel.sample([Outgoing("a", 0, "", provider_id="at://somebody/app.bsky.feed.post/3")], datetime.now(UTC))
        return answer

    monkeypatch.setattr(channel._client, "upload", uploading)
    shipment = thread("Look", media=(Media("quay.png", "image/png", b"PNG", "The quay"),))
    assert channel.send(shipment)[0].state is SENT
    assert channel.settle(shipment)[0].state is SENT
