"""One Mail Send call for one shipment, and what SendGrid's answer says of each delivery. Never raises for the provider."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sendgrid
from python_http_client.exceptions import HTTPError

from pregon.channels.answers import ADDRESS, CREDENTIALS, CREDIT, read_wait, spread
from pregon.channels.sendgrid.client import was_never_written
from pregon.channels.sendgrid.payload import build_payload, find_oversize, write_body
from pregon.types import DeliveryState, Outcome, Outgoing, SameOutcome, Shipment

# The last two: whoever answers there has no Mail Send, so no mail of any newsletter is wrong.
_PAUSES = {401: CREDENTIALS, 402: CREDIT, 403: CREDENTIALS, 404: ADDRESS, 405: ADDRESS}
_PERSONALIZATION = re.compile(r"^personalizations\.(\d+)\.")


def send_mail(client: sendgrid.SendGridAPIClient, shipment: Shipment, now: datetime) -> Sequence[Outcome]:
    """Send once. 2xx is sent; what is uncertain is unknown, what certainly was not done is pending."""
    body = write_body(shipment)
    problem = find_oversize(len(shipment.deliveries), len(body))
    if problem:
        return spread(shipment.deliveries, DeliveryState.HELD, f"{problem}: send it in smaller batches")
    try:
        response = client.client.mail.send.post_json(body)
    except HTTPError as error:
        return read_refusal(shipment.deliveries, int(error.status_code), error.headers or {}, _decode(error.body), now)
    except (OSError, http.client.HTTPException) as error:
        return read_fault(shipment.deliveries, error)
    message_id = response.headers.get("X-Message-Id")
    if 200 <= response.status_code < 300:
        detail = "SendGrid accepted it"
        if shipment.leaves_at:
            detail = f"SendGrid has it; it leaves at {shipment.leaves_at:%Y-%m-%d %H:%M} UTC"
        sent = Outcome("", DeliveryState.SENT, message_id or None, detail, leaves_at=shipment.leaves_at)
        return SameOutcome(shipment.deliveries, sent)
    return read_refusal(shipment.deliveries, response.status_code, response.headers, _decode(response.body), now)


def try_mail(client: sendgrid.SendGridAPIClient, shipment: Shipment) -> str:
    """Let SendGrid check a mail in its sandbox mode, in which it sends nothing. What is wrong, "" for nothing.

    Published: 200 instead of 202 when the key, the sender and the content are accepted.
    """
    payload = build_payload(shipment) | {"mail_settings": {"sandbox_mode": {"enable": True}}}
    try:
        response = client.client.mail.send.post_json(json.dumps(payload).encode())
    except HTTPError as error:
        return _sentence(_decode(error.body)) or f"SendGrid answered {error.status_code}"
    except (OSError, http.client.HTTPException):
        return "SendGrid cannot be reached"
    return "" if response.status_code == 200 else f"SendGrid answered {response.status_code}"


def read_fault(deliveries: Sequence[Outgoing], error: BaseException) -> tuple[Outcome, ...]:
    """The outcome of a call that got no answer."""
    if was_never_written(error):
        detail = "SendGrid cannot be reached; nothing was sent"
        return spread(deliveries, DeliveryState.PENDING, detail, raw=repr(error), is_unsent=True)
    detail = "the connection to SendGrid broke before its answer; it may have been sent"
    return spread(deliveries, DeliveryState.UNKNOWN, detail, raw=repr(error))


def read_refusal(
    deliveries: Sequence[Outgoing], status: int, headers: Mapping[str, str], body: str, now: datetime
) -> tuple[Outcome, ...]:
    """The outcome of an answer that is not a success."""
    sentence = _sentence(body) or f"SendGrid answered {status}"
    if status >= 500 or status == 408:
        detail = f"SendGrid answered {status}; it may have been sent"
        return spread(deliveries, DeliveryState.UNKNOWN, detail, raw=body)
    if status == 429:
        wait = read_wait(headers, "X-RateLimit-Reset", now)
        return spread(deliveries, DeliveryState.PENDING, sentence, raw=body, retry_after=wait)
    pause = _PAUSES.get(status, ADDRESS if 300 <= status < 400 else None)
    if pause:
        return spread(deliveries, DeliveryState.PENDING, sentence, raw=body, pause=pause)
    return _blame(deliveries, body) or spread(deliveries, DeliveryState.FAILED, sentence, raw=body)


def _blame(deliveries: Sequence[Outgoing], body: str) -> tuple[Outcome, ...] | None:
    """A 400 refuses the whole request; when it names the wrong personalizations, only those have failed.

    For the others it was no attempt: SendGrid may name one wrong recipient at a time.
    """
    errors = _errors(body)
    places = [_PERSONALIZATION.match(str(error.get("field") or "")) for error in errors]
    if not errors or not all(places) or len(deliveries) == 1:
        return None
    wrong = {int(place[1]): str(error.get("message")) for place, error in zip(places, errors, strict=True) if place}
    if min(wrong) >= len(deliveries):
        return None
    return tuple(
        Outcome(delivery.delivery_id, DeliveryState.FAILED, None, wrong[index], body[:4000])
        if index in wrong
        else Outcome(
            delivery.delivery_id, DeliveryState.PENDING, None, "another recipient stopped this request", is_unsent=True
        )
        for index, delivery in enumerate(deliveries)
    )


def _errors(body: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(body).get("errors")
    except (ValueError, AttributeError):
        return []
    return [error for error in found if isinstance(error, dict)] if isinstance(found, list) else []


def _sentence(body: str) -> str:
    return "; ".join(str(error.get("message")) for error in _errors(body) if error.get("message"))


def _decode(body: Any) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
