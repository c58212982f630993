"""Find out what became of mails whose answer was lost, by reading SendGrid's Email Logs. Sends nothing.

The log has one entry per recipient and keeps our delivery id in `custom_args`; the search is by category and time.
"""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from typing import Any

import sendgrid
from python_http_client.exceptions import HTTPError

from pregon.channels.answers import is_settled_absence, spread
from pregon.channels.clock import CLOCK_SKEW, check_clock
from pregon.channels.sendgrid.payload import DELIVERY_ARGUMENT
from pregon.types import DeliveryState, Outcome, Outgoing, Shipment

SEARCH_LIMIT = 1000


def settle_mail(
    client: sendgrid.SendGridAPIClient, shipment: Shipment, now: datetime, grace_seconds: float
) -> tuple[Outcome, ...]:
    """Sent for each delivery that the log knows; pending when it knows none of them after `grace_seconds`.

    A request is accepted as a whole, so as soon as one of its deliveries is found the missing ones stay unknown.
    """
    try:
        found = _find(client, shipment)
    except (HTTPError, OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        detail = "SendGrid's log could not be read"
        return spread(shipment.deliveries, DeliveryState.UNKNOWN, detail, raw=repr(error))
    absent = not found and is_settled_absence(shipment.deliveries, now, grace_seconds)
    return tuple(_judge(delivery, found.get(delivery.delivery_id), absent) for delivery in shipment.deliveries)


def _judge(delivery: Outgoing, message_id: str | None, absent: bool) -> Outcome:
    if message_id:
        request_id = message_id.split(".", 1)[0]
        return Outcome(delivery.delivery_id, DeliveryState.SENT, request_id, "found in SendGrid's log", message_id)
    if absent:
        return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, "SendGrid's log has none of this request")
    return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, "not in SendGrid's log yet")


def _find(client: sendgrid.SendGridAPIClient, shipment: Shipment) -> dict[str, str]:
    """Delivery id -> sg_message_id of those that the log knows."""
    wanted = {delivery.delivery_id for delivery in shipment.deliveries}
    addresses = {delivery.address.lower() for delivery in shipment.deliveries}
    found: dict[str, str] = {}
    for message in _search(client, shipment):
        if str(message.get("to_email", "")).lower() not in addresses or wanted <= found.keys():
            continue
        message_id = str(message["sg_message_id"])
        details = _read(client.client.logs._(message_id).get())
        delivery_id = (details.get("custom_args") or {}).get(DELIVERY_ARGUMENT)
        if delivery_id in wanted:
            found[delivery_id] = message_id
    return found


def _search(client: sendgrid.SendGridAPIClient, shipment: Shipment) -> list[dict[str, Any]]:
    base = _conditions(shipment)
    messages = _query(client, base)
    if len(messages) < SEARCH_LIMIT:
        return messages
    # More than one answer holds: ask for each address. The log offers no cursor.
    return [
        message
        for delivery in shipment.deliveries
        for message in _query(client, [*base, f'to_email = "{_quotable(delivery.address)}"'])
    ]


def _conditions(shipment: Shipment) -> list[str]:
    conditions = [f"categories IN ('{shipment.content.campaign.replace(chr(39), '')}')"]
    times = [delivery.attempted_at for delivery in shipment.deliveries if delivery.attempted_at]
    if times:
        since = (min(times) - CLOCK_SKEW).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions.append(f'sg_message_id_created_at >= TIMESTAMP "{since}"')
    return conditions


def _quotable(text: str) -> str:
    return text.replace('"', "").replace("\\", "")


def _query(client: sendgrid.SendGridAPIClient, conditions: list[str]) -> list[dict[str, Any]]:
    request = {"query": " AND ".join(conditions), "limit": SEARCH_LIMIT}
    messages = _read(client.client.logs.post(request_body=request)).get("messages", [])
    return [message for message in messages if isinstance(message, dict)]


def _read(response: Any) -> dict[str, Any]:
    check_clock(response.headers.get("Date"))
    value = json.loads(response.body)
    if not isinstance(value, dict):
        raise TypeError("SendGrid's log answered something else than an object")
    return value
