"""Carry out one playlist operation, at most once. Never raises for YouTube or the network.

An ordinary playlist takes the same video twice, and two playlists may be called alike, so every write is preceded by
a read; what is there already is not done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from googleapiclient.errors import HttpError

from pregon.channels.answers import RAW_LIMIT
from pregon.channels.youtube.answers import ALREADY_THERE, GONE_ALREADY, Trouble, read_reason, read_trouble
from pregon.channels.youtube.payload import (
    build_item,
    build_playlist,
    build_retitling,
    find_created,
    has_texts,
    list_parts,
    select_operation,
)
from pregon.channels.youtube.reading import find_items, find_playlist, list_playlists, read_playlist
from pregon.types import DeliveryState, Outcome, Outgoing, PlaylistOperation, Shipment

# What a look before the write finds: (the outcome when there is nothing to do, the request that does it, what it then is).
Looked = tuple[Outcome | None, Any, str]
NO_PLAYLIST = "the channel has no playlist “{title}”; create it, then approve the plan again"


def send_operation(service: Any, shipment: Shipment, delivery: Outgoing, now: datetime) -> Outcome:
    """Look first; write once where something is to be done."""
    name = delivery.delivery_id
    operation = select_operation(shipment, delivery)
    look = _LOOKS.get(operation.op)
    if look is None:
        return Outcome(name, DeliveryState.HELD, None, f"nobody here knows how to {operation.op!r}; do it on YouTube")
    try:
        located = locate_playlist(service, shipment, delivery, operation)
        if located is None:
            detail = NO_PLAYLIST.format(title=operation.playlist_title)
            return Outcome(name, DeliveryState.FAILED, None, detail)
        done, request, detail = look(service, located, delivery)
    except Trouble as error:
        return read_trouble(name, error, now, is_write=False)
    return done or _write(request, operation, delivery, detail, now)


def locate_playlist(
    service: Any, shipment: Shipment, delivery: Outgoing, operation: PlaylistOperation
) -> PlaylistOperation | None:
    """The operation with its playlist's id: its own, the receipt's of the creation before it, or found by title."""
    if operation.playlist_id or operation.op == "create":
        return operation
    found = find_created(shipment, delivery, operation) or find_playlist(service, operation.playlist_title)
    return replace(operation, playlist_id=found) if found else None


def _look_to_create(service: Any, operation: PlaylistOperation, delivery: Outgoing) -> Looked:
    found = find_playlist(service, operation.playlist_title)
    if found:
        return _done(delivery, found, "the channel already had the playlist"), None, ""
    body = build_playlist(operation)
    return None, service.playlists().insert(part=list_parts(body), body=body), "created the playlist"


def _look_to_retitle(service: Any, operation: PlaylistOperation, delivery: Outgoing) -> Looked:
    has = read_playlist(service, operation.playlist_id)
    if has is None:
        detail = NO_PLAYLIST.format(title=operation.earlier_title or operation.playlist_id)
        return Outcome(delivery.delivery_id, DeliveryState.FAILED, None, detail), None, ""
    if has_texts(operation, has):
        return _done(delivery, operation.playlist_id, "the playlist was already called so"), None, ""
    body = build_retitling(operation, has)
    return None, service.playlists().update(part=list_parts(body), body=body), "gave the playlist its texts"


def _look_to_add(service: Any, operation: PlaylistOperation, delivery: Outgoing) -> Looked:
    items = find_items(service, operation.playlist_id, operation.video_id)
    if items:
        return _done(delivery, items[0].item_id, "the playlist already had the video"), None, ""
    fitting = _fit(service, operation, 0)
    request = service.playlistItems().insert(part="snippet", body=build_item(replace(fitting, item_id="")))
    return None, request, "added to the playlist"


def _look_to_move(service: Any, operation: PlaylistOperation, delivery: Outgoing) -> Looked:
    items = find_items(service, operation.playlist_id, operation.video_id)
    if not items:
        detail = "the video is no longer in the playlist, so there is nothing to move; draft the plan again"
        return Outcome(delivery.delivery_id, DeliveryState.FAILED, None, detail), None, ""
    operation = _fit(service, operation, 1)
    item = next((each for each in items if each.item_id == operation.item_id), items[0])
    if item.position == operation.position:
        return _done(delivery, item.item_id, "the video was already in its place"), None, ""
    body = build_item(replace(operation, item_id=item.item_id))
    return None, service.playlistItems().update(part="snippet", body=body), "moved to its place"


def _fit(service: Any, operation: PlaylistOperation, own: int) -> PlaylistOperation:
    """The operation with a place that there is: somebody may have taken videos out since the plan was made.

    `own` of the playlist's videos are the one to be placed.
    """
    has = read_playlist(service, operation.playlist_id) if operation.position else None
    if has is None or operation.position is None:
        return operation
    return replace(operation, position=min(operation.position, int(has["contentDetails"]["itemCount"]) - own))


def _look_to_remove(service: Any, operation: PlaylistOperation, delivery: Outgoing) -> Looked:
    items = find_items(service, operation.playlist_id, operation.video_id)
    if operation.item_id not in [item.item_id for item in items]:
        return _done(delivery, None, "the copy was already gone"), None, ""
    if len(items) == 1 and not _is_elsewhere(service, operation):
        detail = "no playlist would have the video any more, so this copy stays; draft the plan again"
        return Outcome(delivery.delivery_id, DeliveryState.FAILED, None, detail), None, ""
    return None, service.playlistItems().delete(id=operation.item_id), "taken out of the playlist"


def _is_elsewhere(service: Any, operation: PlaylistOperation) -> bool:
    """Whether another playlist has the video: somebody may have taken out the copy that was to stay, or adding it failed."""
    others = (str(each["id"]) for each in list_playlists(service))
    return any(find_items(service, each, operation.video_id) for each in others if each != operation.playlist_id)


_LOOKS: dict[str, Callable[[Any, PlaylistOperation, Outgoing], Looked]] = {
    "create": _look_to_create,
    "retitle": _look_to_retitle,
    "add": _look_to_add,
    "move": _look_to_move,
    "remove": _look_to_remove,
}


def _done(delivery: Outgoing, provider_id: str | None, detail: str, raw: str = "") -> Outcome:
    return Outcome(delivery.delivery_id, DeliveryState.SENT, provider_id, detail, raw)


def _write(request: Any, operation: PlaylistOperation, delivery: Outgoing, detail: str, now: datetime) -> Outcome:
    try:
        answer = request.execute(num_retries=0)
        provider_id = None if operation.op == "remove" else str(answer["id"])
    except Trouble as error:
        reason = read_reason(error) if isinstance(error, HttpError) else ""
        if operation.op == "add" and reason == ALREADY_THERE:
            return _done(delivery, None, "the playlist already had the video")
        if operation.op == "remove" and reason == GONE_ALREADY:
            return _done(delivery, None, "the copy was already gone")
        return read_trouble(delivery.delivery_id, error, now, is_write=True)
    return _done(delivery, provider_id, detail, str(answer)[:RAW_LIMIT])
