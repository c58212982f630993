"""An e-mail (.eml) as a document: its subject above its text, or the document that it brings along.

A mail that says little and carries one readable attachment is only its envelope: then the attachment is the document.
Replies that are quoted below, and what follows the signature mark, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default

from pregon.errors import DocumentError
from pregon.items.html import read_html
from pregon.items.texts import fold
from pregon.types import Document, Span

_PREFIX = re.compile(r"^(?:\s*(?:re|rv|tr|fwd?|wg|aw)\s*:\s*)+", re.IGNORECASE)
_QUOTED = re.compile(
    r"^(?:-{2,}\s*(?:original message|message d'origine|mensaje original|forwarded message).*|on .{5,120} wrote:|"
    r"le .{5,120} a ecrit ?:|el .{5,120} escribio:|-- ?)$"
)
_ENVELOPE_CHARS = 400
Loader = Callable[[bytes, str, str, str], Document]


def read_mail(data: bytes, *, name: str, origin: str, load: Loader) -> Document:
    """The document in the mail `data`. `load` reads an attachment: (bytes, name, media type, origin)."""
    message = message_from_bytes(data, policy=default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise DocumentError(f"{name} is not an e-mail: save the message as .eml again")
    body = _read_body(message, origin)
    attached = _attachments(message)
    if len(body.text) < _ENVELOPE_CHARS and len(attached) == 1:
        part_name, media_type, content = attached[0]
        document = load(content, part_name, media_type, origin)
        return replace(document, published_at=_sent_at(message))
    subject = _PREFIX.sub("", str(message.get("subject", ""))).strip()
    return replace(_with_heading(body, subject), published_at=_sent_at(message), title=subject or None)


def _read_body(message: EmailMessage, origin: str) -> Document:
    part = message.get_body(preferencelist=("html", "plain"))
    if part is None:
        return Document("", "message/rfc822", origin)
    text = _content(part)
    if part.get_content_type() == "text/html":
        read = read_html(text, origin=origin)
        kept = _without_replies(read.text)
        links = tuple(link for link in read.links if link[0][1] <= len(kept))
        return replace(read, text=kept, links=links, media_type="message/rfc822", canonical_url=None)
    return Document(_without_replies(text.replace("\r\n", "\n")), "message/rfc822", origin)


def _content(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, KeyError, ValueError):
        raw = part.get_payload(decode=True)
        return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


def _without_replies(text: str) -> str:
    kept = []
    for line in text.split("\n"):
        if len(line) < 160 and _QUOTED.match(fold(line.rstrip("\r"))):
            break
        kept.append(line)
    return "\n".join(kept).rstrip() + "\n"


def _attachments(message: EmailMessage) -> list[tuple[str, str, bytes]]:
    found = []
    for part in message.iter_attachments():
        name = part.get_filename() or "attachment"
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and name.lower().endswith((".pdf", ".docx", ".txt", ".md", ".html", ".htm")):
            found.append((name, part.get_content_type(), content))
    return found


def _with_heading(body: Document, subject: str) -> Document:
    start = fold(" ".join(body.text[:600].split()).lstrip("# "))
    if not subject or start.startswith(fold(subject)):
        return body
    heading = f"# {subject}\n\n"
    links: tuple[tuple[Span, str], ...] = tuple(
        ((start + len(heading), end + len(heading)), address) for (start, end), address in body.links
    )
    return replace(body, text=heading + body.text, links=links)


def _sent_at(message: EmailMessage) -> datetime | None:
    moment = getattr(message.get("date"), "datetime", None)
    if not isinstance(moment, datetime):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
