"""The mailbox that reports come to, read over IMAP (RFC 3501). Nothing is marked, moved or deleted."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

MOST_MESSAGES = 500
_MOST_BYTES = 2_000_000


class MailboxError(Exception):
    """The mailbox cannot be read; the sentence says what to do."""


def read_new(address: str, password: str, place: str, *, timeout: float = 20) -> tuple[list[bytes], str]:
    """The messages since `place` ("UIDVALIDITY:UID", "" for all there are) and the new place.

    `address` is imaps://USER@HOST/FOLDER; unencrypted imap:// is for a server on this machine. Raises `MailboxError`.
    """
    client = _open(address, timeout)
    try:
        _log_in(client, address, password)
        validity = _examine(client, address)
        known, _, last = place.partition(":")
        start = int(last) if known == validity and last.isdecimal() else 0
        uids = _search(client, start)[:MOST_MESSAGES]
        return [_fetch(client, uid) for uid in uids], f"{validity}:{max(uids, default=start)}"
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxError(f"The mailbox of bounces stopped answering ({error}); it is read again later.") from error
    finally:
        _close(client)


def check_mailbox(address: str, password: str, *, timeout: float = 20) -> None:
    """Open the mailbox and read nothing. Raises `MailboxError`."""
    client = _open(address, timeout)
    try:
        _log_in(client, address, password)
        _examine(client, address)
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxError(f"The mailbox of bounces stopped answering ({error}); ask again later.") from error
    finally:
        _close(client)


def _open(address: str, timeout: float) -> imaplib.IMAP4:
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        if parts.scheme == "imap":
            return imaplib.IMAP4(host, parts.port or 143, timeout=timeout)
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(host, parts.port or 993, ssl_context=context, timeout=timeout)
    except (imaplib.IMAP4.error, OSError) as error:
        sentence = f"The mailbox of bounces on {host} cannot be reached ({error}); it is read again later."
        raise MailboxError(sentence) from error


def _log_in(client: imaplib.IMAP4, address: str, password: str) -> None:
    user = re.sub(r'[\x00-\x1f"\\]', "", unquote(urlsplit(address).username or ""))
    try:
        client.login(user, password)
    except imaplib.IMAP4.error as error:
        sentence = "The mailbox of bounces refuses the user or password; correct PREGON_SMTP_BOUNCES_PASSWORD."
        raise MailboxError(sentence) from error


def _examine(client: imaplib.IMAP4, address: str) -> str:
    folder = unquote(urlsplit(address).path.lstrip("/")) or "INBOX"
    answer, _ = client.select('"' + re.sub(r'[\r\n"\\]', "", folder) + '"', readonly=True)
    if answer != "OK":
        raise MailboxError(f"The mailbox of bounces has no folder {folder}; correct email.bounces in channels.yaml.")
    validity = client.response("UIDVALIDITY")[1]
    return validity[0].decode("ascii", "replace") if validity and validity[0] else "0"


def _search(client: imaplib.IMAP4, last: int) -> list[int]:
    answer, found = client.uid("SEARCH", f"UID {last + 1}:*")
    if answer != "OK":
        raise imaplib.IMAP4.error("the search was refused")
    # "n:*" always names the last message, also when it is older than n (RFC 3501 §6.4.8).
    return sorted(uid for uid in map(int, (found[0] or b"").split()) if uid > last)


def _fetch(client: imaplib.IMAP4, uid: int) -> bytes:
    """One message; empty when it is larger than any report."""
    size = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(_pieces(client.uid("FETCH", str(uid), "(RFC822.SIZE)")[1])))
    if size and int(size[1]) > _MOST_BYTES:
        return b""
    parts = client.uid("FETCH", str(uid), "(BODY.PEEK[])")[1]
    return next((bytes(part[1]) for part in parts or [] if isinstance(part, tuple)), b"")


def _pieces(parts: Any) -> Iterator[bytes]:
    for part in parts or []:
        if isinstance(part, tuple):
            yield from part
        elif isinstance(part, bytes):
            yield part


def _close(client: imaplib.IMAP4) -> None:
    try:
        client.logout()
    except (imaplib.IMAP4.error, OSError):
        client.shutdown()
