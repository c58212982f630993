"""What Bluesky's refusals mean for a post. Pure. Errors are JSON: {"error": "Name", "message": "..."}."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import requests

from pregon.channels.answers import ADDRESS, CREDENTIALS, RAW_LIMIT, read_wait
from pregon.channels.transport import was_never_written
from pregon.types import DeliveryState, Outcome

ENDED = ("ExpiredToken", "InvalidToken")


def name_error(body: str) -> str:
    """The error's name, or ""."""
    try:
        value = json.loads(body)
    except ValueError:
        return ""
    return str(value.get("error", "")) if isinstance(value, dict) else ""


def read_refusal(delivery_id: str, status: int, headers: Mapping[str, str], body: str, now: datetime) -> Outcome:
    """The outcome of an answer that is not a success."""
    name, raw = name_error(body), body[:RAW_LIMIT]
    sentence = f"Bluesky answered {status} {name}".strip()
    if status >= 500 or status == 408:
        return Outcome(delivery_id, DeliveryState.UNKNOWN, None, f"{sentence}; it may have been posted", raw)
    if status == 429:
        wait = read_wait(headers, "RateLimit-Reset", now)
        return Outcome(delivery_id, DeliveryState.PENDING, None, sentence, raw, retry_after=wait)
    if name in ENDED:
        return Outcome(delivery_id, DeliveryState.PENDING, None, "the session has ended", raw, retry_after=1.0)
    if "already exists" in body.lower():
        return Outcome(delivery_id, DeliveryState.UNKNOWN, None, "a post with this delivery's key is there", raw)
    if status in (401, 403):
        detail = f"{sentence}: give another app password"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, raw, pause=CREDENTIALS)
    return Outcome(delivery_id, DeliveryState.FAILED, None, f"{sentence}: {raw[:200]}", raw)


def read_trouble(delivery_id: str, error: Exception, now: datetime) -> Outcome:
    """The outcome of a call without an answer that can be read."""
    if isinstance(error, requests.TooManyRedirects):
        detail = "Bluesky's address answers with a redirect, which is refused; correct host"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, repr(error), pause=ADDRESS)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        answer = error.response
        return read_refusal(delivery_id, answer.status_code, answer.headers, answer.text, now)
    if was_never_written(error):
        detail = "Bluesky cannot be reached; nothing was posted"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, repr(error), is_unsent=True)
    detail = "the connection to Bluesky broke before a readable answer; it may have been posted"
    return Outcome(delivery_id, DeliveryState.UNKNOWN, None, detail, repr(error))
