"""The stand-in for YouTube Data API v3 and Google's token endpoint: who may call, what it costs, and videos.

Playlists and their items are in `youtube_playlists` and `youtube_items`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pregon.sandbox import accounts
from pregon.sandbox.faults import Faults, with_faults
from pregon.sandbox.readers import count_video
from pregon.sandbox.state import State
from pregon.sandbox.youtube_answers import answer_error, answer_page
from pregon.sandbox.youtube_items import ItemStandIn
from pregon.sandbox.youtube_playlists import PlaylistStandIn

_VIDEO_ID = re.compile(r"^[A-Za-z0-9_-]{11}$")
# What YouTube publishes: a read costs 1 unit, a write of these methods 50; refused calls cost, too.
READ_UNITS, WRITE_UNITS = 1, 50


def youtube_routes(state: State, faults: Faults) -> list[Route]:
    """The stand-in's routes."""
    stand_in = YouTubeStandIn(state, faults)
    playlists, items = PlaylistStandIn(state), ItemStandIn(state, is_video)

    def route(path: str, call: Any, method: str) -> Route:
        on = "read" if method == "GET" else "write"

        async def authorized(request: Request) -> Response:
            stand_in.charge(READ_UNITS if on == "read" else WRITE_UNITS)
            return await call(request) if stand_in.knows(request) else refuse("401")

        return Route(f"/youtube/v3/{path}", with_faults(faults, "youtube", authorized, refuse, on), methods=[method])

    calls: dict[str, dict[str, Callable[[Request], Any]]] = {
        "playlistItems": {"GET": items.list_page, "POST": items.insert, "PUT": items.update, "DELETE": items.delete},
        "playlists": {
            "GET": playlists.list_page,
            "POST": playlists.insert,
            "PUT": playlists.update,
            "DELETE": playlists.delete,
        },
        "videos": {"GET": stand_in.list_videos},
        "channels": {"GET": stand_in.list_channels},
    }
    routes = [route(path, call, method) for path, by_method in calls.items() for method, call in by_method.items()]
    return [Route("/token", stand_in.give_token, methods=["POST"]), *routes]


def refuse(name: str) -> Response:
    """YouTube's own answer for a fault."""
    if name == "quota_exceeded":
        return answer_error(
            403, "quotaExceeded", "The request cannot be completed because you have exceeded your quota."
        )
    if name.startswith("429"):
        return answer_error(429, "rateLimitExceeded", "Too many requests.")
    if name == "401":
        return answer_error(401, "authError", "Request had invalid authentication credentials.")
    return answer_error(403, "forbidden", "The request is not properly authorized.")


def is_video(video_id: str) -> bool:
    """Any well-formed id is a video here, except those that begin with `gone`."""
    return bool(_VIDEO_ID.match(video_id)) and not video_id.startswith("gone")


class YouTubeStandIn:
    """Tokens, costs and videos."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults
        self._tokens: set[str] = set()

    def knows(self, request: Request) -> bool:
        """Whether the request carries a token that was given out."""
        return request.headers.get("Authorization", "").removeprefix("Bearer ") in self._tokens

    def charge(self, units: int) -> None:
        """Count what a call costs, beside how often each path was called."""
        self._faults.requests["youtube units"] += units

    async def give_token(self, request: Request) -> Response:
        """POST /token: an access token for the refresh token."""
        await self._faults.note("youtube", request)
        form = await request.form()
        given = (form.get("client_id"), form.get("client_secret"), form.get("refresh_token"))
        known = (accounts.YOUTUBE_CLIENT_ID, accounts.YOUTUBE_CLIENT_SECRET, accounts.YOUTUBE_REFRESH_TOKEN)
        if self._faults.take("youtube", "token") or given != known:
            problem = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return JSONResponse(problem, 400)
        token = f"ya29.{secrets.token_urlsafe(16)}"
        self._tokens.add(token)
        return JSONResponse({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    async def list_channels(self, _request: Request) -> Response:
        """GET channels of one's own: the one that the token is for."""
        snippet = {"title": accounts.YOUTUBE_TITLE}
        return answer_page(
            [{"kind": "youtube#channel", "id": accounts.YOUTUBE_CHANNEL_ID, "snippet": snippet}], "channel"
        )

    async def list_videos(self, request: Request) -> Response:
        """GET videos by id: the parts asked for. Counts are in strings, and so is whether there are captions.

        A video whose id begins with `mute` has no captions.
        """
        rounds = self._state.count("round")
        parts = set(request.query_params.get("part", "").split(","))
        ids = [identity for identity in request.query_params.get("id", "").split(",") if is_video(identity)]
        videos = [
            {
                "kind": "youtube#video",
                "id": identity,
                "snippet": {"title": f"Video {identity}", "channelId": accounts.YOUTUBE_CHANNEL_ID},
                "contentDetails": {"caption": "false" if identity.startswith("mute") else "true"},
                "statistics": count_video(identity, rounds),
            }
            for identity in ids
        ]
        kept = [{name: value for name, value in video.items() if name in parts | {"kind", "id"}} for video in videos]
        return answer_page(kept, "video")
