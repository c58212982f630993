from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from pregon.channels.x import XChannel
from pregon.channels.x.media import _await_ready, upload_media
from pregon.channels.x.payload import SEGMENT_BYTES, build_post
from pregon.channels.x.samples import _samples
from pregon.channels.x.settle import is_same_post
from pregon.sandbox import Sandbox
from pregon.types import DeliveryState, Media, Outgoing, PostPart

from .builders import LINK, thread, writes, x_channel

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED
TEXT = f"Cities & tides: two calls <open> {LINK}?utm_source=x #TidalCities"


def test_post_arguments_are_exactly_these() -> None:
    assert build_post(PostPart("Hello", 5), None, []) == {"text": "Hello"}
    assert build_post(PostPart("Hello", 5), "19", ["7"]) == {
        "text": "Hello",
        "in_reply_to_tweet_id": "19",
        "media_ids": ["7"],
    }


def test_a_thread_is_posted_part_by_part(sandbox: Sandbox) -> None:
    channel = x_channel(sandbox)
    first = channel.send(thread(TEXT, "The second part"))[0]
    second = channel.send(thread(TEXT, "The second part", position=1, reply_to_id=first.provider_id))[0]
    assert (first.state, second.state) == (SENT, SENT)
    posts = sandbox.read("posts")
    assert [post["typed_text"] for post in posts] == [TEXT, "The second part"]
    assert posts[1]["referenced_tweets"] == [{"type": "replied_to", "id": first.provider_id}]


def test_a_picture_goes_up_with_its_alt_text(sandbox: Sandbox) -> None:
    picture = Media("quay.png", "image/png", b"\x89PNG made up", "The quay at low tide")
    assert x_channel(sandbox).send(thread("Look", media=(picture,)))[0].state is SENT
    kept = sandbox.read("media")[0]
    assert (kept["size"], kept["alt_text"]) == (12, "The quay at low tide")
    assert sandbox.read("posts")[0]["media_ids"] == [kept["id"]]


def test_a_gif_goes_up_in_segments_and_is_waited_for(sandbox: Sandbox) -> None:
    data = b"GIF89a" + bytes(SEGMENT_BYTES)
    waits: list[float] = []
    media_id = upload_media(x_channel(sandbox)._client, Media("tide.gif", "image/gif", data, "The tide"), waits.append)
    (kept,) = sandbox.read("media")
    assert kept == {"id": media_id, "size": len(data), "sha256": sha256(data).hexdigest(), "alt_text": "The tide"}
    assert writes(sandbox, f"/2/media/upload/{media_id}/append") == 2
    assert len(waits) == 1


def test_a_gif_that_x_cannot_work_through_is_not_posted(sandbox: Sandbox) -> None:
    sandbox.set_fault("x", "502", on="read")
    gif = Media("tide.gif", "image/gif", b"GIF89a", "The tide")
    assert x_channel(sandbox).send(thread("Look", media=(gif,)))[0].state is PENDING
    for working in ({"state": "failed"}, {"state": "pending", "check_after_secs": 90}):
        with pytest.raises(ValueError, match="did not work"):
            _await_ready(x_channel(sandbox)._client, "1", working, lambda _: None)
    assert sandbox.read("posts") == []


def test_a_duplicate_is_found_on_the_timeline(sandbox: Sandbox) -> None:
    channel, shipment = x_channel(sandbox), thread(TEXT)
    first = channel.send(shipment)[0]
    for again in (channel.send(shipment)[0], channel.settle(shipment)[0]):
        assert (again.state, again.provider_id) == (SENT, first.provider_id)
    sandbox.set_fault("x", "502", on="read")
    assert channel.send(shipment)[0].state is UNKNOWN
    assert len(sandbox.read("posts")) == 1


def test_settle_compares_text_and_parent(sandbox: Sandbox) -> None:
    channel = x_channel(sandbox)
    first = channel.send(thread("One", "Two"))[0]
    elsewhere = thread("One", reply_to_id=first.provider_id)
    assert channel.settle(elsewhere)[0].state is PENDING
    assert channel.settle(thread("One more"))[0].state is PENDING
    assert x_channel(sandbox, grace_seconds=60).settle(thread("One more"))[0].state is UNKNOWN


def test_settle_reads_every_page(sandbox: Sandbox) -> None:
    channel = x_channel(sandbox)
    first = channel.send(thread("The oldest"))[0]
    for number in range(100):
        assert channel.send(thread(f"Post {number}"))[0].state is SENT
    assert channel.settle(thread("The oldest"))[0].provider_id == first.provider_id


def test_both_vocabularies_of_x_are_read() -> None:
    post = {"text": "Hi https://t.co/1 https://t.co/2", "referenced_posts": [{"type": "replied_to", "id": 5}],
            "entities": {"urls": [{"url": "https://t.co/1", "expanded_url": LINK},
                                  {"url": "https://t.co/2", "expanded_url": "x", "media_key": "3_1"}]}}  # fmt: skip
    assert is_same_post(post, f"Hi {LINK}", "5")
    assert not is_same_post(post, f"Hi {LINK}", None)
    at = datetime.now(UTC)
    names = [(sample.metric, sample.value) for sample in _samples("d", {"repost_count": 2, "like_count": 3}, at)]
    assert names == [("reposts", 2), ("likes", 3)]
    assert [sample.metric for sample in _samples("d", {"retweet_count": 2}, at)] == ["reposts"]


def test_samples_grow_with_the_readers(sandbox: Sandbox) -> None:
    channel, at = x_channel(sandbox), datetime.now(UTC)
    post_id = channel.send(thread(TEXT))[0].provider_id
    deliveries = (Outgoing("post-0", 0, "@a", provider_id=post_id), Outgoing("post-1", 1, "@a", provider_id="404"))
    assert {sample.value for sample in channel.sample(deliveries, at)} == {0}
    sandbox.react()
    counted = {sample.metric: sample.value for sample in channel.sample(deliveries, at)}
    assert counted["impressions"] > 100
    assert {"likes", "reposts", "replies"} <= counted.keys()
    sandbox.set_fault("x", "502", on="read")
    assert channel.sample(deliveries, at) == ()


def test_a_wrong_secret_pauses_the_channel(sandbox: Sandbox) -> None:
    outcome = XChannel("SandboxConsumerKey00000001", "wrong", "1-a", "wrong", base_url=sandbox.x_url).send(thread("a"))[
        0
    ]
    assert (outcome.state, outcome.pause) == (PENDING, "credentials")


def test_a_text_that_x_refuses_fails_with_its_sentence(sandbox: Sandbox) -> None:
    outcome = x_channel(sandbox).send(thread("x" * 281))[0]
    assert (outcome.state, outcome.detail) == (FAILED, "text: longer than 280 weighted characters.")


def test_a_refused_reply_waits_for_a_person_or_ends_the_thread_as_approved(sandbox: Sandbox) -> None:
    channel = x_channel(sandbox)
    first = channel.send(thread("One", "Two"))[0]
    reply = thread("One", "Two", position=1, reply_to_id=first.provider_id)
    sandbox.set_fault("x", "reply_403", times=2)
    held = channel.send(reply)[0]
    assert held.state is DeliveryState.HELD
    assert "mark it as sent" in held.detail
    body = replace(reply.content.body, reply_fallback=True)
    ended = channel.send(replace(reply, content=replace(reply.content, body=body)))[0]
    assert ended.state is FAILED
    assert "the thread ends" in ended.detail


@pytest.mark.parametrize("fault", ["402", "quota_exceeded"])
def test_credit_that_is_gone_is_said_so_and_waits_for_a_person(sandbox: Sandbox, fault: str) -> None:
    sandbox.set_fault("x", fault)
    outcome = x_channel(sandbox).send(thread("One"))[0]
    assert (outcome.pause, outcome.retry_after) == ("credit", None)
    assert "credit is added" in outcome.detail
