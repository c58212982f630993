"""What a Discourse forum's answers mean for a topic. Pure. Refusals are JSON: {"errors": [...], "error_type": "..."}."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests

from pregon.channels.answers import ADDRESS, CREDENTIALS, RAW_LIMIT, read_wait
from pregon.channels.transport import was_never_written
from pregon.types import DeliveryState, Outcome

QUEUED = (
    "held: the forum keeps this topic until a moderator approves it. Approve it there and mark it as sent, or reject it "
    "there and cancel the draft; give the account a trust level that needs no approval"
)


def read_created(delivery_id: str, body: str) -> Outcome:
    """The outcome of an answer that is a success: the topic is there, or waits for a moderator."""
    value = _read(body)
    if value.get("action") == "enqueued":
        return Outcome(delivery_id, DeliveryState.HELD, None, QUEUED, body[:RAW_LIMIT], in_doubt=True)
    if "topic_id" in value:
        return Outcome(delivery_id, DeliveryState.SENT, str(value["topic_id"]), "posted", body[:RAW_LIMIT])
    detail = "the forum's answer cannot be read; the topic may have been posted"
    return Outcome(delivery_id, DeliveryState.UNKNOWN, None, detail, body[:RAW_LIMIT])


def read_refusal(delivery_id: str, status: int, headers: Mapping[str, str], body: str, now: datetime) -> Outcome:
    """The outcome of an answer that is not a success."""
    said, raw = "; ".join(str(error) for error in _read(body).get("errors") or []), body[:RAW_LIMIT]
    sentence = f"the forum answered {status}: {said}" if said else f"the forum answered {status}"
    if status >= 500 or status == 408:
        return Outcome(delivery_id, DeliveryState.UNKNOWN, None, f"{sentence}; it may have been posted", raw)
    if status == 429:
        wait = _read_wait(headers, body, now)
        return Outcome(delivery_id, DeliveryState.PENDING, None, sentence, raw, retry_after=wait)
    if status in (401, 403):
        detail = f"{sentence}: the API key is not, or no longer, allowed to post as this account"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, raw, pause=CREDENTIALS)
    return Outcome(delivery_id, DeliveryState.FAILED, None, sentence, raw)


def read_trouble(delivery_id: str, error: Exception, now: datetime) -> Outcome:
    """The outcome of a call without an answer that can be read."""
    if isinstance(error, requests.TooManyRedirects):
        detail = "the forum's address answers with a redirect, which is refused; correct host"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, repr(error), pause=ADDRESS)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        answer = error.response
        return read_refusal(delivery_id, answer.status_code, answer.headers, answer.text, now)
    if was_never_written(error):
        detail = "the forum cannot be reached; nothing was posted"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, repr(error), is_unsent=True)
    detail = "the connection to the forum broke before a readable answer; the topic may have been posted"
    return Outcome(delivery_id, DeliveryState.UNKNOWN, None, detail, repr(error))


def _read_wait(headers: Mapping[str, str], body: str, now: datetime) -> float:
    """The forum says how long to wait in Retry-After, or in `extras.wait_seconds` of its answer."""
    extras = _read(body).get("extras")
    seconds = extras.get("wait_seconds") if isinstance(extras, dict) else None
    if "Retry-After" not in headers and isinstance(seconds, int | float):
        return max(0.0, float(seconds))
    return read_wait(headers, "", now)


def _read(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
