"""The stand-in for X API v2: posts, timeline, counters; pictures are in `x_media`."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pregon.drafts import weighted_length
from pregon.drafts.weight import find_urls
from pregon.sandbox import accounts
from pregon.sandbox.faults import Faults, with_faults
from pregon.sandbox.readers import count_post
from pregon.sandbox.state import Record, State
from pregon.sandbox.x_media import FIRST_ID, invalid, media_routes
from pregon.sandbox.x_signature import is_signed
from pregon.sandbox.x_tokens import TokenStandIn

_POST_FIELDS = {
    "text", "reply", "media", "reply_settings", "made_with_ai", "paid_partnership", "quote_tweet_id", "poll", "geo",
    "for_super_followers_only", "direct_message_deep_link", "community_id", "nullcast", "card_uri",
}  # fmt: skip
# How long X remembers a text is not published; a day is the sandbox's choice.
_DUPLICATE_WINDOW = timedelta(days=1)


def x_routes(state: State, faults: Faults) -> list[Route]:
    """The stand-in's routes."""
    stand_in, tokens = XStandIn(state), TokenStandIn(state, faults)

    def route(path: str, call: Any, method: str, on: str = "read") -> Route:
        async def authorized(request: Request) -> Response:
            is_ours = tokens.knows(request) or await is_signed(request, path)
            return await call(request) if is_ours else _problem(401, "Unauthorized")

        return Route(path, with_faults(faults, "x", authorized, refuse, on), methods=[method])

    return [
        route("/2/tweets", stand_in.post, "POST", "write"),
        route("/2/tweets", stand_in.lookup, "GET"),
        route("/2/users/me", stand_in.me, "GET"),
        route("/2/users/{user_id}/tweets", stand_in.timeline, "GET"),
        *media_routes(state, route),
        Route("/2/oauth2/token", tokens.give, methods=["POST"]),
    ]


def refuse(name: str) -> Response:
    """X's own answer for a fault."""
    if name.startswith("429"):
        reset = str(int(datetime.now(UTC).timestamp()) + 30)
        headers = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}
        return _problem(429, "Too Many Requests", headers=headers if name == "429_with_reset" else None)
    if name == "402":
        detail = "Your enrolled account [1] does not have any credits to fulfill this request."
        return _problem(402, "CreditsDepleted", detail, "https://api.twitter.com/2/problems/credits")
    if name in ("401", "expired_token"):
        return _problem(401, "Unauthorized")
    if name == "reply_403":
        detail = (
            "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged "
            "by the author of the post."
        )
        return _problem(403, "Forbidden", detail)
    if name == "quota_exceeded":
        return _problem(429, "UsageCapExceeded", None, "https://api.twitter.com/2/problems/usage-capped")
    return _problem(403, "Forbidden", "You are not allowed to create a Tweet with duplicate content.")


class XStandIn:
    """Posts and their timeline over the state."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def post(self, request: Request) -> Response:
        """POST /2/tweets."""
        try:
            body = json.loads(await request.body())
        except ValueError:
            return invalid("The request body is not JSON.")
        refusal = self._check(body)
        if refusal:
            return refusal
        post_id = str(FIRST_ID + self._state.next_number())
        record = _build_post(post_id, body)
        self._state.put("post", [(post_id, record)])
        data = {"id": post_id, "text": record["text"], "edit_history_tweet_ids": [post_id]}
        return JSONResponse({"data": data}, 201)

    def _check(self, body: Any) -> Response | None:
        sentence = _find_problem(body)
        if sentence:
            return invalid(sentence)
        parent = (body.get("reply") or {}).get("in_reply_to_tweet_id")
        if parent is not None and self._state.get("post", str(parent)) is None:
            return invalid(f"reply.in_reply_to_tweet_id: there is no post [{parent}].")
        for media_id in (body.get("media") or {}).get("media_ids", []):
            if self._state.get("media", str(media_id)) is None:
                return invalid(f"media.media_ids: [{media_id}] is not valid.")
        since = (datetime.now(UTC) - _DUPLICATE_WINDOW).isoformat()
        text = body.get("text", "")
        if any(post["typed_text"] == text and post["created_at"] > since for post in self._state.all("post")):
            return refuse("duplicate_403")
        return None

    async def lookup(self, request: Request) -> Response:
        """GET /2/tweets?ids=: the posts and, for those that there are not, errors beside them."""
        ids = request.query_params.get("ids", "").split(",")
        if not 1 <= len(ids) <= 100:
            return invalid("ids: 1 to 100 ids.")
        found = [post for post in (self._state.get("post", identity) for identity in ids) if post]
        missing = sorted(set(ids) - {post["id"] for post in found})
        answer: Record = {"data": [self._show(post) for post in found]} if found else {}
        if missing:
            answer["errors"] = [{"title": "Not Found Error", "value": identity} for identity in missing]
        return JSONResponse(answer)

    async def me(self, _request: Request) -> Response:
        """GET /2/users/me."""
        data = {"id": accounts.X_USER_ID, "name": "Tidal Cities Network", "username": accounts.X_USERNAME}
        return JSONResponse({"data": data})

    async def timeline(self, request: Request) -> Response:
        """GET /2/users/{id}/tweets: newest first, in pages."""
        if request.path_params["user_id"] != accounts.X_USER_ID:
            return JSONResponse({"errors": [{"title": "Not Found Error"}]})
        since = request.query_params.get("start_time")
        start = int(request.query_params.get("pagination_token", "0"))
        size = int(request.query_params.get("max_results", "10"))
        limit = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
        posts = [p for p in reversed(self._state.all("post")) if datetime.fromisoformat(p["created_at"]) >= limit]
        page = [self._show(post) for post in posts[start : start + size]]
        meta: Record = {"result_count": len(page)}
        if start + size < len(posts):
            meta["next_token"] = str(start + size)
        return JSONResponse({"data": page, "meta": meta} if page else {"meta": meta})

    def _show(self, post: Record) -> Record:
        public = {name: value for name, value in post.items() if name not in ("typed_text", "media_ids")}
        return public | {"public_metrics": count_post(post["id"], self._state.count("round"))}


def _find_problem(body: Any) -> str | None:
    """The first published rule that the body of a post breaks."""
    if not isinstance(body, dict):
        return "The request body is not an object."
    unknown = sorted(set(body) - _POST_FIELDS)
    if unknown:
        return f"[{unknown[0]}] is not a property of a post."
    text, media = body.get("text", ""), (body.get("media") or {}).get("media_ids", [])
    if not isinstance(text, str) or not (text.strip() or media):
        return "One of text or media is required."
    if weighted_length(text) > 280:
        return "text: longer than 280 weighted characters."
    if len(media) > 4:
        return "media.media_ids: 1 to 4 ids."
    cashtags = [word for word in text.split() if word[:1] == "$" and word[1:].isalpha()]
    return "text: at most one cashtag." if len(cashtags) > 1 else None


def _build_post(post_id: str, body: Record) -> Record:
    text, links = _shorten(body.get("text", ""), post_id)
    record: Record = {
        "id": post_id,
        "author_id": accounts.X_USER_ID,
        "text": text,
        "typed_text": body.get("text", ""),
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "edit_history_tweet_ids": [post_id],
        "media_ids": (body.get("media") or {}).get("media_ids", []),
    }
    if links:
        record["entities"] = {"urls": links}
    parent = (body.get("reply") or {}).get("in_reply_to_tweet_id")
    if parent:
        record["referenced_tweets"] = [{"type": "replied_to", "id": str(parent)}]
    return record


def _shorten(text: str, post_id: str) -> tuple[str, list[Record]]:
    """The text as X stores it: `&`, `<` and `>` escaped, each link a t.co address, and what those stand for."""
    pieces, links, position = [], [], 0
    for number, (start, end) in enumerate(find_urls(text)):
        full = text[start:end]
        code = hashlib.sha256(f"{post_id}/{number}".encode()).hexdigest()[:10]
        expanded = full if "://" in full else f"http://{full}"
        links.append({"url": f"https://t.co/{code}", "expanded_url": expanded, "display_url": full[:30]})
        pieces += [_escape(text[position:start]), f"https://t.co/{code}"]
        position = end
    return "".join(pieces) + _escape(text[position:]), links


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _problem(
    status: int,
    title: str,
    detail: str | None = None,
    kind: str = "about:blank",
    headers: dict[str, str] | None = None,
) -> Response:
    return JSONResponse({"title": title, "detail": detail or title, "type": kind, "status": status}, status, headers)
