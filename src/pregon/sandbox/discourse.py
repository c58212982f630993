"""The stand-in for a Discourse forum: topics under external ids, uploads, a moderator's queue, and a topic's counters.

Rules as a new forum has them: titles of 15 to 255 characters, of which each is used once; texts of 20 to 32,000; external
ids of at most 50 letters, digits, - and _; the same request within two minutes gets the same answer.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pregon.sandbox import accounts
from pregon.sandbox.faults import Endpoint, Faults, with_faults
from pregon.sandbox.state import Record, State

_FIRST_ID = 4000
_FIELDS = {"title", "raw", "category", "external_id", "tags"}
_EXTERNAL_ID = re.compile(r"[\w-]{1,50}")
_UPLOAD = re.compile(r"!\[[^\]]*\]\((upload://[^)]+)\)")
_REMEMBERED = timedelta(minutes=2)
_PICTURE_BYTES = 4_194_304


def discourse_routes(state: State, faults: Faults) -> list[Route]:
    """The stand-in's routes."""
    stand_in = DiscourseStandIn(state)

    def guard(call: Any, on: str = "read") -> Endpoint:
        async def authorized(request: Request) -> Response:
            given = (request.headers.get("api-key"), request.headers.get("api-username"))
            return await call(request) if given == (accounts.DISCOURSE_KEY, accounts.DISCOURSE_USER) else refuse("401")

        return with_faults(faults, "discourse", authorized, refuse, on)

    def route(path: str, call: Any, method: str, on: str = "read") -> Route:
        return Route(path, guard(call, on), methods=[method])

    async def post(request: Request) -> Response:
        # A topic waits for a moderator whatever else happens to the answer.
        waits = faults.take("discourse", "write", only="queued")
        return await guard(stand_in.enqueue if waits else stand_in.post, "write")(request)

    return [
        Route("/posts.json", post, methods=["POST"]),
        route("/posts/{user}/pending.json", stand_in.show_pending, "GET"),
        route("/uploads.json", stand_in.upload, "POST", "upload"),
        route("/t/external_id/{key}.json", stand_in.find, "GET"),
        route("/t/{id:int}.json", stand_in.show, "GET"),
    ]


def refuse(name: str) -> Response:
    """Discourse's own answer for a fault."""
    if name.startswith("429"):
        headers = {"Retry-After": "30"} if name == "429_with_reset" else None
        answer: Record = {"errors": ["You've performed this action too many times."], "error_type": "rate_limit"}
        return JSONResponse(answer | ({"extras": {"wait_seconds": 30}} if headers else {}), 429, headers)
    if name in ("401", "expired_token") or name.endswith("403"):
        said = "You are not permitted to view the requested resource. The API username or key is invalid."
        return JSONResponse({"errors": [said], "error_type": "invalid_access"}, 403)
    return _refuse("The forum takes no topics now.")


class DiscourseStandIn:
    """Topics and uploads over the state."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def post(self, request: Request) -> Response:
        """POST /posts.json: a new topic."""
        body = json.loads(await request.body())
        signature = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        known = self._state.get("topic_answer", signature)
        if known and datetime.fromisoformat(known["at"]) > datetime.now(UTC) - _REMEMBERED:
            return JSONResponse(known["answer"])
        problem = self._find_problem(body)
        if problem:
            return _refuse(problem)
        number = _FIRST_ID + self._state.next_number()
        at = datetime.now(UTC).isoformat()
        self._state.put("topic", [(body["external_id"], body | {"id": number, "created_at": at})])
        answer = {"id": number + 1, "topic_id": number, "post_number": 1, "raw": body["raw"], "created_at": at}
        self._state.put("topic_answer", [(signature, {"answer": answer, "at": at})])
        return JSONResponse(answer)

    async def enqueue(self, request: Request) -> Response:
        """POST /posts.json of an account whose topics a moderator has to approve: kept without its external id."""
        body = json.loads(await request.body())
        number, at = _FIRST_ID + self._state.next_number(), datetime.now(UTC).isoformat()
        waiting = {"id": number, "title": body["title"], "raw_text": body["raw"], "category_id": body["category"]}
        self._state.put("pending_topic", [(str(number), waiting | {"created_at": at, "topic_id": None})])
        return JSONResponse({"success": True, "action": "enqueued", "pending_count": 1})

    async def show_pending(self, request: Request) -> Response:
        """GET /posts/USER/pending.json: what of this account waits for a moderator."""
        if request.path_params["user"] != accounts.DISCOURSE_USER:
            return _missing()
        return JSONResponse({"pending_posts": self._state.all("pending_topic")})

    def _find_problem(self, body: Any) -> str | None:
        unknown = sorted(set(body) - _FIELDS)
        title, raw, key = str(body.get("title", "")), str(body.get("raw", "")), str(body.get("external_id", ""))
        tags = body.get("tags", [])
        problems = {
            f"{', '.join(unknown)}: not a parameter": bool(unknown),
            "Title is too short (minimum is 15 characters)": len(title) < 15,
            "Title is too long (maximum is 255 characters)": len(title) > 255,
            "Body is too short (minimum is 20 characters)": len(raw.strip()) < 20,
            "Body is limited to 32000 characters": len(raw) > 32_000,
            "Category can't be blank": not isinstance(body.get("category"), int) or body.get("category") == 0,
            "External is invalid": not _EXTERNAL_ID.fullmatch(key),
            "External has already been taken": self._state.get("topic", key) is not None,
            "Title has already been used": any(each["title"] == title for each in self._state.all("topic")),
            "Tags are a list of names": not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags),
            "An upload is not known": any(
                self._state.get("upload", address) is None for address in _UPLOAD.findall(raw)
            ),
        }
        return next((sentence for sentence, is_wrong in problems.items() if is_wrong), None)

    async def upload(self, request: Request) -> Response:
        """POST /uploads.json: a picture for a post."""
        async with request.form() as form:
            file = form.get("file")
            if form.get("upload_type") != "composer" or not isinstance(file, UploadFile):
                return _refuse("upload_type and file are needed.")
            data = await file.read()
        if not 0 < len(data) <= _PICTURE_BYTES:
            return _refuse("The picture is too big (maximum size is 4 MB).")
        address = f"upload://{hashlib.sha256(data).hexdigest()[:27]}.png"
        self._state.put("upload", [(address, {"short_url": address, "size": len(data), "name": file.filename})])
        return JSONResponse({"id": 1, "short_url": address, "original_filename": file.filename})

    async def find(self, request: Request) -> Response:
        """GET /t/external_id/ID.json: leads to the topic."""
        topic = self._state.get("topic", request.path_params["key"])
        if topic is None:
            return _missing()
        return RedirectResponse(f"{request.base_url}t/a-topic-of-2026/{topic['id']}.json", 301)

    async def show(self, request: Request) -> Response:
        """GET /t/ID.json: the topic with its counters."""
        number = request.path_params["id"]
        topic = next((each for each in self._state.all("topic") if each["id"] == number), None)
        if topic is None:
            return _missing()
        counted = {"views": 41, "like_count": 3, "posts_count": 3, "reply_count": 1}
        return JSONResponse({"id": number, "title": topic["title"], "category_id": topic["category"]} | counted)


def _refuse(sentence: str) -> Response:
    return JSONResponse({"action": "create_post", "errors": [sentence]}, 422)


def _missing() -> Response:
    said = "The requested URL or resource could not be found."
    return JSONResponse({"errors": [said], "error_type": "not_found"}, 404)
