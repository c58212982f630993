"""The stand-in for a Bluesky account's server: sessions, records under their keys, blobs, counters."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pregon.drafts import post_length
from pregon.sandbox import accounts
from pregon.sandbox.faults import Faults, with_faults
from pregon.sandbox.state import Record, State
from pregon.types import ChannelName

_DID = "did:plc:sandboxtidalcities000000"
_TOKEN = "sandbox-bluesky-session"  # noqa: S105 - made up
_KEY = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_COLLECTION = "app.bsky.feed.post"
_MAX_BLOB = 1_000_000


def bluesky_routes(state: State, faults: Faults) -> list[Route]:
    """The stand-in's routes."""
    stand_in = BlueskyStandIn(state)

    def route(name: str, call: Any, method: str, on: str = "read", *, is_open: bool = False) -> Route:
        async def authorized(request: Request) -> Response:
            is_ours = is_open or request.headers.get("authorization") == f"Bearer {_TOKEN}"
            return await call(request) if is_ours else _error(401, "AuthenticationRequired", "Invalid token")

        return Route(f"/xrpc/{name}", with_faults(faults, "bluesky", authorized, refuse, on), methods=[method])

    return [
        route("com.atproto.server.createSession", stand_in.open, "POST", "session", is_open=True),
        route("com.atproto.repo.createRecord", stand_in.create, "POST", "write"),
        route("com.atproto.repo.uploadBlob", stand_in.upload, "POST", "upload"),
        route("com.atproto.repo.getRecord", stand_in.show, "GET"),
        route("app.bsky.feed.getPosts", stand_in.count, "GET"),
    ]


def refuse(name: str) -> Response:
    """Bluesky's own answer for a fault."""
    if name.startswith("429"):
        headers = {"Retry-After": "30"} if name == "429_with_reset" else None
        return JSONResponse({"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, 429, headers)
    if name == "expired_token":
        return _error(400, "ExpiredToken", "Token has expired")
    if name == "401":
        return _error(401, "AuthenticationRequired", "Invalid identifier or password")
    return _error(400, "InvalidRequest", "refused")


class BlueskyStandIn:
    """Posts over the state."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def open(self, request: Request) -> Response:
        """Open a session with an app password."""
        body = await request.json()
        if (body.get("identifier"), body.get("password")) != (accounts.BLUESKY_HANDLE, accounts.BLUESKY_PASSWORD):
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        return JSONResponse({"did": _DID, "handle": accounts.BLUESKY_HANDLE, "accessJwt": _TOKEN, "refreshJwt": "x"})

    async def create(self, request: Request) -> Response:
        """Write a record under a key that is not taken."""
        body = await request.json()
        key, record = str(body.get("rkey", "")), body.get("record") or {}
        problem = self._find_problem(body, key, record)
        if problem:
            return _error(400, "InvalidRequest", problem)
        address = f"at://{_DID}/{_COLLECTION}/{key}"
        cid = "bafy" + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:40]
        self._state.put("skeet", [(key, {"uri": address, "cid": cid, "value": record})])
        return JSONResponse({"uri": address, "cid": cid})

    def _find_problem(self, body: Record, key: str, record: Record) -> str | None:
        text = str(record.get("text", ""))
        if body.get("repo") != _DID or body.get("collection") != _COLLECTION or not _KEY.fullmatch(key):
            return "Invalid repo, collection or record key"
        if self._state.get("skeet", key):
            return "Record already exists"
        if post_length(text, ChannelName.BLUESKY) > 300 or len(text.encode()) > 3000:
            return "Record/text must not be longer than 300 graphemes"
        if any(not _is_facet(facet, text.encode()) for facet in record.get("facets", [])):
            return "Record/facets: wrong index"
        references = [*(record.get("reply") or {}).values()]
        known = {(each["uri"], each["cid"]) for each in self._state.all("skeet")}
        if any((each["uri"], each["cid"]) not in known for each in references):
            return "Record/reply: unknown post"
        return None

    async def upload(self, request: Request) -> Response:
        """Keep a picture."""
        data = await request.body()
        if not data or len(data) > _MAX_BLOB:
            return _error(400, "BlobTooLarge", "This file is too large.")
        link = "bafk" + hashlib.sha256(data).hexdigest()[:40]
        self._state.put("blob", [(link, {"link": link, "size": len(data)})])
        kind = request.headers.get("content-type", "")
        return JSONResponse({"blob": {"$type": "blob", "ref": {"$link": link}, "mimeType": kind, "size": len(data)}})

    async def show(self, request: Request) -> Response:
        """One record by its key."""
        record = self._state.get("skeet", request.query_params.get("rkey", ""))
        return JSONResponse(record) if record else _error(400, "RecordNotFound", "Could not locate record")

    async def count(self, request: Request) -> Response:
        """Posts with their counters; what is not there is left out."""
        wanted = request.query_params.getlist("uris")
        counts = {"likeCount": 3, "repostCount": 2, "replyCount": 1, "quoteCount": 0}
        posts = [{"uri": each["uri"], **counts} for each in self._state.all("skeet") if each["uri"] in wanted]
        return JSONResponse({"posts": posts}) if len(wanted) <= 25 else _error(400, "InvalidRequest", "at most 25")


def _is_facet(facet: Record, text: bytes) -> bool:
    start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
    shown = text[start:end].decode("utf-8", "replace")
    return all(shown in (feature.get("uri"), f"#{feature.get('tag')}") for feature in facet["features"])


def _error(status: int, name: str, message: str) -> Response:
    return JSONResponse({"error": name, "message": message}, status)
