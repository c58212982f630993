"""A playbook that asks for Mastodon: drafted within its limit, approved, posted once, counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import CLEAN, House  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.settings import ChannelConfig, PostRule
from pregon.types import ChannelName, Kind, PostFields, ThreadBody


@pytest.fixture
def tooting(house: House) -> Iterator[House]:
    given = house.settings
    playbook = given.playbooks[Kind.CIRCULAR].model_copy(update={"mastodon": PostRule(max_parts=4)})
    way = ChannelConfig(provider="mastodon", mode="sandbox", account="@tidal@social.example")
    settings = given.model_copy(
        update={
            "playbooks": {**given.playbooks, Kind.CIRCULAR: playbook},
            "channels": given.channels.model_copy(update={"mastodon": way}),
        }
    )
    pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    yield House(pipeline, house.sandbox, house.clock, settings)
    pipeline.store.close()


def test_a_thread_for_mastodon_goes_the_whole_way(tooting: House) -> None:
    slug = tooting.open_campaign(CLEAN)
    view = tooting.draft(slug, "mastodon")
    body = view.revision.content.body
    assert isinstance(body, ThreadBody)
    assert body.cost_usd == 0
    assert all(part.weighted_length <= 500 for part in body.parts)
    assert "utm_source=mastodon" in body.parts[0].text
    assert view.revision.content.account == "@tidal@social.example"
    tooting.approve(slug, "mastodon")
    for _ in range(2):
        tooting.pipeline.delivering.deliver()
    assert [post["typed_text"] for post in tooting.sandbox.read("toots")] == [part.text for part in body.parts]
    assert set(tooting.states(slug, "mastodon")) == {"sent"}
    tooting.clock.forward(hours=1)
    assert tooting.pipeline.measuring.measure() == 3 * len(body.parts)


def test_a_part_that_is_too_long_for_mastodon_is_an_error(tooting: House) -> None:
    slug = tooting.open_campaign(CLEAN)
    view = tooting.draft(slug, "mastodon")
    fitting = tooting.pipeline.reviewing.try_fields(view.draft.id, PostFields(("a" * 500,)), tooting.officer)
    tried = tooting.pipeline.reviewing.try_fields(view.draft.id, PostFields(("a" * 501,)), tooting.officer)
    assert "mastodon.too-long" not in [check.id for check in fitting.checks]
    (found,) = [check for check in tried.checks if check.id == "mastodon.too-long"]
    assert found.message == "Part 1 counts 501 characters; Mastodon takes 500."


def test_without_mastodon_nothing_asks_for_it(house: House) -> None:
    slug = house.open_campaign(CLEAN)
    drafts = house.pipeline.reviewing.show_campaign(slug).drafts
    assert ChannelName.MASTODON not in {view.draft.channel for view in drafts}
