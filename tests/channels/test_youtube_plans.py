"""Create, retitle, add, move and remove: each at most once, whatever the network does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import googleapiclient
import jsonschema
import pytest

from pregon.channels.youtube import CachedReader
from pregon.channels.youtube.answers import Trouble
from pregon.channels.youtube.quota import Quota, QuotaGoneError, name_day
from pregon.sandbox import Sandbox
from pregon.types import ChannelState, DeliveryState, PlaylistOperation, PlaylistText

from .builders import calls, haste, plan, playlist, youtube_channel

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED
VIDEO = "abcdefghijk"
FURTHER = (PlaylistText("fr", "Bonnes pratiques", "Ce qui marche"),)
CREATE = PlaylistOperation(
    "create", "", "Good practices – Water", description="What works", language="en", localizations=FURTHER,
    privacy="unlisted",
)  # fmt: skip
ADD = PlaylistOperation("add", "", CREATE.playlist_title, VIDEO, "Tides")
RETITLE = replace(CREATE, op="retitle", playlist_id="PLtidal-en", privacy="", earlier_title="Tidal Cities Network")
MOVE = PlaylistOperation("move", "PLtidal-en", "Tidal Cities Network", "tidalEn0002", position=0, item_id="UEold")
FAULTS = [
    ("drop_after_accept", UNKNOWN, SENT),
    ("500_but_done", UNKNOWN, SENT),
    ("hang", UNKNOWN, SENT),
    ("drop_before_accept", UNKNOWN, PENDING),
    ("502", UNKNOWN, PENDING),
    ("quota_exceeded", PENDING, PENDING),
    ("429", PENDING, PENDING),
]


def item_id(sandbox: Sandbox, video_id: str, playlist_id: str = "PLtidal-en") -> str:
    state = youtube_channel(sandbox).read_state((video_id,))
    return next(each for each in state.playlists if each.id == playlist_id).items[0].item_id


def remove(sandbox: Sandbox) -> PlaylistOperation:
    elsewhere = PlaylistOperation("add", "PLtidal-fr", "", "tidalEn0002")
    assert youtube_channel(sandbox).send(plan(elsewhere))[0].state is SENT
    known = item_id(sandbox, "tidalEn0002")
    return PlaylistOperation("remove", "PLtidal-en", "Tidal Cities Network", "tidalEn0002", item_id=known)


OPERATIONS: dict[str, tuple[Callable[[Sandbox], PlaylistOperation], str, str]] = {
    "create": (lambda _: CREATE, "POST", "/playlists"),
    "retitle": (lambda _: RETITLE, "PUT", "/playlists"),
    "move": (lambda _: MOVE, "PUT", "/playlistItems"),
    "remove": (remove, "DELETE", "/playlistItems"),
}


@pytest.mark.parametrize("op", OPERATIONS)
@pytest.mark.parametrize(("fault", "state", "settled"), FAULTS)
def test_each_fault_has_its_outcome_and_one_write(
    sandbox: Sandbox, op: str, fault: str, state: DeliveryState, settled: DeliveryState
) -> None:
    build, method, path = OPERATIONS[op]
    channel, shipment = youtube_channel(sandbox), plan(build(sandbox))
    sandbox.set_fault("youtube", fault, seconds=5)
    assert youtube_channel(sandbox, **haste(fault)).send(shipment)[0].state is state
    assert calls(sandbox, method, path) == 1
    assert channel.settle(shipment)[0].state is settled
    assert calls(sandbox, method, path) == 1
    if settled is SENT:
        assert channel.send(shipment)[0].state is SENT
        assert calls(sandbox, method, path) == 1


def test_a_created_playlist_takes_the_video_by_the_receipt(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    made = channel.send(plan(CREATE, ADD))[0]
    assert made.state is SENT
    added = channel.send(plan(CREATE, ADD, position=1, earlier_ids={0: made.provider_id or ""}))[0]
    assert added.state is SENT
    assert sandbox.read("playlists")[made.provider_id] == [VIDEO]
    kept = sandbox.read("playlist_texts")[made.provider_id]
    assert (kept["title"], kept["description"], kept["language"], kept["privacy"]) == (
        CREATE.playlist_title, "What works", "en", "unlisted",
    )  # fmt: skip
    assert kept["localizations"] == {"fr": {"title": "Bonnes pratiques", "description": "Ce qui marche"}}


def test_without_a_receipt_the_playlist_is_found_by_its_title(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    made = channel.send(plan(CREATE, ADD))[0]
    assert channel.send(plan(CREATE, ADD, position=1))[0].state is SENT
    assert sandbox.read("playlists")[made.provider_id] == [VIDEO]


def test_an_addition_whose_playlist_is_nowhere_fails_with_what_to_do(sandbox: Sandbox) -> None:
    outcome = youtube_channel(sandbox).send(plan(ADD))[0]
    assert outcome.state is FAILED
    assert "create it" in outcome.detail


def test_a_playlist_of_that_title_is_not_created_twice(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    first = channel.send(plan(CREATE))[0]
    again = channel.send(plan(replace(CREATE, playlist_title="good practices –  WATER")))[0]
    assert (again.state, again.provider_id) == (SENT, first.provider_id)
    assert calls(sandbox, "POST", "/playlists") == 1


def test_retitling_keeps_the_texts_it_does_not_name(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    assert channel.send(plan(RETITLE))[0].state is SENT
    spanish = replace(RETITLE, playlist_title="Water", description="", localizations=(PlaylistText("es", "Agua"),))
    assert channel.send(plan(spanish))[0].state is SENT
    kept = sandbox.read("playlist_texts")["PLtidal-en"]
    assert (kept["title"], kept["description"], kept["language"]) == ("Water", "What works", "en")
    assert set(kept["localizations"]) == {"fr", "es"}


def test_a_video_moves_to_its_place_and_back(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    assert channel.send(plan(MOVE))[0].state is SENT
    assert sandbox.read("playlists")["PLtidal-en"] == ["tidalEn0002", "tidalEn0001"]
    assert channel.send(plan(MOVE))[0].detail == "the video was already in its place"
    gone = channel.send(plan(replace(MOVE, video_id="notThere001")))[0]
    assert gone.state is FAILED


def test_an_addition_goes_to_its_place(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    assert channel.send(plan(replace(ADD, playlist_id="PLtidal-en", position=1)))[0].state is SENT
    assert sandbox.read("playlists")["PLtidal-en"] == ["tidalEn0001", VIDEO, "tidalEn0002"]
    too_far = channel.send(plan(replace(ADD, playlist_id="PLtidal-en", video_id="anotherVid1", position=9)))[0]
    assert too_far.state is SENT
    assert sandbox.read("playlists")["PLtidal-en"][-1] == "anotherVid1"


@pytest.mark.parametrize("op", ["add", "move"])
def test_the_last_place_is_the_last_one_when_the_playlist_has_become_shorter(sandbox: Sandbox, op: str) -> None:
    channel, videos = youtube_channel(sandbox), sandbox.read("playlists")["PLtidal-en"]
    wanted = VIDEO if op == "add" else videos[0]
    last = PlaylistOperation(op, "PLtidal-en", "", wanted, position=len(videos) - (op == "move"))
    assert channel.send(plan(remove(sandbox)))[0].state is SENT
    assert channel.send(plan(last))[0].state is SENT
    assert sandbox.read("playlists")["PLtidal-en"][-1] == wanted


def test_one_copy_is_removed_and_the_other_stays(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    operation = remove(sandbox)
    assert channel.send(plan(operation))[0].state is SENT
    assert sandbox.read("playlists")["PLtidal-en"] == ["tidalEn0001"]
    assert channel.send(plan(operation))[0].detail == "the copy was already gone"
    assert calls(sandbox, "DELETE", "/playlistItems") == 1


def test_the_last_copy_of_a_video_stays(sandbox: Sandbox) -> None:
    """Of two copies somebody has taken out the one that was to stay."""
    channel, known = youtube_channel(sandbox), item_id(sandbox, "tidalEn0002")
    last = PlaylistOperation("remove", "PLtidal-en", "Tidal Cities Network", "tidalEn0002", item_id=known)
    kept = channel.send(plan(last))[0]
    assert (kept.state, calls(sandbox, "DELETE", "/playlistItems")) == (FAILED, 0)
    assert "this copy stays" in kept.detail
    assert channel.send(plan(remove(sandbox)))[0].state is SENT


# --- the channel as it is


def test_the_channel_is_read_with_copies_and_captions(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox)
    channel.send(plan(replace(RETITLE, playlist_id="PLtidal-fr")))
    state = channel.read_state(("tidalEn0002", "muteVideo01", "gone0000000"))
    english = next(each for each in state.playlists if each.id == "PLtidal-en")
    assert (english.title, english.size) == ("Tidal Cities Network", 2)
    assert [(each.video_id, each.position) for each in english.items] == [("tidalEn0002", 1)]
    french = next(each for each in state.playlists if each.id == "PLtidal-fr")
    assert (french.description, french.language, french.localizations) == ("What works", "en", FURTHER)
    assert {video.id: video.has_captions for video in state.videos} == {"tidalEn0002": True, "muteVideo01": False}


def test_every_page_of_playlists_is_read(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox, timeout=5)
    for number in range(51):
        assert channel.send(plan(replace(CREATE, playlist_title=f"List {number}")))[0].state is SENT
    assert len(channel.read_state(()).playlists) == 54


def test_what_was_read_is_kept_for_a_while_and_trouble_is_kept_as_none(sandbox: Sandbox) -> None:
    at = [datetime.now(UTC)]
    reader = CachedReader(youtube_channel(sandbox).read_state, lambda: at[0])
    first = reader((VIDEO,))
    assert isinstance(first, ChannelState)
    sandbox.set_fault("youtube", "502", on="read", times=1)
    assert reader((VIDEO,)) is first
    at[0] += timedelta(minutes=6)
    assert reader((VIDEO,)) is None
    assert reader((VIDEO,)) is None
    at[0] += timedelta(minutes=6)
    assert isinstance(reader((VIDEO,)), ChannelState)


# --- quota


def test_our_count_is_the_providers(sandbox: Sandbox) -> None:
    spent: list[int] = []
    channel = youtube_channel(sandbox, spend=lambda _day, units, _budget: spent.append(units) is None)
    channel.send(plan(CREATE))
    channel.send(plan(replace(ADD, playlist_id="PLtidal-en")))
    channel.read_state((VIDEO,))
    assert sum(spent) == sandbox.read("requests")["counts"]["youtube units"] > 100


def test_a_call_that_the_budget_does_not_cover_never_leaves(sandbox: Sandbox) -> None:
    channel = youtube_channel(sandbox, daily_quota=50)
    outcome = channel.send(playlist())[0]
    assert (outcome.state, outcome.pause) == (PENDING, "quota")
    assert "50 units" in outcome.detail
    assert "UTC on" in outcome.detail
    assert outcome.retry_after is not None
    assert calls(sandbox, "POST", "/playlistItems") == 0
    assert isinstance(QuotaGoneError("x"), Trouble)


def test_the_count_begins_anew_at_midnight_pacific() -> None:
    at = [datetime(2026, 11, 23, 7, 59, tzinfo=UTC)]
    quota = Quota(lambda: at[0], budget=1)
    quota.charge("GET", "https://youtube.googleapis.com/youtube/v3/videos")
    quota.charge("POST", "https://oauth2.googleapis.com/token")
    with pytest.raises(QuotaGoneError, match="1 units"):
        quota.charge("GET", "https://youtube.googleapis.com/youtube/v3/videos")
    at[0] += timedelta(minutes=2)
    quota.charge("GET", "https://youtube.googleapis.com/youtube/v3/videos")
    assert name_day(at[0]) == "2026-11-23"


# --- what leaves, against the description that Google publishes with its client

DESCRIPTION = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "youtube.v3.json"


def to_schema(description: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """A discovery schema as JSON Schema in which nothing undescribed is allowed."""
    if "$ref" in node:
        return to_schema(description, description["schemas"][node["$ref"]])
    kind = node.get("type")
    if kind == "object":
        properties = {name: to_schema(description, each) for name, each in node.get("properties", {}).items()}
        rest = to_schema(description, node["additionalProperties"]) if "additionalProperties" in node else False
        return {"type": "object", "properties": properties, "additionalProperties": rest}
    if kind == "array":
        return {"type": "array", "items": to_schema(description, node["items"])}
    return {"type": kind} | ({"enum": node["enum"]} if "enum" in node else {})


def described() -> dict[str, Any]:
    """Google's description of its API."""
    read: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return read


def test_what_is_not_described_is_found() -> None:
    schema = to_schema_of(described(), "Playlist")
    jsonschema.validate({"snippet": {"title": "x"}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"snippet": {"titel": "x"}}, schema)


def to_schema_of(description: dict[str, Any], name: str) -> dict[str, Any]:
    return to_schema(description, {"$ref": name})
