"""A playlist plan as before and after: what each playlist is called, how many videos it has, where ours stand. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pregon.types import ChannelState, PlaylistOperation, PlaylistState


@dataclass(frozen=True, slots=True)
class PlaylistSide:
    """A playlist at one moment. `places` are (title of a video, its positions from 1, none where it is not in it)."""

    title: str
    size: int
    places: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class PlaylistChange:
    """One playlist before and after a plan; `before` is None for one that the plan creates."""

    before: PlaylistSide | None
    after: PlaylistSide


@dataclass(slots=True)
class _Playlist:
    title: str
    size: int
    videos: list[tuple[str, str, int]]  # item id, video id, position from 0


def preview_playlists(operations: Sequence[PlaylistOperation], state: ChannelState) -> tuple[PlaylistChange, ...]:
    """Every playlist that the plan touches, in the order in which it does. YouTube puts what has no position at the end."""
    titles = {op.video_id: op.video_title or op.video_id for op in operations if op.video_id}
    known = {each.id: each for each in state.playlists}
    now: dict[str, _Playlist] = {}
    for operation in operations:
        key = operation.playlist_id or f"new:{operation.playlist_title}"
        playlist = now.setdefault(key, _begin(known.get(key), operation))
        _apply(playlist, operation)
    return tuple(PlaylistChange(_show_before(known.get(key), titles), _show(each, titles)) for key, each in now.items())


def _begin(state: PlaylistState | None, operation: PlaylistOperation) -> _Playlist:
    if state is None:
        return _Playlist(operation.playlist_title or operation.playlist_id, 0, [])
    return _Playlist(state.title, state.size, [(each.item_id, each.video_id, each.position) for each in state.items])


def _apply(playlist: _Playlist, operation: PlaylistOperation) -> None:
    if operation.op == "retitle":
        playlist.title = operation.playlist_title
    if operation.op in ("remove", "move"):
        gone = next((each for each in playlist.videos if each[0] == operation.item_id), None)
        if gone is not None:
            playlist.videos.remove(gone)
            playlist.videos = [(i, v, p - 1 if p > gone[2] else p) for i, v, p in playlist.videos]
            playlist.size -= 1
    if operation.op in ("add", "move"):
        place = playlist.size if operation.position is None else min(operation.position, playlist.size)
        playlist.videos = [(i, v, p + 1 if p >= place else p) for i, v, p in playlist.videos]
        playlist.videos.append((operation.item_id, operation.video_id, place))
        playlist.size += 1


def _show_before(state: PlaylistState | None, titles: dict[str, str]) -> PlaylistSide | None:
    if state is None:
        return None
    begun = _Playlist(state.title, state.size, [(each.item_id, each.video_id, each.position) for each in state.items])
    return _show(begun, titles)


def _show(playlist: _Playlist, titles: dict[str, str]) -> PlaylistSide:
    places = (
        (title, tuple(sorted(position + 1 for _, each, position in playlist.videos if each == video)))
        for video, title in titles.items()
    )
    return PlaylistSide(playlist.title, playlist.size, tuple(places))
