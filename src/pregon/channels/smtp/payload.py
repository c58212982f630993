"""A newsletter as MIME, built once for a content, with each recipient's values put in afterwards. Pure.

Plain text and HTML are alternatives in quoted-printable; the calendar goes along as a file, as with every provider.
Headers for one-click unsubscribing are those of RFC 8058, 3.1.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from pregon.channels.smtp.encoding import (
    Piece,
    clean_line,
    encode_text,
    encode_value,
    make_address,
    write_address,
    write_headers,
)
from pregon.channels.smtp.naming import Naming
from pregon.drafts.tokens import TOKENS, UNSUBSCRIBE_URL
from pregon.types import MailBody, Outgoing, Shipment

DELIVERY_HEADER = "X-Pregon-Delivery"
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f]+@[^\s@<>()\[\],;:\\\"\x00-\x20\x7f]+")
_MAX_ADDRESS = 254


@dataclass(frozen=True, slots=True)
class MailForm:
    """A mail whose per-recipient places are still open."""

    head: bytes
    pieces: tuple[Piece, ...]


def build_form(shipment: Shipment, now: datetime) -> MailForm:
    """The form of a shipment's mail. Raises ValueError without a mail body or a sender: a mistake of the caller."""
    content, body = shipment.content, shipment.content.body
    if not isinstance(body, MailBody) or content.sender is None:
        raise ValueError("a newsletter needs a mail body and a sender")
    # "=_" never stands in quoted-printable or base64, so no boundary can be found inside a part.
    mark = hashlib.sha256(f"{body.text}\0{body.html}".encode()).hexdigest()[:24]
    outer, inner = f"=_mixed_{mark}", f"=_other_{mark}"
    headers: list[tuple[str, object]] = [("From", make_address(content.sender.name, content.sender.address))]
    if content.sender.reply_to:
        headers.append(("Reply-To", make_address(content.sender.name, content.sender.reply_to)))
    headers += [("Subject", body.subject), ("Date", format_datetime(now))]
    if content.language:
        headers.append(("Content-Language", content.language))
    head = write_headers(headers) + b"MIME-Version: 1.0\r\n"  # type: ignore[arg-type]
    alternatives = _alternatives(body, inner)
    if not body.calendar:
        return MailForm(head + _multipart("alternative", inner), tuple(alternatives))
    start = f"--{outer}\r\n".encode() + _multipart("alternative", inner)
    return MailForm(head + _multipart("mixed", outer), (start, *alternatives, _attach_calendar(body.calendar, outer)))


def fill_form(form: MailForm, delivery: Outgoing, naming: Naming) -> bytes:
    """One recipient's whole message, with CRLF and no line that begins with a dot."""
    values = {token: encode_value(value) for token, value in delivery.substitutions.items()}
    filled = [piece if isinstance(piece, bytes) else values.get(piece, piece.encode()) for piece in form.pieces]
    return b"".join([_write_own_headers(delivery, naming), form.head, *filled])


def find_address_problem(address: str) -> str | None:
    """Why a mail server could not be given this address, or None."""
    if not address.isascii():
        return f"{clean_line(address)} has letters beyond ASCII, which mail servers take only in special cases"
    if len(address) > _MAX_ADDRESS or not _ADDRESS.fullmatch(address):
        return f"{clean_line(address)[:_MAX_ADDRESS]} is not an e-mail address"
    return None


def _write_own_headers(delivery: Outgoing, naming: Naming) -> bytes:
    own = [
        write_address("To", clean_line(delivery.name), delivery.address),
        f"Message-ID: {naming.message_id(delivery.delivery_id)}\r\n".encode(),
        f"{DELIVERY_HEADER}: {delivery.delivery_id}\r\n".encode(),
    ]
    url = delivery.substitutions.get(UNSUBSCRIBE_URL)
    if url:
        target = clean_line(url).replace(" ", "").replace(">", "").encode("ascii", "ignore")
        own += [b"List-Unsubscribe: <", target, b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"]
    return b"".join(own)


def _multipart(kind: str, boundary: str) -> bytes:
    return f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode()


def _alternatives(body: MailBody, boundary: str) -> list[Piece]:
    pieces: list[Piece] = []
    for kind, text in (("plain", body.text), ("html", body.html)):
        head = (
            f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        )
        pieces += [head.encode(), *encode_text(text, TOKENS), b"\r\n"]
    return [*pieces, f"--{boundary}--\r\n".encode()]


def _attach_calendar(calendar: str, boundary: str) -> bytes:
    head = (
        f"--{boundary}\r\nContent-Type: text/calendar; charset=utf-8; method=PUBLISH\r\n"
        'Content-Disposition: attachment; filename="event.ics"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    encoded = base64.encodebytes(calendar.encode()).replace(b"\n", b"\r\n")
    return head.encode() + encoded + f"--{boundary}--\r\n".encode()
