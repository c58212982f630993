"""The shapes of YouTube's answers: pages, errors, and what a request body holds."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pregon.sandbox.state import Record


def answer_page(items: list[Record], kind: str, request: Request | None = None) -> Response:
    """One page of a list. With `request`, its maxResults and pageToken are obeyed."""
    query = request.query_params if request else {}
    start, size = int(query.get("pageToken", "0")), int(query.get("maxResults", "5")) if request else len(items)
    page = items[start : start + size]
    answer: Record = {
        "kind": f"youtube#{kind}ListResponse",
        "pageInfo": {"totalResults": len(items), "resultsPerPage": len(page)},
        "items": page,
    }
    if start + size < len(items):
        answer["nextPageToken"] = str(start + size)
    return JSONResponse(answer)


def answer_error(status: int, reason: str, message: str) -> Response:
    """A refusal with YouTube's word for the reason."""
    errors = [{"message": message, "domain": "youtube", "reason": reason}]
    return JSONResponse({"error": {"code": status, "message": message, "errors": errors}}, status)


async def read_body(request: Request) -> Record | None:
    """The JSON object of a request, or None when it is none."""
    try:
        body: Any = json.loads(await request.body())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def list_parts(request: Request) -> set[str]:
    """The parts that a write sets."""
    return set(request.query_params.get("part", "").split(","))
