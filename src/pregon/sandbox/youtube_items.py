"""The stand-in's playlist items: listed, added, moved, removed. An ordinary playlist takes the same video twice."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pregon.sandbox import accounts
from pregon.sandbox.state import Record, State
from pregon.sandbox.youtube_answers import answer_error, answer_page, list_parts, read_body

MAX_ITEMS = 5000
MAX_NOTE = 280
NO_PLAYLIST = (404, "playlistNotFound", "The playlist cannot be found.")


class ItemStandIn:
    """Items over the state. Positions count from 0 and have no gaps."""

    def __init__(self, state: State, is_video: Callable[[str], bool]) -> None:
        self._state = state
        self._is_video = is_video

    async def list_page(self, request: Request) -> Response:
        """GET playlistItems by playlistId (and videoId) or by id."""
        query = request.query_params
        if "id" in query:
            found = [self._state.get("playlist_item", identity) for identity in query["id"].split(",")]
            return answer_page([item for item in found if item and not item.get("gone")], "playlistItem")
        if not _is_there(self._state, query.get("playlistId", "")):
            return answer_error(*NO_PLAYLIST)
        items = list_items(self._state, query["playlistId"])
        if "videoId" in query:
            items = [item for item in items if item["snippet"]["resourceId"]["videoId"] == query["videoId"]]
        return answer_page(items, "playlistItem", request)

    async def insert(self, request: Request) -> Response:
        """POST playlistItems."""
        body = await read_body(request)
        refusal = self._check(body, list_parts(request))
        if refusal or body is None:
            return refusal or answer_error(400, "parseError", "Parse Error")
        snippet = body["snippet"]
        item = build_item(snippet["playlistId"], snippet["resourceId"]["videoId"], 0)
        self._state.put("playlist_item", [(item["id"], item)], status="added")
        self._place(item, snippet.get("position"))
        return JSONResponse(self._state.get("playlist_item", item["id"]))

    async def update(self, request: Request) -> Response:
        """PUT playlistItems: the place of an item."""
        body = await read_body(request)
        item = self._find(str((body or {}).get("id", "")))
        if item is None:
            return answer_error(404, "playlistItemNotFound", "The playlist item cannot be found.")
        refusal = self._check(body, list_parts(request))
        if refusal or body is None:
            return refusal or answer_error(400, "parseError", "Parse Error")
        if body["snippet"]["playlistId"] != item["snippet"]["playlistId"]:
            return answer_error(400, "playlistOperationUnsupported", "An item stays in its playlist.")
        self._place(item, body["snippet"].get("position"))
        return JSONResponse(self._state.get("playlist_item", item["id"]))

    async def delete(self, request: Request) -> Response:
        """DELETE playlistItems by id."""
        item = self._find(request.query_params.get("id", ""))
        if item is None:
            return answer_error(404, "playlistItemNotFound", "The playlist item cannot be found.")
        self._state.put("playlist_item", [(item["id"], item | {"gone": True})], status="gone")
        self._number(list_items(self._state, item["snippet"]["playlistId"]))
        return Response(status_code=204)

    def _find(self, item_id: str) -> Record | None:
        item = self._state.get("playlist_item", item_id)
        return item if item and not item.get("gone") else None

    def _place(self, item: Record, position: int | None) -> None:
        others = [each for each in list_items(self._state, item["snippet"]["playlistId"]) if each["id"] != item["id"]]
        others.insert(len(others) if position is None else position, item)
        self._number(others)

    def _number(self, items: list[Record]) -> None:
        placed = [item | {"snippet": item["snippet"] | {"position": place}} for place, item in enumerate(items)]
        self._state.put("playlist_item", [(item["id"], item) for item in placed], status="added")

    def _check(self, body: Record | None, parts: set[str]) -> Response | None:
        if body is None:
            return answer_error(400, "parseError", "Parse Error")
        snippet = body.get("snippet")
        if "snippet" not in parts or not isinstance(snippet, dict):
            return answer_error(400, "required", "The part parameter must name snippet.")
        resource = snippet.get("resourceId") or {}
        playlist_id, position = str(snippet.get("playlistId", "")), snippet.get("position")
        is_number = position is None or (type(position) is int and position >= 0)
        size = len(list_items(self._state, playlist_id))
        rules = (
            (not playlist_id, "playlistIdRequired", "The request does not specify a playlist ID."),
            (not resource, "resourceIdRequired", "The request must name a resource."),
            (resource.get("kind") != "youtube#video", "invalidResourceType", "The resource type is not supported."),
            (not is_number, "invalidPlaylistItemPosition", "The position is not valid."),
            (
                position is not None and _is_sorted(self._state, playlist_id),
                "manualSortRequired",
                "The playlist is not sorted manually.",
            ),
            (is_number and (position or 0) > size, "invalidPlaylistItemPosition", "The position is not valid."),
            (len(_note(body)) > MAX_NOTE, "invalidContentDetails", "The note is too long."),
        )
        for is_broken, reason, sentence in rules:
            if is_broken:
                return answer_error(400, reason, sentence)
        return self._check_target(playlist_id, str(resource.get("videoId", "")), size)

    def _check_target(self, playlist_id: str, video_id: str, size: int) -> Response | None:
        if not _is_there(self._state, playlist_id):
            return answer_error(*NO_PLAYLIST)
        if not self._is_video(video_id):
            return answer_error(404, "videoNotFound", "The video cannot be found.")
        if size >= MAX_ITEMS:
            sentence = "The playlist already contains the maximum allowed number of items."
            return answer_error(403, "playlistContainsMaximumNumberOfVideos", sentence)
        return None


def list_items(state: State, playlist_id: str) -> list[Record]:
    """The items of a playlist by position."""
    items = [
        item
        for item in state.all("playlist_item")
        if item["snippet"]["playlistId"] == playlist_id and not item.get("gone")
    ]
    return sorted(items, key=lambda item: int(item["snippet"]["position"]))


def build_item(playlist_id: str, video_id: str, position: int) -> Record:
    """An item as YouTube shows it."""
    snippet = {
        "playlistId": playlist_id,
        "channelId": accounts.YOUTUBE_CHANNEL_ID,
        "position": position,
        "resourceId": {"kind": "youtube#video", "videoId": video_id},
    }
    return {"kind": "youtube#playlistItem", "id": f"UEx{secrets.token_hex(10)}", "snippet": snippet}


def _is_there(state: State, playlist_id: str) -> bool:
    playlist = state.get("playlist", playlist_id)
    return playlist is not None and not playlist.get("gone")


def _is_sorted(state: State, playlist_id: str) -> bool:
    """A playlist that YouTube sorts itself: here, one whose id ends in `-sorted`."""
    return playlist_id.endswith("-sorted") and _is_there(state, playlist_id)


def _note(body: dict[str, Any]) -> str:
    return str((body.get("contentDetails") or {}).get("note", ""))
