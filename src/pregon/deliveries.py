"""Plan rows from an approved revision, decide what happens to them, and name them in links.

Pure: ids, times and keys come in as values. One row per recipient, thread part or playlist operation.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from pregon.errors import SignatureError
from pregon.types import (
    ChannelName,
    Content,
    DeliveryState,
    Outcome,
    PlannedDelivery,
    PlaylistBody,
    Recipient,
    ThreadBody,
)

_BACK_OFF = (30, 120, 600, 1800, 3600)
_SIGNATURE_LENGTH = 22


def plan_deliveries(
    content: Content, digest: str, draft_id: int, recipients: Iterable[Recipient]
) -> tuple[PlannedDelivery, ...]:
    """The outbox rows of one approved revision.

    Ids are derived from draft, digest and address or position, so planning twice names the same rows.
    """
    if isinstance(content.body, ThreadBody):
        return _plan_positions(content, digest, draft_id, len(content.body.parts), content.account or "")
    if isinstance(content.body, PlaylistBody):
        return _plan_positions(content, digest, draft_id, len(content.body.operations), content.account or "")
    return tuple(_plan_mail(digest, draft_id, position, recipient) for position, recipient in enumerate(recipients))


def _plan_mail(digest: str, draft_id: int, position: int, recipient: Recipient) -> PlannedDelivery:
    contact = recipient.contact
    return PlannedDelivery(
        id=name_delivery(digest, draft_id, contact.address if not recipient.excluded else f"{contact.id}:{position}"),
        channel=ChannelName.EMAIL,
        position=0 if not recipient.excluded else position,
        address=contact.address,
        contact_id=contact.id,
        state=DeliveryState.SUPPRESSED if recipient.excluded else DeliveryState.PENDING,
        reason=recipient.excluded,
    )


def _plan_positions(
    content: Content, digest: str, draft_id: int, count: int, address: str
) -> tuple[PlannedDelivery, ...]:
    return tuple(
        PlannedDelivery(
            id=name_delivery(digest, draft_id, f"{address}#{position}"),
            channel=content.channel,
            position=position,
            address=address,
            contact_id=None,
            state=DeliveryState.PENDING,
            reason=None,
        )
        for position in range(count)
    )


def name_delivery(digest: str, draft_id: int, target: str) -> str:
    """The id of one delivery: 32 hexadecimal digits that say nothing about the person."""
    return hashlib.sha256(f"{draft_id}\n{digest}\n{target.casefold()}".encode()).hexdigest()[:32]


def next_attempt(outcome: Outcome, attempts: int, max_attempts: int, now: datetime) -> datetime | None:
    """When a delivery that was certainly not done is tried again; None when it has been tried often enough."""
    if attempts >= max_attempts:
        return None
    planned = _BACK_OFF[min(attempts, len(_BACK_OFF)) - 1] if attempts else 0
    return now + timedelta(seconds=max(planned, outcome.retry_after or 0))


def is_too_late(due_at: datetime, now: datetime, hold_after_hours: float) -> bool:
    """Whether work that was due has become too old to go out without a person looking again."""
    return now - due_at > timedelta(hours=hold_after_hours)


def sign_delivery(delivery_id: str, key: bytes) -> str:
    """The token that stands for a delivery in the unsubscribe and view links. It never expires."""
    return f"{delivery_id}.{_signature(delivery_id, key)}"


def read_token(token: str, key: bytes) -> str:
    """The delivery id of a token. Raises `SignatureError` when it was not made with this key."""
    delivery_id, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(delivery_id, key).encode()):
        raise SignatureError("This link is incomplete or was changed; use the whole link from the mail.")
    return delivery_id


def _signature(delivery_id: str, key: bytes) -> str:
    return hmac.new(key, b"delivery:" + delivery_id.encode(), hashlib.sha256).hexdigest()[:_SIGNATURE_LENGTH]
