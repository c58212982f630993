"""Playbooks that ask for Mastodon, Bluesky and a forum: drafted within their limits, approved, posted once, counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import CLEAN, House  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.settings import ChannelConfig, ForumConfig, PostRule, TopicRule
from pregon.types import ChannelName, Kind, PostFields, ThreadBody, TopicBody

_LIMITS = {"mastodon": 500, "bluesky": 300}


@pytest.fixture
def posting(house: House) -> Iterator[House]:
    given = house.settings
    playbook = given.playbooks[Kind.CIRCULAR].model_copy(update={name: PostRule(max_parts=4) for name in _LIMITS})
    playbook = playbook.model_copy(update={"discourse": TopicRule(tags=("circulars",), categories={"fr": 9})})
    ways: dict[str, ChannelConfig] = {
        name: ChannelConfig(provider=name, mode="sandbox", account=f"@tidal.{name}") for name in _LIMITS
    }
    ways["discourse"] = ForumConfig(provider="discourse", account="secretariat", categories={"en": 7, "fr": 8})
    settings = given.model_copy(
        update={
            "playbooks": {**given.playbooks, Kind.CIRCULAR: playbook},
            "channels": given.channels.model_copy(update=ways),
        }
    )
    pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    yield House(pipeline, house.sandbox, house.clock, settings)
    pipeline.store.close()


def read_posts(house: House, name: str) -> list[str]:
    if name == "mastodon":
        return [post["typed_text"] for post in house.sandbox.read("toots")]
    return [post["value"]["text"] for post in house.sandbox.read("skeets")]


@pytest.mark.parametrize("name", list(_LIMITS))
def test_a_thread_goes_the_whole_way(posting: House, name: str) -> None:
    slug = posting.open_campaign(CLEAN)
    view = posting.draft(slug, name)
    body = view.revision.content.body
    assert isinstance(body, ThreadBody)
    assert body.cost_usd == 0
    assert all(part.weighted_length <= _LIMITS[name] for part in body.parts)
    assert view.revision.content.account == f"@tidal.{name}"
    posting.approve(slug, name)
    for _ in range(2):
        posting.pipeline.delivering.deliver()
    assert read_posts(posting, name) == [part.text for part in body.parts]
    assert set(posting.states(slug, name)) == {"sent"}
    posting.clock.forward(hours=1)
    assert posting.pipeline.measuring.measure() == len(body.parts) * {"mastodon": 3, "bluesky": 4}[name]


@pytest.mark.parametrize("fault", ["drop_after_accept", "502"])
def test_a_lost_answer_of_a_thread_is_settled_and_the_thread_goes_on(posting: House, fault: str) -> None:
    slug = posting.open_campaign(CLEAN)
    body = posting.draft(slug, "bluesky").revision.content.body
    posting.approve(slug, "bluesky")
    posting.sandbox.set_fault("bluesky", fault)
    for _ in range(4):
        posting.pipeline.delivering.deliver()
        posting.clock.forward(minutes=10)
    assert read_posts(posting, "bluesky") == [part.text for part in body.parts]
    assert set(posting.states(slug, "bluesky")) == {"sent"}


def test_a_part_that_is_too_long_for_mastodon_is_an_error(posting: House) -> None:
    slug = posting.open_campaign(CLEAN)
    view = posting.draft(slug, "mastodon")
    fitting = posting.pipeline.reviewing.try_fields(view.draft.id, PostFields(("a" * 500,)), posting.officer)
    tried = posting.pipeline.reviewing.try_fields(view.draft.id, PostFields(("a" * 501,)), posting.officer)
    assert "mastodon.too-long" not in [check.id for check in fitting.checks]
    (found,) = [check for check in tried.checks if check.id == "mastodon.too-long"]
    assert found.message == "Part 1 counts 501 characters; Mastodon takes 500."


def test_without_mastodon_nothing_asks_for_it(house: House) -> None:
    slug = house.open_campaign(CLEAN)
    drafts = house.pipeline.reviewing.show_campaign(slug).drafts
    assert ChannelName.MASTODON not in {view.draft.channel for view in drafts}


def test_a_topic_goes_the_whole_way(posting: House) -> None:
    slug = posting.open_campaign(CLEAN)
    body = posting.draft(slug, "discourse").revision.content.body
    assert isinstance(body, TopicBody)
    assert (body.category, body.tags, len(body.parts)) == (9, ("circulars",), 1)
    assert [line for line in body.text.splitlines() if line.startswith(("## ", "- **", "["))]
    assert "utm_" not in body.text
    posting.approve(slug, "discourse")
    posting.sandbox.set_fault("discourse", "drop_after_accept")
    for _ in range(3):
        posting.pipeline.delivering.deliver()
        posting.clock.forward(minutes=10)
    (kept,) = posting.sandbox.read("topics")
    assert (kept["title"], kept["raw"], kept["category"], kept["tags"]) == (body.title, body.text, 9, ["circulars"])
    assert posting.states(slug, "discourse") == ["sent"]
    posting.clock.forward(hours=1)
    assert posting.pipeline.measuring.measure() == 3


def test_what_a_forum_would_refuse_is_an_error_of_the_draft(posting: House) -> None:
    refused = {
        ("Circular 58: two calls\n\nTwo calls are open.", "Another"): "topic.parts",
        ("Too short\n\nTwo calls are open until June.",): "topic.title",
        ("T" * 256 + "\n\nTwo calls are open until June.",): "topic.title",
        ("Circular 58: two calls\n\nToo short",): "topic.text",
        ("Circular 58: two calls\n\n" + "word " * 6_500,): "discourse.too-long",
    }
    view = posting.draft(posting.open_campaign(CLEAN), "discourse")
    for parts, found in refused.items():
        tried = posting.pipeline.reviewing.try_fields(view.draft.id, PostFields(parts), posting.officer)
        assert found in [check.id for check in tried.checks if check.level == "error"], parts


def test_a_server_that_cannot_be_reached_while_it_is_asked_uses_up_nothing(
    posting: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = posting.open_campaign(CLEAN)
    posting.approve(slug, "bluesky")
    posting.sandbox.set_fault("bluesky", "drop_before_accept")
    posting.pipeline.delivering.deliver()
    client = posting.pipeline.delivering._channels[ChannelName.BLUESKY]._client  # type: ignore[attr-defined]
    with monkeypatch.context() as outage:
        # Port 1 of this machine answers nobody.
        outage.setattr(client, "_base", "http://127.0.0.1:1/xrpc")
        for _ in range(9):
            posting.clock.forward(minutes=3)
            posting.pipeline.delivering.deliver()
    assert next(row.attempts for row in posting.pipeline.reviewing.who(slug) if row.channel == "bluesky") == 1
    for _ in range(2):
        posting.clock.forward(minutes=10)
        posting.pipeline.delivering.deliver()
    assert set(posting.states(slug, "bluesky")) == {"sent"}
