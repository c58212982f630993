"""The stand-in for X's pictures: one request for a still one, segments for a GIF, and alt texts.

Source: X's description of API v2 (MediaUploadRequestOneShot, MediaUploadConfigRequest, MediaUploadAppendRequest).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pregon.sandbox.state import Record, State

FIRST_ID = 1_990_000_000_000_000_000
_PICTURE_BYTES, _GIF_BYTES = 5_000_000, 15_000_000
_ONE_SHOT = {"media", "media_category", "shared", "additional_owners"}
_START = {"media_category", "media_type", "total_bytes", "shared", "additional_owners"}


def media_routes(state: State, route: Callable[..., Route]) -> list[Route]:
    """The routes of pictures; `route` puts a call at its path, signed in and with its faults."""
    stand_in = MediaStandIn(state)
    return [
        route("/2/media/upload", stand_in.upload, "POST", "upload"),
        route("/2/media/upload", stand_in.status, "GET"),
        route("/2/media/upload/initialize", stand_in.start, "POST", "upload"),
        route("/2/media/upload/{id}/append", stand_in.append, "POST", "upload"),
        route("/2/media/upload/{id}/finalize", stand_in.finish, "POST", "upload"),
        route("/2/media/metadata", stand_in.describe, "POST", "upload"),
    ]


class MediaStandIn:
    """Pictures over the state: `media` holds what can be posted, `media_parts` what is still on its way."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def upload(self, request: Request) -> Response:
        """POST /2/media/upload: a still picture in one request."""
        body = json.loads(await request.body())
        data = _decode(body.get("media"))
        unknown = sorted(set(body) - _ONE_SHOT)
        if unknown or body.get("media_category") != "tweet_image" or data[:4] == b"GIF8":
            return invalid(f"media_category: a tweet_image of a still picture ({', '.join(unknown) or 'no GIF'}).")
        if not data or len(data) > _PICTURE_BYTES:
            return invalid("media: base64 of at most 5 MB.")
        return _answer(self._keep(self._new_id(), data))

    async def start(self, request: Request) -> Response:
        """POST /2/media/upload/initialize: what a GIF will be."""
        body = json.loads(await request.body())
        size = body.get("total_bytes")
        is_gif = (body.get("media_category"), body.get("media_type")) == ("tweet_gif", "image/gif")
        if set(body) - _START or not is_gif or not isinstance(size, int) or not 0 < size <= _GIF_BYTES:
            return invalid("a tweet_gif with its total_bytes, at most 15 MB.")
        media_id = self._new_id()
        self._state.put("media_parts", [(media_id, {"id": media_id, "size": size, "segments": {}})])
        return _answer({"id": media_id, "size": size})

    async def append(self, request: Request) -> Response:
        """POST /2/media/upload/{id}/append: one segment."""
        body = json.loads(await request.body())
        parts = self._state.get("media_parts", request.path_params["id"])
        index = body.get("segment_index")
        if parts is None or not _decode(body.get("media")) or not isinstance(index, int) or not 0 <= index <= 999:
            return invalid("media and segment_index of a picture that was begun.")
        parts["segments"][str(index)] = body["media"]
        self._state.put("media_parts", [(parts["id"], parts)])
        return JSONResponse({"data": {"expires_at": 4_000_000_000}})

    async def finish(self, request: Request) -> Response:
        """POST /2/media/upload/{id}/finalize: the segments become a picture, which is then worked on."""
        parts = self._state.get("media_parts", request.path_params["id"])
        if parts is None:
            return invalid("there is no such picture.")
        segments = sorted(parts["segments"].items(), key=lambda entry: int(entry[0]))
        data = b"".join(_decode(segment) for _, segment in segments)
        if [int(index) for index, _ in segments] != list(range(len(segments))) or len(data) != parts["size"]:
            return invalid("the segments are not the total_bytes that were announced.")
        record = self._keep(parts["id"], data)
        return _answer(record, {"state": "in_progress", "check_after_secs": 0, "progress_percent": 10})

    async def status(self, request: Request) -> Response:
        """GET /2/media/upload?command=STATUS: whether a picture is ready."""
        record = self._state.get("media", request.query_params.get("media_id", ""))
        if record is None or request.query_params.get("command", "STATUS") != "STATUS":
            return invalid("media_id: there is no such picture.")
        return _answer(record, {"state": "succeeded", "progress_percent": 100})

    async def describe(self, request: Request) -> Response:
        """POST /2/media/metadata: the alt text of a picture."""
        body = json.loads(await request.body())
        record = self._state.get("media", str(body.get("id")))
        text = ((body.get("metadata") or {}).get("alt_text") or {}).get("text")
        if record is None or not isinstance(text, str) or len(text) > 1000:
            return invalid("metadata.alt_text.text: at most 1000 characters, for a known id.")
        self._state.put("media", [(record["id"], record | {"alt_text": text})])
        return JSONResponse({"data": {"id": record["id"], "associated_metadata": body["metadata"]}})

    def _new_id(self) -> str:
        return str(FIRST_ID + self._state.next_number())

    def _keep(self, media_id: str, data: bytes) -> Record:
        record = {"id": media_id, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "alt_text": None}
        self._state.put("media", [(media_id, record)])
        return record


def _decode(text: Any) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, TypeError):
        return b""


def _answer(record: Record, working: Record | None = None) -> Response:
    data = {"id": record["id"], "media_key": f"3_{record['id']}", "size": record["size"]}
    return JSONResponse({"data": data | ({"processing_info": working} if working else {})})


def invalid(sentence: str) -> Response:
    """X's answer to a request that breaks a rule."""
    problem = {
        "errors": [{"parameters": {}, "message": sentence}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    }
    return JSONResponse(problem, 400)
