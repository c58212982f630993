"""What SendGrid is told of addresses: never to write to them again, to write again, to forget them.

Every call may be repeated without harm, so an unknown outcome is simply tried again. Sources: the official
descriptions of `POST /v3/asm/suppressions/global`, `DELETE /v3/asm/suppressions/global/{email}`,
`DELETE /v3/suppression/{bounces,blocks,invalid_emails}/{email}` and `POST /v3/recipients/erasejob` (at most 5,000 addresses
or 256 KB a request, 100 requests a minute).
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import sendgrid
from python_http_client.exceptions import HTTPError

from pregon.channels.answers import RAW_LIMIT, read_wait
from pregon.types import DeliveryState, Outcome

# An address has 254 characters at most, so that this many stay below 256 KB.
MOST_ADDRESSES = 900
SUPPRESS, RELEASE, ERASE = "suppress", "release", "erase"
# Lists of its own that SendGrid drops mails by. Who reported one as spam is left on that list.
_LISTS = ("bounces", "blocks", "invalid_emails")


def tell_addresses(client: sendgrid.SendGridAPIClient, kind: str, addresses: Sequence[str], now: datetime) -> Outcome:
    """Tell SendGrid one thing about addresses, of which releasing takes one at a time.

    `sent` is told; `pending` is to be repeated; `failed` is refused for good.
    """
    try:
        answer = _release(client, addresses) if kind == RELEASE else _call(client, kind, addresses)
    except HTTPError as error:
        return _read_refusal(int(error.status_code), error.headers or {}, error.body, now)
    except (OSError, http.client.HTTPException) as error:
        return Outcome("", DeliveryState.PENDING, None, "SendGrid cannot be reached", repr(error)[:RAW_LIMIT])
    if 200 <= answer.status_code < 300 or (kind == RELEASE and answer.status_code == 404):
        return Outcome("", DeliveryState.SENT, None, f"SendGrid answered {answer.status_code}")
    return _read_refusal(answer.status_code, answer.headers, answer.body, now)


def _call(client: sendgrid.SendGridAPIClient, kind: str, addresses: Sequence[str]) -> Any:
    if kind == SUPPRESS:
        return client.client.asm.suppressions._("global").post(request_body={"recipient_emails": list(addresses)})
    return client.client.recipients.erasejob.post(request_body={"email_addresses": list(addresses)})


def _release(client: sendgrid.SendGridAPIClient, addresses: Sequence[str]) -> Any:
    """Take an address off every list; that one does not have it is no trouble. The last answer, or the first refusal."""
    (address,) = (quote(address, safe="@") for address in addresses)
    lists = (client.client.asm.suppressions._("global"), *(client.client.suppression._(name) for name in _LISTS))
    answer = None
    for each in lists:
        try:
            answer = each._(address).delete()
        except HTTPError as error:
            if int(error.status_code) != 404:
                raise
            answer = error
        if answer.status_code != 404 and not 200 <= int(answer.status_code) < 300:
            break
    return answer


def _read_refusal(status: int, headers: Mapping[str, str], body: Any, now: datetime) -> Outcome:
    raw = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    detail = f"SendGrid answered {status}"
    if status == 400:
        return Outcome("", DeliveryState.FAILED, None, detail, raw[:RAW_LIMIT])
    wait = read_wait(headers, "X-RateLimit-Reset", now) if status == 429 else None
    return Outcome("", DeliveryState.PENDING, None, detail, raw[:RAW_LIMIT], retry_after=wait)
