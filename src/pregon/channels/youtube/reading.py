"""Read what a channel has: its playlists, the copies of a video, captions. Writes nothing.

Raises what googleapiclient, google-auth and requests raise (`answers.Trouble`), except `CachedReader`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pregon.channels.youtube.answers import Trouble
from pregon.types import ChannelState, PlaylistEntry, PlaylistState, PlaylistText, VideoState

PAGE = 50
_PARTS = "snippet,contentDetails,localizations"
_CAPTIONS = {"true": True, "false": False}


def read_state(service: Any, video_ids: Sequence[str]) -> ChannelState:
    """The channel's playlists with the copies of these videos, and the videos themselves.

    Costs one unit per 50 playlists, one per playlist and video, and one per 50 videos.
    """
    playlists = [
        _build_playlist(entry, [item for video in video_ids for item in find_items(service, str(entry["id"]), video)])
        for entry in list_playlists(service)
    ]
    return ChannelState(tuple(playlists), tuple(_read_videos(service, list(video_ids))))


def list_playlists(service: Any) -> list[Mapping[str, Any]]:
    """Every playlist of the channel, as YouTube shows it."""
    return list(_read_pages(service.playlists(), part=_PARTS, mine=True))


def read_own_title(service: Any) -> str | None:
    """The title of the channel that the authorisation is for; None when it is for an account without one. One unit."""
    own = next(_read_pages(service.channels(), part="snippet", mine=True), None)
    return None if own is None else str(own["snippet"]["title"])


def read_playlist(service: Any, playlist_id: str) -> Mapping[str, Any] | None:
    """One playlist as YouTube shows it, or None."""
    return next(_read_pages(service.playlists(), part=_PARTS, id=playlist_id), None)


def find_playlist(service: Any, title: str) -> str | None:
    """The id of the channel's oldest playlist with this title, whatever its case; None when there is none."""
    called_so = [each for each in list_playlists(service) if fold(str(each["snippet"].get("title", ""))) == fold(title)]
    oldest = min(called_so, key=lambda each: str(each["snippet"].get("publishedAt", "")), default=None)
    return str(oldest["id"]) if oldest else None


def find_items(service: Any, playlist_id: str, video_id: str) -> list[PlaylistEntry]:
    """The copies of a video in a playlist, the first one first."""
    found = _read_pages(service.playlistItems(), part="snippet", playlistId=playlist_id, videoId=video_id)
    entries = [
        PlaylistEntry(str(item["id"]), video_id, int((item.get("snippet") or {}).get("position", 0))) for item in found
    ]
    return sorted(entries, key=lambda entry: entry.position)


def fold(text: str) -> str:
    """A title for comparing: one space between words, one case, one Unicode form."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def read_localizations(playlist: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Language -> {title, description} of a playlist as YouTube shows it."""
    return {
        str(language): {"title": str(text.get("title", "")), "description": str(text.get("description", ""))}
        for language, text in (playlist.get("localizations") or {}).items()
    }


class CachedReader:
    """A channel's state, kept for some minutes; None while it cannot be read, which is kept for as long."""

    def __init__(
        self,
        read: Callable[[Sequence[str]], ChannelState],
        clock: Callable[[], datetime],
        keep: timedelta = timedelta(minutes=5),
    ) -> None:
        self._read, self._clock, self._keep = read, clock, keep
        self._kept: dict[tuple[str, ...], tuple[datetime, ChannelState | None]] = {}

    def __call__(self, video_ids: tuple[str, ...]) -> ChannelState | None:
        """The channel with regard to these videos."""
        now = self._clock()
        self._kept = {ids: kept for ids, kept in self._kept.items() if now - kept[0] < self._keep}
        if video_ids not in self._kept:
            self._kept[video_ids] = (now, self._try(video_ids))
        return self._kept[video_ids][1]

    def _try(self, video_ids: tuple[str, ...]) -> ChannelState | None:
        try:
            return self._read(video_ids)
        except Trouble:
            return None  # the plan says that the channel was not read


def _read_pages(collection: Any, **query: Any) -> Iterator[Mapping[str, Any]]:
    request = collection.list(maxResults=PAGE, **query)
    while request is not None:
        answer = execute_list(request)
        yield from answer.get("items", [])
        request = collection.list_next(request, answer)


def execute_list(request: Any) -> Mapping[str, Any]:
    """A page of a list. Raises TypeError for an answer that is none: the client takes any text for one."""
    answer = request.execute(num_retries=0)
    if not isinstance(answer, dict) or not {"items", "pageInfo"} & answer.keys():
        raise TypeError(repr(answer)[:200])
    return answer


def _build_playlist(entry: Mapping[str, Any], items: list[PlaylistEntry]) -> PlaylistState:
    snippet = entry["snippet"]
    texts = [PlaylistText(name, text["title"], text["description"]) for name, text in read_localizations(entry).items()]
    return PlaylistState(
        id=str(entry["id"]),
        title=str(snippet.get("title", "")),
        description=str(snippet.get("description", "")),
        language=str(snippet.get("defaultLanguage", "")),
        size=int((entry.get("contentDetails") or {}).get("itemCount", 0)),
        items=tuple(items),
        localizations=tuple(sorted(texts, key=lambda text: text.language)),
    )


def _read_videos(service: Any, video_ids: list[str]) -> Iterator[VideoState]:
    for start in range(0, len(video_ids), PAGE):
        wanted = ",".join(video_ids[start : start + PAGE])
        for video in _read_pages(service.videos(), part="snippet,contentDetails", id=wanted):
            said = str((video.get("contentDetails") or {}).get("caption", ""))
            yield VideoState(str(video["id"]), str(video["snippet"].get("title", "")), _CAPTIONS.get(said))
