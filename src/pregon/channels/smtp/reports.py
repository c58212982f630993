"""What mail servers report of our mails: bounces (RFC 3464) and complaints (RFC 5965). Reads values, keeps nothing.

A report counts only when it names one of our mails with its signature, so nobody can have others suppressed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime

from pregon.channels.smtp.naming import Naming
from pregon.types import EventType, ProviderEvent

PROVIDER = "smtp"
_MOST = 512 * 1024
# RFC 3463: a full mailbox, a message too large and a policy say nothing about whether the address exists; nor do
# objections to our own address.
_ENHANCED = re.compile(r"(?<![\d.])5\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_NOT_THE_ADDRESS = ("5.1.7", "5.1.8", "5.2.2", "5.2.3", "5.3.", "5.7.")
_FACTS = ("Action", "Status", "Diagnostic-Code", "Remote-MTA", "Feedback-Type", "User-Agent")


def parse_report(raw: bytes, naming: Naming, now: datetime) -> ProviderEvent | None:
    """The event that a message reports, or None: no report, not ours, or nothing that matters."""
    message = message_from_bytes(raw[:_MOST])
    if message.get_content_type() != "multipart/report":
        return None
    delivery_id = naming.find_delivery(_readable(message, raw))
    found = _read_status(message) or _read_complaint(message)
    if delivery_id is None or found is None:
        return None
    event_type, facts = found
    status = _find_status(facts)
    return ProviderEvent(
        provider=PROVIDER,
        key="report:" + hashlib.sha256(raw).hexdigest()[:40],
        type=event_type,
        at=_sent_at(message, now),
        delivery_id=delivery_id,
        address=None,  # the delivery knows whom it was for; the report may name somebody it was forwarded to
        permanent=event_type is EventType.BOUNCED and is_permanent(status),
        raw=json.dumps(facts, sort_keys=True, ensure_ascii=False),
    )


def _find_status(facts: dict[str, str]) -> str:
    """The enhanced status code. Some servers report 5.0.0 of everything; what they were told stands beside it."""
    status = facts.get("Status", "").strip()
    told = _ENHANCED.search(facts.get("Diagnostic-Code", "")) if status.startswith("5.0.") else None
    return told[0] if told else status


def is_permanent(status: str) -> bool:
    """Whether an enhanced status code says that the address will never take mail."""
    return status.startswith("5.") and not status.startswith(_NOT_THE_ADDRESS)


def is_address_gone(text: str) -> bool:
    """Whether the text of a 5xx to RCPT TO says that this address will never take mail.

    By its enhanced status code alone (RFC 3463: 5.1.x without the sender's own 5.1.7 and 5.1.8, 5.2.1): a bare 550 may
    be a policy, a block list or a greylist in disguise.
    """
    code = _ENHANCED.match(text)
    return code is not None and (code[0].startswith("5.1.") or code[0] == "5.2.1") and is_permanent(code[0])


def _read_status(message: Message) -> tuple[EventType, dict[str, str]] | None:
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in _blocks(part):
            event_type = _judge(block)
            if event_type:
                return event_type, _facts(block)
    return None


def _judge(block: Message) -> EventType | None:
    action = str(block.get("Action", "")).strip().lower()
    if action == "failed":
        return EventType.BOUNCED
    return {"delayed": EventType.DEFERRED, "delivered": EventType.DELIVERED}.get(action)


def _read_complaint(message: Message) -> tuple[EventType, dict[str, str]] | None:
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            for block in _blocks(part):
                if str(block.get("Feedback-Type", "")).strip().lower() in ("abuse", "fraud", "complaint"):
                    return EventType.COMPLAINED, _facts(block)
    return None


def _blocks(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))


def _facts(block: Message) -> dict[str, str]:
    return {name: " ".join(str(block[name]).split())[:500] for name in _FACTS if block.get(name)}


def _readable(message: Message, raw: bytes) -> str:
    """Where our names may stand: the message as it came, and its parts with their encoding taken off."""
    pieces = [raw[:_MOST].decode("ascii", "replace")]
    for part in message.walk():
        data = part.get_payload(decode=True)
        if isinstance(data, bytes):
            pieces.append(data.decode("ascii", "replace"))
    return "\n".join(pieces)


def _sent_at(message: Message, now: datetime) -> datetime:
    try:
        sent = parsedate_to_datetime(str(message["Date"]))
        return min(now, sent.astimezone(UTC)) if sent.tzinfo else now
    except (ValueError, TypeError, OverflowError):
        return now
