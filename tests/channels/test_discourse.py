from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pregon.channels.discourse.answers import QUEUED
from pregon.channels.discourse.payload import build_topic, is_waiting, read_topic_id, select_topic, show_picture
from pregon.sandbox import Sandbox
from pregon.types import DeliveryState, Media, Outgoing, Shipment

from .builders import LINK, discourse_channel, thread, topic

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED


def test_the_request_is_exactly_this() -> None:
    shipment = topic("Circular 58: two calls", f"Read it:\n\n{LINK}", category=7, tags=("circulars", "tides"))
    assert build_topic(select_topic(shipment), shipment.deliveries[0], ["![A quay](upload://a.png)"]) == {
        "title": "Circular 58: two calls",
        "raw": f"Read it:\n\n{LINK}\n\n![A quay](upload://a.png)",
        "category": 7,
        "external_id": "topic-0",
        "tags": ["circulars", "tides"],
    }
    assert "tags" not in build_topic(select_topic(topic("T", "x")), shipment.deliveries[0])


def test_what_no_forum_can_keep_is_refused_before_it_leaves() -> None:
    with pytest.raises(ValueError, match="no forum topic"):
        select_topic(thread("A post"))
    with pytest.raises(ValueError, match="cannot keep"):
        build_topic(select_topic(topic("T", "x")), Outgoing("a b", 0, ""))


def test_a_topic_goes_up_once_however_often_it_is_sent(sandbox: Sandbox) -> None:
    ways, shipment = discourse_channel(sandbox), topic("Circular 58: two calls", "Two calls are open until June.")
    first, again = ways.send(shipment)[0], ways.send(shipment)[0]
    assert (first.state, again.state, again.provider_id) == (SENT, SENT, first.provider_id)
    (kept,) = sandbox.read("topics")
    assert (kept["title"], kept["category"], str(kept["id"])) == ("Circular 58: two calls", 7, first.provider_id)


def test_a_refusal_of_what_is_there_already_is_looked_up(sandbox: Sandbox) -> None:
    ways, shipment = discourse_channel(sandbox), topic("Circular 58: two calls", "Two calls are open until June.")
    first = ways.send(shipment)[0]
    # The forum forgets its answer after two minutes; a body that differs asks it anew.
    edited = topic("Circular 58: two calls", "Two calls are open until July.")
    assert ways.send(edited)[0].provider_id == first.provider_id
    strange = Shipment(edited.content, (replace(edited.deliveries[0], delivery_id="another"),))
    refused = ways.send(strange)[0]
    assert (refused.state, refused.detail) == (FAILED, "the forum answered 422: Title has already been used")
    assert len(sandbox.read("topics")) == 1


def test_pictures_are_uploaded_and_shown_with_their_descriptions(sandbox: Sandbox) -> None:
    picture = Media("quay.png", "image/png", b"\x89PNG made up", "The quay [west]\nat low | tide")
    outcome = discourse_channel(sandbox).send(topic("Circular 58: two calls", "Two calls, one picture.", picture))[0]
    assert outcome.state is SENT
    (kept,), (upload,) = sandbox.read("topics"), sandbox.read("uploads")
    assert (upload["name"], upload["size"]) == ("quay.png", 12)
    assert kept["raw"].endswith(f"![The quay  west at low   tide]({upload['short_url']})")
    assert show_picture(replace(picture, alt_text="A quay"), "upload://x") == "![A quay](upload://x)"


def test_a_topic_that_a_moderator_has_to_approve_is_held_for_a_person(sandbox: Sandbox) -> None:
    sandbox.set_fault("discourse", "queued")
    outcome = discourse_channel(sandbox).send(topic("Circular 58: two calls", "Two calls are open until June."))[0]
    assert (outcome.state, outcome.detail) == (DeliveryState.HELD, QUEUED)
    assert outcome.in_doubt, "approving it again must not queue it again"


def test_a_lost_answer_is_not_queued_twice(sandbox: Sandbox) -> None:
    ways, title = discourse_channel(sandbox), "Circular 58: two calls"
    shipment = topic(title, "Two calls are open until June.")
    for fault in ("queued", "drop_after_accept"):
        sandbox.set_fault("discourse", fault)
    assert ways.send(shipment)[0].state is UNKNOWN
    tried = replace(shipment.deliveries[0], attempted_at=datetime.now(UTC) - timedelta(minutes=5))
    held = ways.settle(replace(shipment, deliveries=(tried,)))[0]
    assert (held.state, held.detail, held.in_doubt) == (DeliveryState.HELD, QUEUED, True)
    other = replace(topic("Circular 59: one call", "One call is open until July."), deliveries=(tried,))
    assert ways.settle(other)[0].state is PENDING, "what neither stands nor waits there may go up"
    assert is_waiting(select_topic(shipment), {"pending_posts": [{"title": f" {title.upper()}"}]})


@pytest.mark.parametrize("fault", ["502", "401", "redirect"])
def test_where_the_queue_cannot_be_read_nothing_is_written_again(sandbox: Sandbox, fault: str) -> None:
    shipment = topic("Circular 58: two calls", "Two calls are open until June.")
    tried = replace(shipment.deliveries[0], attempted_at=datetime.now(UTC) - timedelta(minutes=5))
    sandbox.set_fault("discourse", "slow", on="read", seconds=0)
    sandbox.set_fault("discourse", fault, on="read")
    outcome = discourse_channel(sandbox).settle(replace(shipment, deliveries=(tried,)))[0]
    assert outcome.state is UNKNOWN
    assert "waits for its moderators" in outcome.detail


@pytest.mark.parametrize(("fault", "waits"), [("429_with_reset", {30.0}), ("429", {60.0})])
def test_the_forum_says_how_long_to_wait(sandbox: Sandbox, fault: str, waits: set[float]) -> None:
    sandbox.set_fault("discourse", fault)
    outcome = discourse_channel(sandbox).send(topic("Circular 58: two calls", "Two calls are open until June."))[0]
    assert {outcome.retry_after} == waits


@pytest.mark.parametrize(
    ("title", "text", "sentence"),
    [
        ("Short", "Two calls are open until June.", "Title is too short"),
        ("T" * 256, "Two calls are open until June.", "Title is too long"),
        ("Circular 58: two calls", "Too short", "Body is too short"),
        ("Circular 58: two calls", "x" * 32_001, "Body is limited"),
    ],
)
def test_what_the_forum_refuses_fails_with_its_sentence(sandbox: Sandbox, title: str, text: str, sentence: str) -> None:
    outcome = discourse_channel(sandbox).send(topic(title, text))[0]
    assert outcome.state is FAILED
    assert sentence in outcome.detail


def test_absence_counts_only_after_a_while_and_when_it_was_read(sandbox: Sandbox) -> None:
    shipment = topic("Circular 58: two calls", "Two calls are open until June.")
    assert discourse_channel(sandbox, grace_seconds=60).settle(shipment)[0].state is UNKNOWN
    sandbox.set_fault("discourse", "502", on="read")
    assert discourse_channel(sandbox).settle(shipment)[0].state is UNKNOWN
    assert discourse_channel(sandbox, key="wrong").settle(shipment)[0].state is UNKNOWN


@pytest.mark.parametrize(
    ("location", "topic_id"),
    [
        ("https://f.example/t/a-topic/41.json", "41"),
        ("https://f.example/t/41.json", "41"),
        ("/forum/t/2026-plans/41", "41"),
        ("https://f.example/t/-/41?page=2", "41"),
        ("https://f.example/login", None),
        ("", None),
    ],
)
def test_the_topic_is_read_from_where_the_forum_leads(location: str, topic_id: str | None) -> None:
    assert read_topic_id(location) == topic_id


def test_counters_are_samples(sandbox: Sandbox) -> None:
    ways, at = discourse_channel(sandbox), datetime.now(UTC)
    sent = ways.send(topic("Circular 58: two calls", "Two calls are open until June."))[0]
    asked = [Outgoing("topic-0", 0, "", provider_id=sent.provider_id), Outgoing("gone", 0, "", provider_id="1")]
    found: list[Any] = list(ways.sample([*asked, Outgoing("never", 0, "")], at))
    assert {(each.metric, each.value) for each in found} == {("views", 41), ("likes", 3), ("replies", 2)}
