"""A video's way into a playlist that there was not: planned against the channel, created, filled, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from conftest import VIDEO, House  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.settings import PlaylistRule
from pregon.storage import open_store
from pregon.storage.sealing import Accounts
from pregon.types import ChannelName, Kind

TITLE = {"title": "Nights of the tide", "description": "Films", "titles": {"fr": "Nuits de marée"}, "position": "first"}
Rebuild = Callable[..., House]


@pytest.fixture
def rebuild(house: House) -> Iterator[Rebuild]:
    """The same house with another rule for videos, or another budget."""
    built = []

    def build(target: object = TITLE, **youtube: object) -> House:
        settings = house.settings
        rule = PlaylistRule.model_validate({"playlists": {"en": target}})
        playbook = settings.playbooks[Kind.VIDEO].model_copy(update={"youtube": rule})
        channel = settings.channels.youtube.model_copy(update=youtube)
        settings = settings.model_copy(
            update={
                "playbooks": {**settings.playbooks, Kind.VIDEO: playbook},
                "channels": settings.channels.model_copy(update={"youtube": channel}),
            }
        )
        pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
        built.append(pipeline)
        return replace(house, pipeline=pipeline, settings=settings)

    yield build
    for pipeline in built:
        pipeline.store.close()


def calls(house, method, path):
    counts = house.sandbox.read("requests")["counts"]
    return sum(count for name, count in counts.items() if f" {method} " in name and name.endswith(f"/v3/{path}"))


@pytest.mark.parametrize("fault", [None, "drop_after_accept", "500_but_done", "drop_before_accept"])
def test_a_playlist_is_created_filled_and_nothing_is_done_twice(rebuild, fault):
    house = rebuild()
    slug = house.open_campaign(VIDEO)
    plan = house.draft(slug, "youtube").revision
    assert [operation.op for operation in plan.fields.operations] == ["create", "add"]
    assert plan.checks == ()
    house.approve(slug, "youtube")
    if fault:
        house.sandbox.set_fault("youtube", fault)
    for _ in range(4):
        house.pipeline.delivering.deliver()
        house.clock.forward(minutes=10)
    assert house.states(slug, "youtube") == ["sent", "sent"]
    made = [each for each in house.sandbox.read("playlist_texts").values() if each["title"] == TITLE["title"]]
    assert len(made) == 1
    assert made[0]["localizations"]["fr"]["title"] == "Nuits de marée"
    assert house.sandbox.read("playlists")[made[0]["id"]] == ["tidalVid001"]


def test_what_the_channel_has_already_is_not_planned(rebuild):
    house = rebuild("PLtidal-en")
    slug = house.open_campaign(VIDEO)
    house.approve(slug, "youtube")
    house.pipeline.delivering.deliver()
    house.clock.forward(minutes=10)
    item = house.pipeline.store.read_item(house.pipeline.store.read_campaign(slug).item_id)
    (plan,) = [p for p in house.pipeline.composing.compose(item.item, "x") if p.channel is ChannelName.YOUTUBE]
    assert plan.fields.operations == ()
    assert "has it already" in plan.fields.reason


def test_a_channel_that_cannot_be_read_is_said_so_and_delays_nothing(rebuild):
    house = rebuild("PLtidal-en")
    house.sandbox.set_fault("youtube", "502", on="read", times=9)
    view = house.draft(house.open_campaign(VIDEO), "youtube")
    assert [check.id for check in view.revision.checks] == ["playlist.unread"]
    assert calls(house, "GET", "playlists") == 1


def test_an_item_without_a_video_never_asks_youtube(house):
    house.open_campaign()
    assert calls(house, "GET", "playlists") == 0


def test_a_quota_that_is_gone_pauses_until_midnight_pacific_and_goes_on_by_itself(rebuild):
    house = rebuild("PLtidal-en", daily_quota=50)
    slug = house.open_campaign(VIDEO)
    house.approve(slug, "youtube")
    reason = house.pipeline.delivering.deliver().paused[ChannelName.YOUTUBE]
    assert "50 units" in reason
    assert "by itself" in reason
    used = calls(house, "GET", "playlistItems")
    house.pipeline.delivering.deliver()
    assert calls(house, "GET", "playlistItems") == used
    assert calls(house, "POST", "playlistItems") == 0
    wider = rebuild("PLtidal-en", daily_quota=100)
    house.clock.forward(hours=25)
    assert wider.pipeline.delivering.deliver().paused == {}
    assert house.states(slug, "youtube") == ["sent"]


def test_an_ended_authorisation_raises_one_alert_and_asks_no_more(rebuild):
    house = rebuild("PLtidal-en")
    slug = house.open_campaign(VIDEO)
    house.approve(slug, "youtube")
    stranger = rebuild("PLtidal-en")  # a process whose token has not been fetched yet
    house.sandbox.set_fault("youtube", "expired_token", times=50)
    asked = house.sandbox.read("requests")["counts"]["youtube POST /youtube/token"]
    for _ in range(5):
        stranger.pipeline.delivering.deliver()
        stranger.pipeline.measuring.measure()
        house.clock.forward(minutes=10)
    assert house.sandbox.read("requests")["counts"]["youtube POST /youtube/token"] == asked + 1
    pauses = [entry for entry in house.pipeline.store.list_audit() if entry.action == "pause"]
    assert len(pauses) == 1
    assert "connect the channel again" in pauses[0].detail
    assert house.states(slug, "youtube") == ["pending"]


def test_one_change_that_cannot_work_does_not_stop_the_next(rebuild):
    house = rebuild({"id": "PLtidal-en", "title": "Nights of the tide"})
    slug = house.open_campaign(VIDEO)
    assert [each.op for each in house.draft(slug, "youtube").revision.fields.operations] == ["retitle", "add"]
    house.approve(slug, "youtube")
    state = house.pipeline.store
    first = state.list_deliveries(state.read_campaign(slug).id)
    retitle = next(row for row in first if row.channel is ChannelName.YOUTUBE and row.position == 0)
    claimed = state.claim_due(ChannelName.YOUTUBE, 1, "test", house.clock())
    assert [row.id for row in claimed] == [retitle.id]
    from pregon.types import DeliveryState, Outcome

    state.record_outcomes([(Outcome(retitle.id, DeliveryState.FAILED, None, "refused"), None)], "send", house.clock())
    house.pipeline.delivering.deliver()
    assert house.states(slug, "youtube") == ["failed", "sent"]


# --- what is kept of accounts


def test_units_are_counted_across_processes_and_never_over_the_budget(house, database_url):
    other = open_store(database_url)
    taken = [
        store.spend_quota(ChannelName.YOUTUBE, "2026-11-23", 40, 100)
        for store in (other, house.pipeline.store, other)
    ]  # fmt: skip
    assert taken == [True, True, False]
    assert other.read_quota(ChannelName.YOUTUBE, "2026-11-23") == 80
    assert other.spend_quota(ChannelName.YOUTUBE, "2026-11-24", 100, 100)
    assert other.read_quota(ChannelName.YOUTUBE, "2026-11-23") == 0
    assert not other.spend_quota(ChannelName.YOUTUBE, "2026-11-25", 101, 100)
    other.close()


def test_a_credential_is_sealed_and_changed_by_one_at_a_time(house):
    store = house.pipeline.store
    first, second = (Accounts(store, b"key", house.clock).keeper("x") for _ in range(2))
    assert (first.read(), second.read()) == (None, None)
    assert first.write("the token one")
    assert not second.write("the token two")
    assert second.read() == "the token one"
    assert second.write("the token two")
    assert not first.write("the token three")
    assert first.read() == "the token two"
    assert "the token two" not in (store.read_credential("x") or "")
    assert Accounts(store, b"another key", house.clock).keeper("x").read() is None
