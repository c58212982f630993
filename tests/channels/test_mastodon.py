from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pregon.channels.mastodon import MastodonChannel
from pregon.channels.mastodon.settle import is_same_post
from pregon.drafts import post_length
from pregon.sandbox import Sandbox, accounts
from pregon.types import ChannelName, DeliveryState, Media, Outgoing, Shipment

from .builders import LINK, thread, writes

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED
TEXT = f"Cities & tides: two calls <open>\n\n{LINK}?utm_source=mastodon\n#TidalCities"


def channel(sandbox: Sandbox, **options: Any) -> MastodonChannel:
    given = {"timeout": 0.5, "grace_seconds": 0.0} | options
    return MastodonChannel(given.pop("token", accounts.MASTODON_TOKEN), sandbox.mastodon_url, **given)


def test_a_thread_is_posted_part_by_part(sandbox: Sandbox) -> None:
    ways = channel(sandbox)
    first = ways.send(thread(TEXT, "The second part"))[0]
    second = ways.send(thread(TEXT, "The second part", position=1, reply_to_id=first.provider_id))[0]
    assert (first.state, second.state) == (SENT, SENT)
    posts = sandbox.read("toots")
    assert [post["typed_text"] for post in posts] == [TEXT, "The second part"]
    assert [post["in_reply_to_id"] for post in posts] == [None, first.provider_id]
    assert (posts[0]["language"], posts[0]["visibility"]) == ("en", "public")


def test_the_same_delivery_is_one_post_however_often_it_is_sent(sandbox: Sandbox) -> None:
    ways, shipment = channel(sandbox), thread(TEXT)
    assert ways.send(shipment)[0].provider_id == ways.send(shipment)[0].provider_id
    assert len(sandbox.read("toots")) == 1


def test_a_picture_goes_up_with_its_description(sandbox: Sandbox) -> None:
    picture = Media("quay.png", "image/png", b"\x89PNG made up", "The quay at low tide")
    assert channel(sandbox).send(thread("Look", media=(picture,)))[0].state is SENT
    (kept,) = sandbox.read("toot_media")
    assert (kept["size"], kept["description"]) == (12, "The quay at low tide")
    assert sandbox.read("toots")[0]["media_ids"] == [kept["id"]]


@pytest.mark.parametrize("fault", ["drop_after_accept", "502", "hang"])
def test_a_failed_upload_posts_nothing(sandbox: Sandbox, fault: str) -> None:
    sandbox.set_fault("mastodon", fault, on="upload", seconds=3)
    outcome = channel(sandbox).send(thread("Look", media=(Media("a.png", "image/png", b"x", ""),)))[0]
    assert outcome.state is PENDING
    assert sandbox.read("toots") == []


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
        ("expired_token", PENDING, "credentials", PENDING),
        ("reply_403", PENDING, "credentials", PENDING),
        ("402", FAILED, None, PENDING),
        ("redirect", PENDING, "address", PENDING),
    ],
)
def test_each_fault_has_its_outcome_and_one_post(
    sandbox: Sandbox, fault: str, state: DeliveryState, pause: str | None, settled: DeliveryState
) -> None:
    ways, shipment = channel(sandbox), thread(TEXT)
    sandbox.set_fault("mastodon", fault, seconds=3)
    outcome = ways.send(shipment)[0]
    assert (outcome.state, outcome.pause) == (state, pause)
    assert (outcome.retry_after is not None) == fault.startswith("429")
    assert ways.settle(shipment)[0].state is settled
    assert writes(sandbox, "/api/v1/statuses") == 1
    assert sandbox.read("requests")["trapped"] == []


def test_nobody_there_posts_nothing() -> None:
    outcome = MastodonChannel("token", "http://127.0.0.1:1", timeout=0.5).send(thread(TEXT))[0]
    assert (outcome.state, outcome.pause) == (PENDING, None)


def test_settle_reads_every_page_and_compares_the_parent(sandbox: Sandbox) -> None:
    ways = channel(sandbox)
    oldest = ways.send(thread("The oldest"))[0]
    for number in range(45):
        other = thread(f"Post {number}")
        delivery = replace(other.deliveries[0], delivery_id=f"post-{number}")
        assert ways.send(Shipment(other.content, (delivery,)))[0].state is SENT
    started = thread("The oldest")
    assert ways.settle(started)[0].provider_id == oldest.provider_id
    assert ways.settle(thread("The oldest", reply_to_id=oldest.provider_id))[0].state is PENDING
    assert channel(sandbox, grace_seconds=60).settle(thread("Another"))[0].state is UNKNOWN


def test_what_cannot_be_read_stays_unknown(sandbox: Sandbox) -> None:
    sandbox.set_fault("mastodon", "502", on="read")
    assert channel(sandbox).settle(thread(TEXT))[0].state is UNKNOWN
    assert channel(sandbox, token="wrong").settle(thread(TEXT))[0].state is UNKNOWN


def test_a_mention_comes_back_without_its_server() -> None:
    post = {"in_reply_to_id": None, "content": '<p>With <a href="https://s.example/@tide">@<span>tide</span></a></p>'}
    assert is_same_post(post, "With @tide@s.example", None)
    assert not is_same_post(post, "With @tide@s.example", "7")


def test_counters_are_samples(sandbox: Sandbox) -> None:
    ways, at = channel(sandbox), datetime.now(UTC)
    sent = ways.send(thread(TEXT))[0]
    known = Outgoing("post-0", 0, "", provider_id=sent.provider_id)
    found = ways.sample([known, Outgoing("gone", 0, "", provider_id="1")], at)
    assert {(sample.metric, sample.value) for sample in found} == {("likes", 3), ("reposts", 2), ("replies", 1)}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Tides", 5),
        ("👩‍👩‍👧‍👦é", 2),
        (f"See {LINK}?utm_source=mastodon&utm_medium=social", 4 + 23),
        ("See tidalcities.example", 23),
        ("With @tide@a-long-server.example now", len("With @tide now")),
    ],
)
def test_lengths_are_mastodon_s(text: str, length: int) -> None:
    assert post_length(text, ChannelName.MASTODON) == length
