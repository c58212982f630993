"""SendGrid's batches: the name under which mails wait for their time, and by which they are called back. Sends nothing.

As documented: a batch may be cancelled until ten minutes before it leaves, ten may be cancelled at once, and a cancelled
one is discarded when its time comes.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import replace
from datetime import datetime, timedelta

import sendgrid
from python_http_client.exceptions import HTTPError

from pregon.channels.clock import check_clock
from pregon.channels.sendgrid.send import read_fault, read_refusal
from pregon.types import DeliveryState, Outcome, Outgoing

# A call-back is a matter of minutes: it is believed only while both clocks are this close.
_BELIEVED = timedelta(minutes=1)
_FAULTS = (HTTPError, OSError, http.client.HTTPException, ValueError, KeyError, TypeError)


def open_batch(client: sendgrid.SendGridAPIClient, now: datetime) -> str | Outcome:
    """A new batch id, or why there is none: nothing was sent then, so what was to go is pending."""
    try:
        response = client.client.mail.batch.post()
        check_clock(response.headers.get("Date"), _BELIEVED)
        batch_id = json.loads(response.body)["batch_id"]
    except HTTPError as error:
        body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else str(error.body or "")
        return _nothing_left(read_refusal(_NOBODY, int(error.status_code), error.headers or {}, body, now)[0])
    except (OSError, http.client.HTTPException) as error:
        return _nothing_left(read_fault(_NOBODY, error)[0])
    except (ValueError, KeyError, TypeError) as error:
        return Outcome("", DeliveryState.PENDING, detail=_NO_BATCH, raw=repr(error), is_unsent=True)
    is_named = isinstance(batch_id, str) and batch_id
    return batch_id if is_named else Outcome("", DeliveryState.PENDING, detail=_NO_BATCH, is_unsent=True)


def cancel_batch(client: sendgrid.SendGridAPIClient, batch_id: str, status: str) -> None:
    """Ask that the batch be discarded, whatever comes back: only reading it back tells. `status` is what it has now."""
    try:
        if status:
            client.client.user.scheduled_sends._(batch_id).patch(request_body={"status": "cancel"})
        else:
            client.client.user.scheduled_sends.post(request_body={"batch_id": batch_id, "status": "cancel"})
    except (HTTPError, OSError, http.client.HTTPException):
        return


def read_batch(client: sendgrid.SendGridAPIClient, batch_id: str) -> str | None:
    """What the batch is: cancel, pause, or "" when it will leave; None when it could not be read, or the clocks differ."""
    try:
        response = client.client.user.scheduled_sends._(batch_id).get()
        check_clock(response.headers.get("Date"), _BELIEVED)
        found = json.loads(response.body)
        listed = found if isinstance(found, list) else [found]
        return next((str(each["status"]) for each in listed if each["batch_id"] == batch_id), "")
    except HTTPError as error:
        return "" if error.status_code == 404 else None
    except _FAULTS:
        return None


_NO_BATCH = "SendGrid gave no batch to hand the mails over with; nothing was sent"
# An answer that is about nobody in particular.
_NOBODY = (Outgoing("", 0, ""),)


def _nothing_left(outcome: Outcome) -> Outcome:
    """Without a batch nothing was handed over, however the call ended; a reason to pause or to wait stays.

    Only a refusal is an attempt.
    """
    detail = outcome.detail if outcome.pause or outcome.retry_after else _NO_BATCH
    is_unsent = outcome.is_unsent or outcome.state is DeliveryState.UNKNOWN
    return replace(outcome, state=DeliveryState.PENDING, provider_id=None, detail=detail, is_unsent=is_unsent)
