"""Statistics of the videos that went into playlists, read 50 at a time. YouTube gives counts as strings.

A delivery is known by its playlist item, so the items are read first for their videos: one unit of quota each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pregon.channels.youtube.answers import Trouble
from pregon.channels.youtube.reading import execute_list
from pregon.types import Outgoing, Sample

BATCH = 50
PLAYLIST_ID = "PL"
_METRICS = {"viewCount": "views", "likeCount": "likes", "commentCount": "comments"}


def sample_videos(service: Any, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
    """Views, likes and comments of each delivery's video; nothing for what YouTube withholds or no longer has."""
    # A delivery that created or retitled a playlist is known by the playlist, which is no item and has no counters.
    by_item = {
        delivery.provider_id: delivery.delivery_id
        for delivery in deliveries
        if delivery.provider_id and not delivery.provider_id.startswith(PLAYLIST_ID)
    }
    videos = {
        str(item["id"]): str(item["snippet"]["resourceId"]["videoId"])
        for item in _read(service.playlistItems(), "snippet", list(by_item))
    }
    wanted = list(dict.fromkeys(videos.values()))
    counters = {
        str(video["id"]): video.get("statistics", {}) for video in _read(service.videos(), "statistics", wanted)
    }
    return tuple(
        sample
        for item_id, video_id in videos.items()
        for sample in _samples(by_item[item_id], counters.get(video_id, {}), at)
    )


def _read(collection: Any, part: str, ids: list[str]) -> Iterator[Mapping[str, Any]]:
    for start in range(0, len(ids), BATCH):
        request = collection.list(part=part, id=",".join(ids[start : start + BATCH]), maxResults=BATCH)
        try:
            answer = execute_list(request)
        except Trouble:
            return  # a counter missed now is read at the next pass
        yield from answer.get("items", [])


def _samples(delivery_id: str, counters: Mapping[str, Any], at: datetime) -> list[Sample]:
    return [
        Sample(delivery_id, metric, int(counters[name]), at) for name, metric in _METRICS.items() if name in counters
    ]
