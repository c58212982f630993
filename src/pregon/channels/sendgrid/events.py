"""SendGrid's signed event webhook: is it theirs, and what does it say. Reads no clock and keeps nothing.

The signature is ECDSA over P-256 and SHA-256 of timestamp + raw body, DER in base64. It holds for ever: protection
against replays is the de-duplication key, because a narrow time window would refuse SendGrid's own late retries.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pregon.channels.sendgrid.payload import DELIVERY_ARGUMENT
from pregon.errors import SignatureError
from pregon.types import EventType, ProviderEvent, SuppressionReason

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"

# group_resubscribe and account-level messages change nothing that we keep, so they are absent on purpose.
_TYPES = {
    "processed": EventType.PROCESSED,
    "delivered": EventType.DELIVERED,
    "deferred": EventType.DEFERRED,
    "bounce": EventType.BOUNCED,
    "dropped": EventType.DROPPED,
    "cancel_drop": EventType.DROPPED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "spamreport": EventType.COMPLAINED,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "group_unsubscribe": EventType.UNSUBSCRIBED,
}
# A delivery's id has 32 signs and an event's of SendGrid 22 or more; a database refuses all of a batch for one too long.
_LONGEST_ID, _LONGEST_KEY = 40, 200
# By its reason, what SendGrid's own lists say of an address to which it sends nothing. "Invalid SMTPAPI header" is no list.
_KEPT_OUT = {
    "bounced address": SuppressionReason.BOUNCED,
    "invalid": SuppressionReason.BOUNCED,
    "spam reporting address": SuppressionReason.COMPLAINED,
    "unsubscribed address": SuppressionReason.UNSUBSCRIBED,
}


def verify_signature(public_key: str, body: bytes, signature: str, timestamp: str) -> None:
    """Raise `SignatureError` unless `signature` holds for this body; `public_key` is base64 DER as SendGrid shows it."""
    try:
        key = load_der_public_key(base64.b64decode(public_key, validate=True))
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise SignatureError("the event webhook's key or signature cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise SignatureError("the event webhook's key is not an elliptic curve key")
    try:
        key.verify(raw, timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise SignatureError("the signature of the event webhook does not hold") from error


def parse_events(body: bytes) -> tuple[ProviderEvent, ...]:
    """The events of one batch in our vocabulary; what we do not know is left out, one bad entry spoils no other.

    Raises ValueError when the body is not a JSON array.
    """
    entries = json.loads(body)
    if not isinstance(entries, list):
        raise ValueError("a batch of events is a JSON array")  # noqa: TRY004 - the documented error of this function
    events = (_parse(entry) for entry in entries if isinstance(entry, dict))
    return tuple(event for event in events if event)


def _parse(entry: dict[str, Any]) -> ProviderEvent | None:
    event_type = _TYPES.get(str(entry.get("event")))
    at = _time(entry.get("timestamp"))
    if event_type is None or at is None:
        return None
    return ProviderEvent(
        provider="sendgrid",
        key=_key(entry),
        type=event_type,
        at=at,
        delivery_id=_delivery_id(entry),
        address=_text(entry, "email"),
        provider_id=_request_id(entry),
        url=_text(entry, "url"),
        user_agent=_text(entry, "useragent"),
        ip=_text(entry, "ip"),
        machine_open=entry.get("sg_machine_open") is True,
        permanent=_is_permanent(event_type, entry),
        kept_out=_find_list(event_type, entry),
        raw=_storable(json.dumps(entry, sort_keys=True, ensure_ascii=False)),
    )


def _delivery_id(entry: dict[str, Any]) -> str | None:
    """Our id; what is longer than any of ours is somebody else's."""
    given = _text(entry, DELIVERY_ARGUMENT)
    return given if given and len(given) <= _LONGEST_ID else None


def _request_id(entry: dict[str, Any]) -> str | None:
    """The request's X-Message-Id, which sg_message_id begins with: the same as a delivery's provider id."""
    message_id = _text(entry, "sg_message_id")
    return message_id.split(".", 1)[0] if message_id else None


def _is_permanent(event_type: EventType, entry: dict[str, Any]) -> bool:
    if event_type is EventType.BOUNCED:
        # `blocked` is the soft one. Delayed bounces may come without a type: those are bounces.
        return str(entry.get("type") or "bounce") == "bounce"
    return _find_list(event_type, entry) is not None


def _find_list(event_type: EventType, entry: dict[str, Any]) -> SuppressionReason | None:
    return _KEPT_OUT.get(str(entry.get("reason", "")).strip().lower()) if event_type is EventType.DROPPED else None


def _key(entry: dict[str, Any]) -> str:
    """The provider's event id; without one (it is missing at times) a hash of what makes the event itself."""
    given = _text(entry, "sg_event_id")
    if given and len(given) <= _LONGEST_KEY:
        return given
    names = (DELIVERY_ARGUMENT, "email", "event", "timestamp", "url", "sg_message_id")
    text = json.dumps([*(str(entry.get(name, "")) for name in names), *([given] if given else ())])
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _text(entry: dict[str, Any], name: str) -> str | None:
    value = entry.get(name)
    return _storable(value) or None if isinstance(value, str) else None


def _storable(text: str) -> str:
    """The text without what no database keeps: half a character, as a browser's name that was cut has, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
