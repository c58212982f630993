"""SendGrid's Email Logs: one entry per recipient, searched by conditions that all hold. Reads only; judges nothing.

An answer has at most `SEARCH_LIMIT` entries and no way to ask for the next ones, so a full one may hide what is wanted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sendgrid

from pregon.channels.clock import check_clock
from pregon.channels.sendgrid.payload import DELIVERY_ARGUMENT

# The largest that is published for POST /v3/logs.
SEARCH_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail in the log. `address` is in lower case; `created_at` is None when it cannot be read."""

    message_id: str
    address: str
    created_at: datetime | None

    @property
    def request_id(self) -> str:
        """What the mails of one request have in common: the X-Message-Id that it was answered with."""
        return self.message_id.split(".", 1)[0]


@dataclass(frozen=True, slots=True)
class Details:
    """What the log keeps of one mail that we need: whether it shows our arguments at all, and which delivery they name.

    `is_cancelled`: it was called back before its time and never left.
    """

    is_told: bool
    delivery_id: str | None
    is_cancelled: bool


class Log:
    """The log, as far as it is of one campaign."""

    def __init__(self, client: sendgrid.SendGridAPIClient, campaign: str) -> None:
        self._client, self._category = client, f"categories IN ('{campaign.replace(chr(39), '')}')"

    def search(self, *conditions: str) -> tuple[tuple[Entry, ...], bool]:
        """The entries that meet the conditions, and whether these are all of them. Raises what the client raises."""
        query = " AND ".join((self._category, *conditions))
        answer = _read(self._client.client.logs.post(request_body={"query": query, "limit": SEARCH_LIMIT}))
        messages = [message for message in answer["messages"] if isinstance(message, dict)]
        return tuple(map(_read_entry, messages)), len(messages) < SEARCH_LIMIT

    def read(self, entry: Entry) -> Details:
        """The details of one mail. Raises what the client raises."""
        details = _read(self._client.client.logs._(entry.message_id).get())
        arguments = details.get("custom_args")
        told = arguments if isinstance(arguments, dict) else {}
        events = [event.get("event") for event in details.get("events") or () if isinstance(event, dict)]
        return Details(bool(told), told.get(DELIVERY_ARGUMENT), "cancel_drop" in events)


def is_quotable(text: str) -> bool:
    """Whether a text can stand in a condition as it is: nothing is published of how a quote would be written in one."""
    return '"' not in text and "\\" not in text


def _read_entry(message: dict[str, Any]) -> Entry:
    return Entry(
        str(message["sg_message_id"]),
        str(message.get("to_email", "")).lower(),
        _read_time(str(message.get("sg_message_id_created_at", ""))),
    )


def _read_time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _read(response: Any) -> dict[str, Any]:
    check_clock(response.headers.get("Date"))
    value = json.loads(response.body)
    if not isinstance(value, dict):
        raise TypeError("SendGrid's log answered something else than an object")
    return value
