"""What is pushed to us: is it the sender's, and what document is it? No state, no server.

Signed by the Standard Webhooks specification (webhook-id, webhook-timestamp, webhook-signature: HMAC-SHA256 over
"id.timestamp.body"), or with the secret itself as a bearer token for senders that cannot sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message
from html import escape
from typing import Any

from pregon.errors import DocumentError, SignatureError
from pregon.items import load_document, normalise_url
from pregon.source_rules import read_secret
from pregon.types import Document, Sighting

# Standard Webhooks leaves the tolerance to the receiver; five minutes is what its own libraries take.
TOLERANCE_SECONDS = 300
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
_LONGEST_ID = 200
_KINDS = {
    "text/plain": "txt",
    "text/markdown": "md",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "message/rfc822": "eml",
}
_FIELDS = {"title", "text", "html", "url", "language", "published_at"}


def admit_push(secret: str, headers: Mapping[str, str], now: datetime) -> None:
    """Raise `SignatureError` for what cannot be right, before a byte of its body is read. Names are in small letters."""
    given = headers.get("authorization", "")
    if given:
        _check_bearer(secret, given)
        return
    if any(not headers.get(name) for name in _SIGNED):
        raise SignatureError(
            "The push is not signed: send webhook-id, webhook-timestamp and webhook-signature, or a bearer token."
        )
    if len(headers["webhook-id"]) > _LONGEST_ID:
        raise SignatureError(f"The webhook-id is longer than {_LONGEST_ID} characters: shorten it.")
    stamp = headers["webhook-timestamp"]
    sent_at = int(stamp) if stamp.isascii() and stamp.isdecimal() and len(stamp) < 13 else None
    if sent_at is None or abs(now.timestamp() - sent_at) > TOLERANCE_SECONDS:
        raise SignatureError(
            "The webhook-timestamp is more than five minutes away from our clock: set the sender's clock and sign anew."
        )


def verify_push(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str | None:
    """The message's id when it is signed, None when it came with the token. Raises `SignatureError`."""
    admit_push(secret, headers, now)
    if headers.get("authorization"):
        return None
    identity, stamp, signatures = (headers[name] for name in _SIGNED)
    signed = f"{identity}.{stamp}.".encode() + body
    expected = base64.b64encode(hmac.new(read_secret(secret), signed, hashlib.sha256).digest())
    # Several signatures stand side by side while a secret is changed; each is looked at, so that time tells nothing.
    versions = (part.partition(",") for part in signatures.split()[:10])
    right = [hmac.compare_digest(expected, value.encode()) for version, _, value in versions if version == "v1"]
    if not any(right):
        raise SignatureError("The push's signature does not hold: check that both sides have the same secret.")
    return identity


def _check_bearer(secret: str, given: str) -> None:
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), secret.encode()):
        raise SignatureError("The token is not this source's: send “Authorization: Bearer” and its secret.")


def read_push(source_id: str, content_type: str, body: bytes, message_id: str | None) -> Sighting:
    """The document that was pushed, as seen under its message's id, else under its address, else under its content.

    Raises `DocumentError` when it is none that can be read.
    """
    head = Message()
    head["content-type"] = content_type or "application/octet-stream"
    kind = head.get_content_type()
    digest = hashlib.sha256(body).hexdigest()
    if kind == "application/json":
        document = _read_json(source_id, body)
    elif kind in _KINDS:
        name = f"what was pushed to {source_id}"
        document = load_document(body, name=f"{name} ({_KINDS[kind]})", media_type=content_type, origin="")
        document = replace(document, origin=f"{source_id}/{message_id or digest[:16]}")
    else:
        raise DocumentError(
            f"What was pushed to {source_id} is {kind}: send JSON, text, Markdown, HTML, PDF, Word (.docx) or an e-mail."
        )
    key = f"message {message_id}" if message_id else f"push {document.canonical_url or digest}"
    return Sighting(key, document, document.published_at)


def _read_json(source_id: str, body: bytes) -> Document:
    value = _parse(source_id, body)
    unknown = sorted(set(value) - _FIELDS)
    if unknown:
        raise DocumentError(f"There is no field {unknown[0]!r}: send {', '.join(sorted(_FIELDS))}.")
    wrong = [name for name, given in value.items() if given is not None and not isinstance(given, str)]
    if wrong:
        raise DocumentError(f"The field {wrong[0]!r} is not text: send it as a string.")
    title, text, html = (str(value.get(name) or "").strip() for name in ("title", "text", "html"))
    if not text and not html:
        raise DocumentError("There is neither text nor html in what was pushed: send one of them.")
    url = normalise_url(value.get("url") or "") and value["url"].strip()
    if value.get("url") and not url:
        raise DocumentError("The url is not an http address: correct it, or leave it out.")
    name = f"“{title[:80]}”" if title else f"what was pushed to {source_id}"
    if html:
        heading = f"<h1>{escape(title)}</h1>" if title and "<h1" not in html.lower() else ""
        page, kind = f"<div>{heading}{html}</div>", "text/html; charset=utf-8"
    else:
        heading = f"# {title}\n\n" if title and not text.lstrip("# ").startswith(title) else ""
        page, kind = heading + text, "text/markdown; charset=utf-8"
    document = load_document(page.encode("utf-8", "replace"), name=name, media_type=kind, origin=url or "")
    return replace(
        document,
        title=title or document.title,
        origin=url or f"{source_id}/{hashlib.sha256(body).hexdigest()[:16]}",
        canonical_url=url or None,
        declared_language=value.get("language") or None,
        published_at=_moment(value.get("published_at")),
    )


def _parse(source_id: str, body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DocumentError(
            f"What was pushed to {source_id} is not readable JSON: check its quotes and commas."
        ) from error
    if not isinstance(value, dict):
        raise DocumentError("Send one JSON object with title, text or html, url, language and published_at.")
    return value


def _moment(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        told = datetime.fromisoformat(value.strip())
    except ValueError as error:
        raise DocumentError("The field 'published_at' is not a time: write it as 2026-11-23T09:30:00+01:00.") from error
    return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
