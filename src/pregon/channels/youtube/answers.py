"""What YouTube's refusals mean for a playlist change. Pure but for the day that ends at midnight Pacific."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import google.auth.exceptions
import requests
from googleapiclient.errors import HttpError

from pregon.channels.answers import ADDRESS, CREDENTIALS, QUOTA, RAW_LIMIT, read_wait
from pregon.channels.transport import was_never_written
from pregon.channels.youtube.quota import PACIFIC, QuotaGoneError, write_reset
from pregon.types import DeliveryState, Outcome

# What googleapiclient, google-auth and requests raise, and what an unreadable answer raises.
Trouble = (
    HttpError,
    google.auth.exceptions.GoogleAuthError,
    requests.RequestException,
    ValueError,
    KeyError,
    TypeError,
)

ALREADY_THERE = "videoAlreadyInPlaylist"
GONE_ALREADY = "playlistItemNotFound"
SORTED_BY_YOUTUBE = "manualSortRequired"
_RATE_LIMITS = {"rateLimitExceeded", "userRateLimitExceeded"}
_QUOTAS = {"quotaExceeded", "dailyLimitExceeded"}
# 403 answers that are about this playlist or video and will not change.
_REFUSALS = {
    "playlistContainsMaximumNumberOfVideos",
    "playlistItemsNotAccessible",
    "playlistForbidden",
    "maxPlaylistExceeded",
}


def read_trouble(delivery_id: str, error: Exception, now: datetime, *, is_write: bool) -> Outcome:
    """The outcome of a call that did not succeed. A read that failed changed nothing: pending instead of unknown."""
    outcome = _read(delivery_id, error, now)
    if outcome.state is DeliveryState.UNKNOWN and not is_write:
        detail = "YouTube could not be read first, so nothing was changed"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, outcome.raw)
    return outcome


def _read(delivery_id: str, error: Exception, now: datetime) -> Outcome:
    raw = repr(error)[:RAW_LIMIT]
    if isinstance(error, HttpError):
        return _read_refusal(delivery_id, error, now)
    if isinstance(error, QuotaGoneError):
        return _wait_for_quota(delivery_id, str(error), "", now)
    if isinstance(error, requests.TooManyRedirects):
        detail = "YouTube's address answers with a redirect, which is refused"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, raw, pause=ADDRESS)
    if isinstance(error, google.auth.exceptions.RefreshError) and not error.retryable:
        detail = "YouTube's authorisation has ended: connect the channel again"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, raw, pause=CREDENTIALS)
    if isinstance(error, google.auth.exceptions.GoogleAuthError) or was_never_written(error):
        detail = "YouTube cannot be reached; nothing was changed"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, raw, is_unsent=True)
    detail = "the connection to YouTube broke before a readable answer; it may have been done"
    return Outcome(delivery_id, DeliveryState.UNKNOWN, None, detail, raw)


def _read_refusal(delivery_id: str, error: HttpError, now: datetime) -> Outcome:
    status, reason, raw = int(error.resp.status), read_reason(error), error.content.decode("utf-8", "replace")
    detail = _sentence(error) or f"YouTube answered {status}"
    if status >= 500 or status == 408:
        return _make(delivery_id, DeliveryState.UNKNOWN, f"{detail}; it may have been done", raw)
    if reason in _QUOTAS:
        return _wait_for_quota(delivery_id, "the daily quota is used up", raw, now)
    if reason == SORTED_BY_YOUTUBE:
        detail = "YouTube sorts this playlist itself; leave `position` out in config/playbooks.yaml, or sort it by hand"
        return _make(delivery_id, DeliveryState.FAILED, detail, raw)
    if status == 429 or reason in _RATE_LIMITS:
        wait = read_wait({name.title(): value for name, value in error.resp.items()}, "", now)
        return _make(delivery_id, DeliveryState.PENDING, detail, raw, wait)
    if status == 401 or (status == 403 and reason not in _REFUSALS):
        return _make(delivery_id, DeliveryState.PENDING, detail, raw, pause=CREDENTIALS)
    return _make(delivery_id, DeliveryState.FAILED, detail, raw)


def _wait_for_quota(delivery_id: str, why: str, raw: str, now: datetime) -> Outcome:
    wait = seconds_to_quota_reset(now)
    detail = f"YouTube: {why}; it goes on by itself after {write_reset(now, wait)}"
    return _make(delivery_id, DeliveryState.PENDING, detail, raw, wait, QUOTA)


def _make(
    delivery_id: str,
    state: DeliveryState,
    detail: str,
    raw: str,
    retry_after: float | None = None,
    pause: str | None = None,
) -> Outcome:
    return Outcome(delivery_id, state, None, detail, raw[:RAW_LIMIT], retry_after, pause)


def seconds_to_quota_reset(now: datetime) -> float:
    """YouTube gives new quota at midnight Pacific."""
    local = now.astimezone(PACIFIC)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.timestamp() - now.timestamp()


def read_reason(error: HttpError) -> str:
    """YouTube's word for what is wrong, e.g. quotaExceeded; empty when it gives none."""
    errors = _error(error).get("errors")
    return str(errors[0].get("reason", "")) if isinstance(errors, list) and errors else ""


def _sentence(error: HttpError) -> str:
    return str(_error(error).get("message", ""))


def _error(error: HttpError) -> dict[str, Any]:
    try:
        found = json.loads(error.content)["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
