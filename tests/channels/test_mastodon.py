from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pregon.channels.mastodon import send
from pregon.channels.mastodon.settle import is_same_post
from pregon.drafts import post_length
from pregon.sandbox import Sandbox
from pregon.types import ChannelName, DeliveryState, Media, Outgoing, Shipment

from .builders import LINK, mastodon_channel, thread

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED
TEXT = f"Cities & tides: two calls <open>\n\n{LINK}?utm_source=mastodon\n#TidalCities"


def test_a_thread_is_posted_part_by_part(sandbox: Sandbox) -> None:
    ways = mastodon_channel(sandbox)
    first = ways.send(thread(TEXT, "The second part"))[0]
    second = ways.send(thread(TEXT, "The second part", position=1, reply_to_id=first.provider_id))[0]
    assert (first.state, second.state) == (SENT, SENT)
    posts = sandbox.read("toots")
    assert [post["typed_text"] for post in posts] == [TEXT, "The second part"]
    assert [post["in_reply_to_id"] for post in posts] == [None, first.provider_id]
    assert (posts[0]["language"], posts[0]["visibility"]) == ("en", "public")


def test_the_same_delivery_is_one_post_however_often_it_is_sent(sandbox: Sandbox) -> None:
    ways, shipment = mastodon_channel(sandbox), thread(TEXT)
    assert ways.send(shipment)[0].provider_id == ways.send(shipment)[0].provider_id
    assert len(sandbox.read("toots")) == 1


def test_a_picture_goes_up_with_its_description(sandbox: Sandbox) -> None:
    picture = Media("quay.png", "image/png", b"\x89PNG made up", "The quay at low tide")
    assert mastodon_channel(sandbox).send(thread("Look", media=(picture,)))[0].state is SENT
    (kept,) = sandbox.read("toot_media")
    assert (kept["size"], kept["description"]) == (12, "The quay at low tide")
    assert sandbox.read("toots")[0]["media_ids"] == [kept["id"]]


def test_an_animated_picture_is_waited_for(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(send.time, "sleep", waits.append)
    shipment = thread("Look", media=(Media("tide.gif", "image/gif", b"GIF89a made up", "The tide"),))
    assert mastodon_channel(sandbox).send(shipment)[0].state is SENT
    assert len(waits) == 2
    monkeypatch.setattr(send, "MAX_WAIT", 0.5)
    slow = mastodon_channel(sandbox).send(thread("Again", media=shipment.content.body.parts[0].media))[0]
    assert (slow.state, len(sandbox.read("toots"))) == (PENDING, 1)


def test_settle_reads_every_page_and_compares_the_parent(sandbox: Sandbox) -> None:
    ways = mastodon_channel(sandbox)
    oldest = ways.send(thread("The oldest"))[0]
    for number in range(45):
        other = thread(f"Post {number}")
        delivery = replace(other.deliveries[0], delivery_id=f"post-{number}")
        assert ways.send(Shipment(other.content, (delivery,)))[0].state is SENT
    started = thread("The oldest")
    assert ways.settle(started)[0].provider_id == oldest.provider_id
    assert ways.settle(thread("The oldest", reply_to_id=oldest.provider_id))[0].state is PENDING
    assert mastodon_channel(sandbox, grace_seconds=60).settle(thread("Another"))[0].state is UNKNOWN


def test_what_cannot_be_read_stays_unknown(sandbox: Sandbox) -> None:
    sandbox.set_fault("mastodon", "502", on="read")
    assert mastodon_channel(sandbox).settle(thread(TEXT))[0].state is UNKNOWN
    assert mastodon_channel(sandbox, token="wrong").settle(thread(TEXT))[0].state is UNKNOWN


def test_a_mention_comes_back_without_its_server() -> None:
    post = {"in_reply_to_id": None, "content": '<p>With <a href="https://s.example/@tide">@<span>tide</span></a></p>'}
    assert is_same_post(post, "With @tide@s.example", None)
    assert not is_same_post(post, "With @tide@s.example", "7")


def test_a_lost_post_with_a_mention_of_nobody_is_found(sandbox: Sandbox) -> None:
    shipment = thread("With @tides@elsewhere.example, on Monday")
    sandbox.set_fault("mastodon", "drop_after_accept")
    assert mastodon_channel(sandbox).send(shipment)[0].state is UNKNOWN
    assert mastodon_channel(sandbox).settle(shipment)[0].state is SENT


def test_counters_are_samples(sandbox: Sandbox) -> None:
    ways, at = mastodon_channel(sandbox), datetime.now(UTC)
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
