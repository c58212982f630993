"""The stand-in for a Mastodon server: statuses, media, the account and its own statuses."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pregon.drafts import post_length
from pregon.sandbox import accounts
from pregon.sandbox.faults import Faults, with_faults
from pregon.sandbox.state import Record, State
from pregon.types import ChannelName

_FIRST_ID = 115_000_000_000_000_000
_ACCOUNT_ID = "109000000000000001"
_LIMIT = 500
_KEY_LIVES = timedelta(hours=1)
_LINK = re.compile(r"https?://[^\s<]+[^\s<.,:;\"')\]]")


def mastodon_routes(state: State, faults: Faults) -> list[Route]:
    """The stand-in's routes."""
    stand_in = MastodonStandIn(state)

    def route(path: str, call: Any, method: str, on: str = "read") -> Route:
        async def authorized(request: Request) -> Response:
            is_ours = request.headers.get("authorization") == f"Bearer {accounts.MASTODON_TOKEN}"
            return await call(request) if is_ours else refuse("401")

        return Route(path, with_faults(faults, "mastodon", authorized, refuse, on), methods=[method])

    return [
        route("/api/v1/statuses", stand_in.post, "POST", "write"),
        route("/api/v1/statuses/{id}", stand_in.show, "GET"),
        route("/api/v1/accounts/verify_credentials", stand_in.me, "GET"),
        route("/api/v1/accounts/{id}/statuses", stand_in.own, "GET"),
        route("/api/v2/media", stand_in.upload, "POST", "upload"),
        route("/api/v1/media/{id}", stand_in.show_media, "GET"),
    ]


def refuse(name: str) -> Response:
    """Mastodon's own answer for a fault."""
    if name.startswith("429"):
        reset = (datetime.now(UTC) + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return JSONResponse({"error": "Too many requests"}, 429, headers if name == "429_with_reset" else None)
    if name in ("401", "expired_token"):
        return JSONResponse({"error": "The access token is invalid"}, 401)
    if name.endswith("403"):
        return JSONResponse({"error": "This action is not allowed"}, 403)
    return JSONResponse({"error": "Validation failed: refused"}, 422)


class MastodonStandIn:
    """Statuses and media over the state."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def post(self, request: Request) -> Response:
        """POST /api/v1/statuses; the same Idempotency-Key within an hour answers with the same status."""
        key = request.headers.get("idempotency-key", "")
        known = self._state.get("toot_key", key) if key else None
        if known and datetime.fromisoformat(known["at"]) > datetime.now(UTC) - _KEY_LIVES:
            return JSONResponse(_shown(self._state.get("toot", known["id"]) or {}))
        body = await request.json()
        problem = self._find_problem(body)
        if problem:
            return problem
        identity = str(_FIRST_ID + self._state.next_number())
        record = _build_status(identity, body)
        self._state.put("toot", [(identity, record)])
        self._state.put("toot_key", [(key, {"id": identity, "at": record["created_at"]})] if key else [])
        return JSONResponse(_shown(record))

    def _find_problem(self, body: Any) -> Response | None:
        text, media = str(body.get("status", "")), body.get("media_ids", [])
        if not text.strip() and not media:
            return JSONResponse({"error": "Validation failed: Text can't be blank"}, 422)
        if post_length(text, ChannelName.MASTODON) > _LIMIT:
            return JSONResponse({"error": "Validation failed: Text character limit of 500 exceeded"}, 422)
        parent = body.get("in_reply_to_id")
        if parent and self._state.get("toot", str(parent)) is None:
            return JSONResponse({"error": "The post you are trying to reply to does not appear to exist."}, 404)
        if len(media) > 4 or any(self._state.get("toot_media", str(name)) is None for name in media):
            return JSONResponse({"error": "Validation failed: media"}, 422)
        if any((self._state.get("toot_media", str(name)) or {}).get("is_working") for name in media):
            said = "Cannot attach files that have not finished processing. Try again in a moment!"
            return JSONResponse({"error": said}, 422)
        return None

    async def show(self, request: Request) -> Response:
        """GET /api/v1/statuses/:id."""
        record = self._state.get("toot", request.path_params["id"])
        return JSONResponse(_shown(record)) if record else JSONResponse({"error": "Record not found"}, 404)

    async def me(self, _request: Request) -> Response:
        """GET /api/v1/accounts/verify_credentials."""
        return JSONResponse({"id": _ACCOUNT_ID, "username": "tidalcities", "acct": "tidalcities"})

    async def own(self, request: Request) -> Response:
        """GET /api/v1/accounts/:id/statuses: newest first, in pages."""
        limit = min(40, int(request.query_params.get("limit", "20")))
        before = int(request.query_params.get("max_id", str(10**30)))
        posts = [post for post in reversed(self._state.all("toot")) if int(post["id"]) < before]
        return JSONResponse([_shown(post) for post in posts[:limit]])

    async def upload(self, request: Request) -> Response:
        """POST /api/v2/media: a picture with its description. An animated one is worked through afterwards."""
        async with request.form() as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                return JSONResponse({"error": "Validation failed: File can't be blank"}, 422)
            size, text = len(await file.read()), str(form.get("description", ""))
            is_working = file.content_type == "image/gif"
        identity = str(_FIRST_ID + self._state.next_number())
        kept = {"id": identity, "size": size, "description": text, "is_working": is_working}
        self._state.put("toot_media", [(identity, kept)])
        return JSONResponse({"id": identity, "type": "image", "description": text}, 202 if is_working else 200)

    async def show_media(self, request: Request) -> Response:
        """GET /api/v1/media/:id: 206 while it is worked through, which the second look finds done."""
        kept = self._state.get("toot_media", request.path_params["id"])
        if kept is None:
            return JSONResponse({"error": "Record not found"}, 404)
        self._state.put("toot_media", [(kept["id"], kept | {"is_working": False})])
        return JSONResponse({"id": kept["id"], "type": "gifv"}, 206 if kept["is_working"] else 200)


def _build_status(identity: str, body: Any) -> Record:
    return {
        "id": identity,
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "typed_text": str(body.get("status", "")),
        "language": body.get("language"),
        "visibility": body.get("visibility", "public"),
        "in_reply_to_id": body.get("in_reply_to_id"),
        "media_ids": body.get("media_ids", []),
    }


def _shown(record: Record) -> Record:
    counts = {"favourites_count": 3, "reblogs_count": 2, "replies_count": 1}
    public = {name: value for name, value in record.items() if name != "typed_text"}
    return public | counts | {"content": _as_html(str(record.get("typed_text", "")))}


def _as_html(text: str) -> str:
    """A status as Mastodon shows it: paragraphs, and links whose scheme is hidden."""
    escaped = html.escape(text, quote=True)
    linked = _LINK.sub(lambda found: _as_link(found[0]), escaped)
    paragraphs = [part.replace("\n", "<br />") for part in linked.split("\n\n")]
    return "".join(f"<p>{part}</p>" for part in paragraphs)


def _as_link(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f'<a href="{address}"><span class="invisible">{scheme}://</span><span>{rest}</span></a>'
