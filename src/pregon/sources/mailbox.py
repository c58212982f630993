"""Poll a folder of an IMAP mailbox: every message is a sighting. Messages are read without marking them as seen.

Nothing is moved, answered or deleted. The password comes in as an argument and stands in no message or log.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any
from urllib.parse import unquote, urlsplit

from pregon.errors import DocumentError, SourceError
from pregon.items import MAX_BYTES, load_document
from pregon.sources.network import resolve_public
from pregon.types import Poll, Sighting, SourceState

# How many messages one poll reads; the others wait for the next.
MOST_MESSAGES = 200
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_PLAIN = re.compile(r"[!#-'*+./0-9=?A-Z^-~@-]+")


def poll_mailbox(
    address: str, password: str, state: SourceState, *, now: datetime, timeout: float = 20, allow_private: bool = False
) -> Poll:
    """Look once at the messages that came since the last poll.

    `address` is imaps://USER@HOST/FOLDER (port 993 unless given); unencrypted imap:// is taken with `allow_private`
    only. `etag` of the poll is "UIDVALIDITY:UID" of the newest message read (RFC 3501 §2.3.1.1). Raises `SourceError`.
    """
    client = _open(address, timeout, allow_private=allow_private)
    try:
        _log_in(client, address, password)
        validity, last = _examine(client, address), _last_uid(state)
        newer = _search(client, address, last[1] if last[0] == validity else 0)
        taken = newer[:MOST_MESSAGES]
        sightings = tuple(_sight(client, uid, validity) for uid in taken)
        newest = max(taken, default=last[1] if last[0] == validity else 0)
        return Poll(sightings, etag=f"{validity}:{newest}")
    except (imaplib.IMAP4.error, OSError) as error:
        raise SourceError(
            f"{_shown(address)} stopped answering ({type(error).__name__}): it is tried again later"
        ) from error
    finally:
        _close(client)


def _open(address: str, timeout: float, *, allow_private: bool) -> imaplib.IMAP4:
    parts = urlsplit(address)
    if parts.scheme not in {"imaps", "imap"} or not parts.hostname or not parts.username:
        raise SourceError(f"{_shown(address)} is not a mailbox: write it as imaps://USER@HOST/FOLDER")
    if parts.scheme == "imap" and not allow_private:
        raise SourceError(f"{_shown(address)} is not encrypted: write it as imaps://USER@HOST/FOLDER")
    if not allow_private:
        resolve_public(parts.hostname, parts.port or 993)
    try:
        if parts.scheme == "imap":
            return imaplib.IMAP4(parts.hostname, parts.port or 143, timeout=timeout)
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(parts.hostname, parts.port or 993, ssl_context=context, timeout=timeout)
    except (imaplib.IMAP4.error, OSError) as error:
        reason = str(error) or type(error).__name__
        raise SourceError(f"{_shown(address)} cannot be reached ({reason}): it is tried again later") from error


def _log_in(client: imaplib.IMAP4, address: str, password: str) -> None:
    user = unquote(urlsplit(address).username or "")
    if not _PLAIN.fullmatch(user) or any(ord(char) < 32 for char in password):
        raise SourceError(f"the user or password of {_shown(address)} has characters that IMAP does not take")
    try:
        client.login(user, password)
    except imaplib.IMAP4.error as error:
        raise SourceError(f"{_shown(address)} refuses the user or password: correct them") from error


def _examine(client: imaplib.IMAP4, address: str) -> str:
    folder = unquote(urlsplit(address).path.lstrip("/")) or "INBOX"
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", re.sub(r"[\r\n]", "", folder)) + '"'
    answer, _ = client.select(quoted, readonly=True)
    if answer != "OK":
        raise SourceError(f"{_shown(address)} has no folder {folder}: correct its name")
    validity = client.response("UIDVALIDITY")[1]
    return validity[0].decode("ascii", "replace") if validity and validity[0] else "0"


def _last_uid(state: SourceState) -> tuple[str, int]:
    validity, _, uid = (state.etag or "").partition(":")
    return (validity, int(uid)) if uid.isdecimal() else ("", 0)


def _search(client: imaplib.IMAP4, address: str, last: int) -> list[int]:
    answer, found = client.uid("SEARCH", f"UID {last + 1}:*")
    if answer != "OK":
        raise SourceError(f"{_shown(address)} cannot be searched: it is tried again later")
    # "n:*" always names the last message, also when it is older than n (RFC 3501 §6.4.8).
    return sorted(uid for uid in map(int, (found[0] or b"").split()) if uid > last)


def _sight(client: imaplib.IMAP4, uid: int, validity: str) -> Sighting:
    key = f"message {validity}/{uid}"
    size = _SIZE.search(_flat(client.uid("FETCH", str(uid), "(RFC822.SIZE)")[1]))
    if size and int(size[1]) > MAX_BYTES:
        limit = MAX_BYTES // 1_048_576
        return Sighting(
            key,
            None,
            None,
            f"{key} has {int(size[1]) / 1_048_576:.0f} MB and the limit is {limit} MB: ask for a link instead",
        )
    raw = _body(client.uid("FETCH", str(uid), "(BODY.PEEK[])")[1])
    head = message_from_bytes(raw, policy=default)
    name = str(head.get("Message-ID") or "").strip() or key
    sent = getattr(head.get("Date"), "datetime", None)
    published = sent.astimezone(UTC) if isinstance(sent, datetime) and sent.tzinfo else None
    try:
        document = load_document(
            raw, name=f"the message “{str(head.get('Subject') or '')[:80]}”", media_type="message/rfc822", origin=name
        )
    except DocumentError as error:
        return Sighting(name, None, published, str(error))
    return Sighting(name, document, published)


def _flat(parts: Any) -> bytes:
    return b" ".join(_pieces(parts))


def _pieces(parts: Any) -> Iterator[bytes]:
    for part in parts or []:
        if isinstance(part, tuple):
            yield from part
        elif isinstance(part, bytes):
            yield part


def _body(parts: Any) -> bytes:
    return next((bytes(part[1]) for part in parts or [] if isinstance(part, tuple)), b"")


def _shown(address: str) -> str:
    """The address without a password that somebody wrote into it."""
    return re.sub(r"(//[^/@:]*):[^/@]*@", r"\1@", address)


def _close(client: imaplib.IMAP4) -> None:
    try:
        client.logout()
    except (imaplib.IMAP4.error, OSError):
        client.shutdown()
