"""Post one thread part on Mastodon, once. Never raises for the server or the network."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests

from pregon.channels.answers import ADDRESS, CREDENTIALS, DEFAULT_WAIT, RAW_LIMIT
from pregon.channels.mastodon.client import Client
from pregon.channels.threads import without_post
from pregon.channels.transport import was_never_written
from pregon.types import DeliveryState, Media, Outcome, Outgoing, PostPart

MAX_MEDIA = 4
# Seconds between two looks at a picture that the server works through, and after how many it is given up for now.
_LOOK_EVERY = 0.5
MAX_WAIT = 30.0


def build_status(part: PostPart, delivery: Outgoing, language: str, media_ids: list[str]) -> dict[str, Any]:
    """The JSON of a status. Pure."""
    body: dict[str, Any] = {"status": part.text, "visibility": "public"}
    if language:
        body["language"] = language
    if delivery.reply_to_id:
        body["in_reply_to_id"] = delivery.reply_to_id
    if media_ids:
        body["media_ids"] = media_ids
    return body


def send_post(client: Client, part: PostPart, delivery: Outgoing, language: str, now: datetime) -> Outcome:
    """Upload the part's pictures, then post it as a reply to the part before."""
    media_ids: list[str] = []
    for media in part.media[:MAX_MEDIA]:
        uploaded = _call(delivery, now, lambda picture=media: _upload(client, picture))
        if uploaded.state is not DeliveryState.SENT or not uploaded.provider_id:
            return without_post(uploaded)
        media_ids.append(uploaded.provider_id)
    body = build_status(part, delivery, language, media_ids)
    return _call(delivery, now, lambda: client.post_status(body, delivery.delivery_id))


def _upload(client: Client, media: Media) -> requests.Response:
    """The answer about a picture that can be posted: an animated one is taken (202) and then worked through (206)."""
    answer, waited = client.post_media(media), 0.0
    while answer.status_code in (202, 206):
        if waited >= MAX_WAIT:
            raise requests.Timeout(repr(answer))
        time.sleep(_LOOK_EVERY)
        waited += _LOOK_EVERY
        answer = client.look_at_media(str(answer.json()["id"]))
    return answer


def _call(delivery: Outgoing, now: datetime, ask: Any) -> Outcome:
    try:
        answer: requests.Response = ask()
    except requests.TooManyRedirects as error:
        detail = "the server's address answers with a redirect, which is refused; correct host"
        return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, detail, repr(error), pause=ADDRESS)
    except (requests.RequestException, KeyError, TypeError) as error:
        return _read_loss(delivery, error)
    if not answer.ok:
        return read_refusal(delivery.delivery_id, answer.status_code, answer.headers, answer.text, now)
    try:
        return Outcome(
            delivery.delivery_id, DeliveryState.SENT, str(answer.json()["id"]), "posted", answer.text[:RAW_LIMIT]
        )
    except (ValueError, KeyError, TypeError):
        detail = "Mastodon's answer cannot be read; it may have been posted"
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, detail, answer.text[:RAW_LIMIT])


def _read_loss(delivery: Outgoing, error: Exception) -> Outcome:
    if was_never_written(error):
        detail = "the Mastodon server cannot be reached; nothing was posted"
        return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, detail, repr(error), is_unsent=True)
    detail = "the connection to Mastodon broke before a readable answer; it may have been posted"
    return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, detail, repr(error))


def read_refusal(delivery_id: str, status: int, headers: Mapping[str, str], body: str, now: datetime) -> Outcome:
    """The outcome of an answer that is not a success. Pure."""
    sentence = f"Mastodon answered {status}"
    raw = body[:RAW_LIMIT]
    if status >= 500 or status == 408:
        return Outcome(delivery_id, DeliveryState.UNKNOWN, None, f"{sentence}; it may have been posted", raw)
    if status == 429:
        return Outcome(delivery_id, DeliveryState.PENDING, None, sentence, raw, retry_after=_wait(headers, now))
    if status in (401, 403):
        detail = f"{sentence}: the token is not, or no longer, allowed to post"
        return Outcome(delivery_id, DeliveryState.PENDING, None, detail, raw, pause=CREDENTIALS)
    return Outcome(delivery_id, DeliveryState.FAILED, None, f"{sentence}: {raw[:200]}", raw)


def _wait(headers: Mapping[str, str], now: datetime) -> float:
    """Mastodon says when the limit ends as an ISO 8601 time."""
    try:
        reset = datetime.fromisoformat(headers["X-RateLimit-Reset"].replace("Z", "+00:00"))
        return max(0.0, (reset - now).total_seconds())
    except (KeyError, ValueError, TypeError):
        return DEFAULT_WAIT
