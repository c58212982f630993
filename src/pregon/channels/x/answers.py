"""What X's refusals mean for a post. Pure: an HTTP status, headers and body in, an outcome out.

X describes problems as RFC 7807 documents (`title`, `detail`, `type`) or as a list of `errors`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pregon.channels.answers import ADDRESS, CREDENTIALS, CREDIT, RAW_LIMIT, read_wait
from pregon.types import DeliveryState, Outcome

_REPLY_REFUSED = "reply to this conversation is not allowed"
_DUPLICATE = "duplicate content"


def read_refusal(delivery_id: str, status: int, headers: Mapping[str, str], body: str, now: datetime) -> Outcome:
    """The outcome of an answer that is not a success."""
    problem = _problem(body)
    state, pause = _classify(status, problem)
    detail = _sentence(problem) or f"X answered {status}"
    if state is DeliveryState.UNKNOWN:
        detail = f"{detail}; it may have been posted"
    # A cap on spending or posts ends when a person raises it or the month ends, not with the rate limit's window.
    wait = read_wait(headers, "x-rate-limit-reset", now) if status == 429 and pause is None else None
    if pause == CREDIT:
        detail = f"X posts nothing more until credit is added or the cap is raised ({detail})"
    return Outcome(delivery_id, state, None, detail, body[:RAW_LIMIT], wait, pause)


def is_reply_refused(body: str) -> bool:
    """Whether X refused a post for being a reply."""
    return _REPLY_REFUSED in _sentence(_problem(body)).lower()


def is_duplicate(body: str) -> bool:
    """Whether X refused a post for having its text already."""
    return _DUPLICATE in _sentence(_problem(body)).lower()


def _classify(status: int, problem: dict[str, Any]) -> tuple[DeliveryState, str | None]:
    text = f"{problem.get('type', '')} {problem.get('title', '')} {problem.get('detail', '')}".lower()
    if status >= 500 or status == 408 or (status == 403 and _DUPLICATE in text):
        return DeliveryState.UNKNOWN, None
    if status == 403 and _REPLY_REFUSED in text:
        return DeliveryState.FAILED, None
    if status == 402 or (status in (403, 429) and "usage-capped" in text):
        return DeliveryState.PENDING, CREDIT
    if status in (401, 403):
        return DeliveryState.PENDING, CREDENTIALS
    if 300 <= status < 400:
        return DeliveryState.PENDING, ADDRESS
    return (DeliveryState.PENDING, None) if status == 429 else (DeliveryState.FAILED, None)


def _problem(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _sentence(problem: dict[str, Any]) -> str:
    errors = problem.get("errors")
    known = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    messages = [str(error["message"]) for error in known if "message" in error]
    return "; ".join(messages) or str(problem.get("detail") or problem.get("title") or "")
