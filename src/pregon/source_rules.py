"""What a source's address and secret have to look like, per kind, and which host it is at. Pure; reads no environment."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from pregon.types import SourceKind

# YouTube's published address of a channel's feed; a channel's id is UC and 22 characters of base64url.
YOUTUBE_FEED = "https://www.youtube.com/feeds/videos.xml?channel_id={channel}"
_CHANNEL = re.compile(r"UC[\w-]{22}")
_CHANNEL_PAGE = re.compile(r"^/channel/(UC[\w-]{22})/?$")
# Ids that the desk's own addresses below /sources/ use.
_RESERVED = frozenset({"check"})
# Standard Webhooks: a secret is whsec_ and base64 of 24 to 64 bytes; any other text of this length is taken as it is.
_SECRET_PREFIX = "whsec_"  # noqa: S105
_SHORTEST_SECRET = 16


def find_address_problem(kind: SourceKind, source_id: str, address: str) -> str | None:
    """What is wrong with the address of a source of this kind; None when nothing is."""
    if kind is SourceKind.WEBHOOK and source_id in _RESERVED:
        return f"the id {source_id!r} is taken by a page of the desk: rename the source"
    return _CHECKS[kind](address)


def _check_folder(address: str) -> str | None:
    return None if address.strip() else "give the folder's path, relative to the data folder"


def _check_http(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return "this is not an address"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "give an address that begins with https://"
    if parts.password:
        return "an address holds no password: use one that is public"
    return None


def _check_mailbox(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return "this is not an address: write imaps://USER@HOST/FOLDER"
    if parts.scheme not in {"imap", "imaps"} or not parts.hostname or not parts.username:
        return "write the mailbox as imaps://USER@HOST/FOLDER, an @ in USER as %40"
    if parts.password is not None:
        return "take the password out of the address; it belongs into the environment"
    return None


def _check_youtube(address: str) -> str | None:
    if youtube_channel(address) is None:
        return "give the channel's id, which begins with UC and has 24 characters"
    return None if _CHANNEL.fullmatch(address) else _check_http(address)


def _check_webhook(address: str) -> str | None:
    return "a webhook has no address: leave it out" if address else None


_CHECKS: dict[SourceKind, Callable[[str], str | None]] = {
    SourceKind.FOLDER: _check_folder,
    SourceKind.FEED: _check_http,
    SourceKind.WORDPRESS: _check_http,
    SourceKind.YOUTUBE: _check_youtube,
    SourceKind.MAILBOX: _check_mailbox,
    SourceKind.WEBHOOK: _check_webhook,
}


def youtube_channel(address: str) -> str | None:
    """The channel's id in an id, a channel's page or a feed's address; None when it has none."""
    if _CHANNEL.fullmatch(address):
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    page = _CHANNEL_PAGE.match(parts.path)
    given = page[1] if page else parse_qs(parts.query).get("channel_id", [""])[0]
    return given if _CHANNEL.fullmatch(given) else None


def youtube_feed(address: str) -> str:
    """The address of a channel's public feed, from whatever `youtube_channel` understands."""
    if "channel_id=" in address:
        return address
    return YOUTUBE_FEED.format(channel=youtube_channel(address))


def find_secret_problem(kind: SourceKind, secret: str) -> tuple[str, str] | None:
    """(what is wrong, what to do with the variable {}) of a source's secret; None when nothing is."""
    if not secret:
        what = (
            "the mailbox has no password" if kind is SourceKind.MAILBOX else "pushes have no secret to be signed with"
        )
        return what, "set {}, or active: false for the source"
    if kind is SourceKind.WEBHOOK and len(read_secret(secret)) < _SHORTEST_SECRET:
        return (
            f"the secret is shorter than {_SHORTEST_SECRET} bytes, or not base64 after whsec_",
            "set {} to whsec_ and 32 random bytes in base64",
        )
    return None


def read_secret(secret: str) -> bytes:
    """The bytes of a webhook's secret; empty when what follows whsec_ is not base64."""
    if not secret.startswith(_SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def host_of(address: str) -> str:
    """The host of an address in small letters; "" when it has none."""
    try:
        return (urlsplit(address).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""
