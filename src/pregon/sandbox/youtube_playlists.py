"""The stand-in's playlists: listed, created, retitled, deleted. Two may be called alike, as on YouTube."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pregon.sandbox import accounts
from pregon.sandbox.state import Record, State
from pregon.sandbox.youtube_answers import answer_error, answer_page, list_parts, read_body
from pregon.sandbox.youtube_items import NO_PLAYLIST, build_item, list_items

MAX_TITLE = 150
MAX_DESCRIPTION = 5000
_PRIVACIES = ("public", "unlisted", "private")


class PlaylistStandIn:
    """Playlists over the state, beginning with those of the sandbox's account."""

    def __init__(self, state: State) -> None:
        self._state = state
        if not state.count("playlist"):
            self._begin()

    def _begin(self) -> None:
        for playlist_id, (title, videos) in accounts.PLAYLISTS.items():
            self._state.put("playlist", [(playlist_id, {"id": playlist_id, "title": title})])
            items = [build_item(playlist_id, video_id, position) for position, video_id in enumerate(videos)]
            self._state.put("playlist_item", [(item["id"], item) for item in items], status="first")

    async def list_page(self, request: Request) -> Response:
        """GET playlists by id, or mine."""
        wanted = request.query_params.get("id")
        parts = list_parts(request) | {"kind", "id"}
        shown = [
            {name: value for name, value in self._show(playlist).items() if name in parts}
            for playlist in self._state.all("playlist")
            if not playlist.get("gone") and (wanted is None or playlist["id"] in wanted.split(","))
        ]
        return answer_page(shown, "playlist", request)

    async def insert(self, request: Request) -> Response:
        """POST playlists."""
        body = await read_body(request)
        refusal = _check(body, list_parts(request))
        if refusal or body is None:
            return refusal or answer_error(400, "parseError", "Parse Error")
        playlist = _build(f"PLx{secrets.token_hex(15)}", body)
        self._state.put("playlist", [(playlist["id"], playlist)])
        return JSONResponse(self._show(playlist))

    async def update(self, request: Request) -> Response:
        """PUT playlists: what a part that is sent leaves out is gone."""
        body = await read_body(request)
        parts = list_parts(request)
        before = self._find(str((body or {}).get("id", "")))
        if before is None:
            return answer_error(*NO_PLAYLIST)
        refusal = _check(body, parts)
        if refusal or body is None:
            return refusal or answer_error(400, "parseError", "Parse Error")
        sent = _build(before["id"], body)
        names = {"snippet": ("title", "description", "language"), "localizations": ("localizations",),
                 "status": ("privacy",)}  # fmt: skip
        changed = {name: sent[name] for part in parts if part in names for name in names[part]}
        self._state.put("playlist", [(before["id"], before | changed)])
        return JSONResponse(self._show(before | changed))

    async def delete(self, request: Request) -> Response:
        """DELETE playlists by id."""
        playlist = self._find(request.query_params.get("id", ""))
        if playlist is None:
            return answer_error(*NO_PLAYLIST)
        self._state.put("playlist", [(playlist["id"], playlist | {"gone": True})])
        return Response(status_code=204)

    def _find(self, playlist_id: str) -> Record | None:
        playlist = self._state.get("playlist", playlist_id)
        return playlist if playlist and not playlist.get("gone") else None

    def _show(self, playlist: Record) -> Record:
        snippet = {
            "channelId": accounts.YOUTUBE_CHANNEL_ID,
            "title": playlist["title"],
            "description": playlist.get("description", ""),
            "publishedAt": playlist.get("published_at", "2026-01-01T00:00:00Z"),
        }
        if playlist.get("language"):
            snippet["defaultLanguage"] = playlist["language"]
        return {
            "kind": "youtube#playlist",
            "id": playlist["id"],
            "snippet": snippet,
            "status": {"privacyStatus": playlist.get("privacy", "public")},
            "contentDetails": {"itemCount": len(list_items(self._state, playlist["id"]))},
            "localizations": playlist.get("localizations", {}),
        }


def _build(playlist_id: str, body: Record) -> Record:
    snippet = body.get("snippet") or {}
    return {
        "id": playlist_id,
        "title": snippet.get("title", ""),
        "description": snippet.get("description", ""),
        "language": snippet.get("defaultLanguage", ""),
        "localizations": body.get("localizations") or {},
        "privacy": (body.get("status") or {}).get("privacyStatus", "private"),
        "published_at": datetime.now(UTC).isoformat(),
    }


def _check(body: Record | None, parts: set[str]) -> Response | None:
    if body is None:
        return answer_error(400, "parseError", "Parse Error")
    snippet: Any = body.get("snippet")
    if "snippet" not in parts or not isinstance(snippet, dict):
        return answer_error(400, "required", "The part parameter must name snippet.")
    title, localizations = str(snippet.get("title", "")), body.get("localizations") or {}
    privacy = (body.get("status") or {}).get("privacyStatus", "public")
    rules = (
        (not title.strip(), "playlistTitleRequired", "The request must specify a playlist title."),
        (len(title) > MAX_TITLE or set(title) & set("<>"), "invalidPlaylistSnippet", "The title is not valid."),
        (
            len(str(snippet.get("description", ""))) > MAX_DESCRIPTION,
            "invalidPlaylistSnippet",
            "The description is too long.",
        ),
        (privacy not in _PRIVACIES, "invalidPlaylistSnippet", "The privacy status is not valid."),
        (
            bool(localizations) and not snippet.get("defaultLanguage"),
            "defaultLanguageNotSet",
            "A playlist with localized texts needs a default language.",
        ),
        (bool(set(body) - parts - {"id", "kind", "etag"}), "unexpectedPart", "A part is sent that part does not name."),
    )
    for is_broken, reason, sentence in rules:
        if is_broken:
            return answer_error(400, reason, sentence)
    return None
