from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from pregon.channels.youtube.answers import seconds_to_quota_reset
from pregon.channels.youtube.payload import build_item
from pregon.sandbox import Sandbox
from pregon.types import DeliveryState, Outgoing, PlaylistOperation

from .builders import haste, playlist, writes, youtube_channel

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED


def test_the_item_is_exactly_this() -> None:
    assert build_item(PlaylistOperation("add", "PL1", "Title", "abcdefghijk")) == {
        "snippet": {"playlistId": "PL1", "resourceId": {"kind": "youtube#video", "videoId": "abcdefghijk"}}
    }


def test_a_video_is_added_once(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    first, again = channel.send(playlist())[0], channel.send(playlist())[0]
    assert (first.state, again.state, first.provider_id) == (SENT, SENT, again.provider_id)
    assert sandbox.read("playlists")["PLtidal-en"].count("abcdefghijk") == 1
    assert writes(sandbox, "/playlistItems") == 1


def test_a_lost_answer_adds_the_video_once(sandbox: Sandbox) -> None:
    sandbox.set_fault("youtube", "drop_after_accept")
    assert youtube_channel(sandbox).send(playlist())[0].state is UNKNOWN
    assert sandbox.read("playlists")["PLtidal-en"].count("abcdefghijk") == 1


@pytest.mark.parametrize("fault", ["502", "hang", "drop_before_accept"])
def test_a_read_that_fails_changes_nothing(sandbox: Sandbox, fault: str) -> None:
    sandbox.set_fault("youtube", fault, on="read", seconds=3)
    assert youtube_channel(sandbox, **haste(fault)).send(playlist())[0].state is PENDING
    assert writes(sandbox, "/playlistItems") == 0


def test_settle_cannot_tell_when_the_read_fails(sandbox: Sandbox) -> None:
    sandbox.set_fault("youtube", "502", on="read")
    assert youtube_channel(sandbox).settle(playlist())[0].state is UNKNOWN


def test_an_ended_authorisation_pauses_the_channel(sandbox: Sandbox) -> None:
    sandbox.set_fault("youtube", "expired_token")
    outcome = youtube_channel(sandbox).send(playlist())[0]
    assert (outcome.state, outcome.pause) == (PENDING, "credentials")
    assert youtube_channel(sandbox, "1//another").send(playlist())[0].pause == "credentials"
    assert writes(sandbox, "/playlistItems") == 0


@pytest.mark.parametrize(
    ("video_id", "playlist_id", "sentence"),
    [
        ("gone0000000", "PLtidal-en", "The video cannot be found."),
        ("abcdefghijk", "PLnowhere", "The playlist cannot be found."),
    ],
)
def test_what_does_not_exist_fails(sandbox: Sandbox, video_id: str, playlist_id: str, sentence: str) -> None:
    outcome = youtube_channel(sandbox).send(playlist(video_id, playlist_id))[0]
    assert (outcome.state, outcome.detail) == (FAILED, sentence)


def test_an_operation_that_is_not_ours_is_held(sandbox: Sandbox) -> None:
    assert youtube_channel(sandbox).send(playlist(op="merge"))[0].state is DeliveryState.HELD


def test_statistics_are_numbers(sandbox: Sandbox) -> None:
    channel, at = youtube_channel(sandbox), datetime.now(UTC)
    item_id = channel.send(playlist())[0].provider_id
    deliveries = (Outgoing("video-0", 0, "PLtidal-en", provider_id=item_id), Outgoing("video-1", 0, "PLtidal-en"))
    before = {sample.metric: sample.value for sample in channel.sample(deliveries, at)}
    sandbox.react()
    after = {sample.metric: sample.value for sample in channel.sample(deliveries, at)}
    assert before.keys() == after.keys() == {"views", "likes", "comments"}
    assert after["views"] > before["views"] > 0


def test_quota_returns_at_midnight_pacific() -> None:
    assert seconds_to_quota_reset(datetime(2026, 11, 23, 7, 0, tzinfo=UTC)) == 3600
    assert seconds_to_quota_reset(datetime(2026, 7, 1, 6, 59, 30, tzinfo=UTC)) == 30


def test_channels_made_at_once_are_used_side_by_side(sandbox: Sandbox) -> None:
    made = [youtube_channel(sandbox) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda channel: channel.read_state(["sandboxvid1"]), made))
    assert found == [found[0]] * 8
