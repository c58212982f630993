"""The stand-in for YouTube Data API v3 and Google's token endpoint: playlists, their items, video statistics."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pregon.sandbox import accounts
from pregon.sandbox.faults import Faults, with_faults
from pregon.sandbox.readers import count_video
from pregon.sandbox.state import Record, State

_VIDEO_ID = re.compile(r"^[A-Za-z0-9_-]{11}$")
MAX_ITEMS = 5000
MAX_NOTE = 280


def youtube_routes(state: State, faults: Faults) -> list[Route]:
    """The stand-in's routes. A fault `expired_token` waits for the token endpoint."""
    stand_in = YouTubeStandIn(state, faults)

    def route(path: str, call: Any, method: str, on: str = "read") -> Route:
        async def authorized(request: Request) -> Response:
            return await call(request) if stand_in.knows(request) else refuse("401")

        return Route(f"/youtube/v3/{path}", with_faults(faults, "youtube", authorized, refuse, on), methods=[method])

    return [
        Route("/token", stand_in.give_token, methods=["POST"]),
        route("playlistItems", stand_in.list_items, "GET"),
        route("playlistItems", stand_in.insert_item, "POST", "write"),
        route("playlists", stand_in.list_playlists, "GET"),
        route("videos", stand_in.list_videos, "GET"),
    ]


def refuse(name: str) -> Response:
    """YouTube's own answer for a fault."""
    if name == "quota_exceeded":
        return _error(403, "quotaExceeded", "The request cannot be completed because you have exceeded your quota.")
    if name.startswith("429"):
        return _error(429, "rateLimitExceeded", "Too many requests.")
    if name == "401":
        return _error(401, "authError", "Request had invalid authentication credentials.")
    return _error(403, "forbidden", "The request is not properly authorized.")


class YouTubeStandIn:
    """Playlists, items and videos over the state."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults
        self._tokens: set[str] = set()
        if not state.count("playlist"):
            self._begin()

    def _begin(self) -> None:
        for playlist_id, (title, videos) in accounts.PLAYLISTS.items():
            self._state.put("playlist", [(playlist_id, {"id": playlist_id, "title": title})])
            items = [_build_item(playlist_id, video_id, position) for position, video_id in enumerate(videos)]
            self._state.put("playlist_item", [(item["id"], item) for item in items], status="first")

    def knows(self, request: Request) -> bool:
        """Whether the request carries a token that was given out."""
        return request.headers.get("Authorization", "").removeprefix("Bearer ") in self._tokens

    async def give_token(self, request: Request) -> Response:
        """POST /token: an access token for the refresh token."""
        self._faults.requests["youtube POST /token"] += 1
        form = await request.form()
        given = (form.get("client_id"), form.get("client_secret"), form.get("refresh_token"))
        known = (accounts.YOUTUBE_CLIENT_ID, accounts.YOUTUBE_CLIENT_SECRET, accounts.YOUTUBE_REFRESH_TOKEN)
        if self._faults.take("youtube", "token") or given != known:
            problem = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return JSONResponse(problem, 400)
        token = f"ya29.{secrets.token_urlsafe(16)}"
        self._tokens.add(token)
        return JSONResponse({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    async def list_items(self, request: Request) -> Response:
        """GET playlistItems by playlistId (and videoId) or by id."""
        query = request.query_params
        if "id" in query:
            found = [self._state.get("playlist_item", identity) for identity in query["id"].split(",")]
            return _page([item for item in found if item], "playlistItem")
        if self._state.get("playlist", query.get("playlistId", "")) is None:
            return _error(404, "playlistNotFound", "The playlist cannot be found.")
        items = self._items(query["playlistId"])
        if "videoId" in query:
            items = [item for item in items if item["snippet"]["resourceId"]["videoId"] == query["videoId"]]
        return _page(items[: int(query.get("maxResults", "5"))], "playlistItem")

    def _items(self, playlist_id: str) -> list[Record]:
        return [item for item in self._state.all("playlist_item") if item["snippet"]["playlistId"] == playlist_id]

    async def insert_item(self, request: Request) -> Response:
        """POST playlistItems. An ordinary playlist takes the same video twice."""
        try:
            body = json.loads(await request.body())
        except ValueError:
            return _error(400, "parseError", "Parse Error")
        refusal = self._check(body, request.query_params.get("part", ""))
        if refusal:
            return refusal
        playlist_id, video_id = body["snippet"]["playlistId"], body["snippet"]["resourceId"]["videoId"]
        item = _build_item(playlist_id, video_id, len(self._items(playlist_id)))
        self._state.put("playlist_item", [(item["id"], item)], status="added")
        return JSONResponse(item)

    def _check(self, body: Any, parts: str) -> Response | None:
        snippet = body.get("snippet") if isinstance(body, dict) else None
        if "snippet" not in parts.split(",") or not isinstance(snippet, dict):
            return _error(400, "required", "The part parameter must name snippet.")
        resource = snippet.get("resourceId") or {}
        rules = (
            (not snippet.get("playlistId"), "playlistIdRequired", "The request does not specify a playlist ID."),
            (not resource, "resourceIdRequired", "The request must name a resource."),
            (resource.get("kind") != "youtube#video", "invalidResourceType", "The resource type is not supported."),
            ("position" in snippet, "manualSortRequired", "The playlist is not sorted manually."),
            (len(_note(body)) > MAX_NOTE, "invalidContentDetails", "The note is too long."),
        )
        for is_broken, reason, sentence in rules:
            if is_broken:
                return _error(400, reason, sentence)
        return self._check_target(str(snippet["playlistId"]), str(resource.get("videoId", "")))

    def _check_target(self, playlist_id: str, video_id: str) -> Response | None:
        if self._state.get("playlist", playlist_id) is None:
            return _error(404, "playlistNotFound", "The playlist cannot be found.")
        if not _is_video(video_id):
            return _error(404, "videoNotFound", "The video cannot be found.")
        if len(self._items(playlist_id)) >= MAX_ITEMS:
            sentence = "The playlist already contains the maximum allowed number of items."
            return _error(403, "playlistContainsMaximumNumberOfVideos", sentence)
        return None

    async def list_playlists(self, request: Request) -> Response:
        """GET playlists by id, or mine."""
        wanted = request.query_params.get("id")
        playlists = [
            {"kind": "youtube#playlist", "id": playlist["id"], "snippet": {"title": playlist["title"]}}
            for playlist in self._state.all("playlist")
            if wanted is None or playlist["id"] in wanted.split(",")
        ]
        return _page(playlists, "playlist")

    async def list_videos(self, request: Request) -> Response:
        """GET videos by id: statistics as YouTube gives them, numbers in strings."""
        rounds = self._state.count("round")
        ids = [identity for identity in request.query_params.get("id", "").split(",") if _is_video(identity)]
        videos = [
            {"kind": "youtube#video", "id": identity, "statistics": count_video(identity, rounds)} for identity in ids
        ]
        return _page(videos, "video")


def _note(body: Record) -> str:
    return str((body.get("contentDetails") or {}).get("note", ""))


def _is_video(video_id: str) -> bool:
    """Any well-formed id is a video here, except those that begin with `gone`."""
    return bool(_VIDEO_ID.match(video_id)) and not video_id.startswith("gone")


def _build_item(playlist_id: str, video_id: str, position: int) -> Record:
    snippet = {
        "playlistId": playlist_id,
        "channelId": accounts.YOUTUBE_CHANNEL_ID,
        "position": position,
        "resourceId": {"kind": "youtube#video", "videoId": video_id},
    }
    return {"kind": "youtube#playlistItem", "id": f"UEx{secrets.token_hex(10)}", "snippet": snippet}


def _page(items: list[Record], kind: str) -> Response:
    info = {"totalResults": len(items), "resultsPerPage": len(items)}
    return JSONResponse({"kind": f"youtube#{kind}ListResponse", "pageInfo": info, "items": items})


def _error(status: int, reason: str, message: str) -> Response:
    error = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "youtube", "reason": reason}],
    }
    return JSONResponse({"error": error}, status)
