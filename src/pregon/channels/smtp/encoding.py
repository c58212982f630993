"""Quoted-printable for texts with places that are filled in later, and header lines. Pure.

Sources: RFC 2045, 6.7 (76 characters a line, soft line breaks), RFC 5322, 2.1.1 and 2.2.3 (lengths, folding). No line
that is made here begins with a dot, so none needs SMTP's dot stuffing (RFC 5321, 4.5.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import lru_cache

_WIDTH = 75  # and the "=" of a soft line break
_SOFT = b"=\r\n"
_PLAIN = frozenset(range(33, 127)) - {ord("=")}
_HARMLESS = re.compile(r"[!-<>-~]*")
_SHORT_NAME = re.compile(r"[A-Za-z0-9 _'-]{1,60}")

Piece = bytes | str
"""Bytes stand as they are; a str names a value that is put there for each recipient."""


@lru_cache(maxsize=4)  # plain text and HTML of the mail that is being sent: a batch as quickly as its first one
def encode_text(text: str, tokens: tuple[str, ...]) -> tuple[Piece, ...]:
    """The text as quoted-printable with CRLF. Each token stays a piece of its own, between soft line breaks."""
    pattern = re.compile("(" + "|".join(map(re.escape, tokens)) + ")")
    pieces: list[Piece] = []
    for index, part in enumerate(pattern.split(text)):
        if index % 2:
            pieces += [_SOFT, part, _SOFT]
        else:
            pieces.append(b"\r\n".join(map(_encode_line, re.split(r"\r\n|\r|\n", part))))
    return tuple(pieces)


def encode_value(value: str) -> bytes:
    """One line's worth of text as quoted-printable, to stand between soft line breaks."""
    if _HARMLESS.fullmatch(value):  # a link, which every recipient has of their own: not byte by byte
        lines = [value[start : start + _WIDTH] for start in range(0, len(value), _WIDTH)]
        if not any(line.startswith(".") for line in lines):
            return _SOFT.join(map(str.encode, lines))
    return _encode_line(" ".join(value.split()))


def _encode_line(line: str) -> bytes:
    lines, current = [], b""
    for unit in _units(line.encode()):
        if len(current) + len(unit) > _WIDTH:
            lines.append(current)
            current = b""
        current += b"=2E" if unit == b"." and not current else unit
    return _SOFT.join([*lines, current])


def _units(data: bytes) -> Iterator[bytes]:
    last = len(data) - 1
    for index, byte in enumerate(data):
        is_blank = byte in (32, 9) and index != last
        yield bytes((byte,)) if byte in _PLAIN or is_blank else b"=%02X" % byte


def write_headers(headers: Sequence[tuple[str, str | Address]]) -> bytes:
    """The header lines, encoded and folded. Line breaks inside a value become blanks, so none begins a new header."""
    message = EmailMessage(policy=SMTP)
    for name, value in headers:
        message[name] = clean_line(value) if isinstance(value, str) else value
    return message.as_bytes().removesuffix(b"\r\n")


def write_address(header: str, name: str, address: str) -> bytes:
    """One address header. The usual names are written without the general machinery, since every recipient has one."""
    if not name:
        return f"{header}: {address}\r\n".encode("ascii")
    if _SHORT_NAME.fullmatch(name):
        return f'{header}: "{name}"\r\n <{address}>\r\n'.encode("ascii")
    return write_headers([(header, make_address(name, address))])


def make_address(name: str, address: str) -> Address:
    """A mailbox with its name. Raises ValueError for what is no ASCII address."""
    return Address(display_name=clean_line(name), addr_spec=address)


def clean_line(text: str) -> str:
    """The text on one line, without control characters."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())
