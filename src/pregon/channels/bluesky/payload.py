"""What a post is on Bluesky: the record, its key, and the places in its text that are links or tags. Pure.

Sources: the AT Protocol's specifications (record keys of the form TID: 13 characters of a sortable base 32, the first bit
zero) and the lexicons app.bsky.feed.post, app.bsky.richtext.facet and app.bsky.embed.images.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pregon.types import PostPart

COLLECTION = "app.bsky.feed.post"
MAX_MEDIA = 4
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_LINK = re.compile(r"https?://[^\s<>\"]+")
_TAG = re.compile(r"(?<!\S)#([^\s#.,;:!?()\[\]\"']{1,64})")


def make_key(delivery_id: str) -> str:
    """The record key of a delivery: always the same, so that it cannot be posted twice."""
    number = int.from_bytes(hashlib.sha256(delivery_id.encode()).digest()[:8]) >> 1
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(60, -1, -5))


def build_record(
    part: PostPart, language: str, blobs: list[dict[str, Any]], reply: dict[str, Any] | None, now: datetime
) -> dict[str, Any]:
    """The record of a post. `blobs` are the uploaded pictures in order; `reply` names root and parent."""
    at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record: dict[str, Any] = {"$type": COLLECTION, "text": part.text, "createdAt": at}
    if language:
        record["langs"] = [language]
    facets = list(find_facets(part.text))
    if facets:
        record["facets"] = facets
    if reply:
        record["reply"] = reply
    if blobs:
        pictures = [{"alt": m.alt_text, "image": blob} for m, blob in zip(part.media, blobs, strict=False)]
        record["embed"] = {"$type": "app.bsky.embed.images", "images": pictures}
    return record


def find_facets(text: str) -> Iterator[dict[str, Any]]:
    """Links and tags with where they stand, in bytes of UTF-8."""
    for match in _LINK.finditer(text):
        address = _trim(match[0])
        yield _facet(text, match.start(), match.start() + len(address), {"$type": f"{_FACET}#link", "uri": address})
    for match in _TAG.finditer(text):
        if not match[1].isdigit():
            yield _facet(text, match.start(), match.end(), {"$type": f"{_FACET}#tag", "tag": match[1]})


_FACET = "app.bsky.richtext.facet"


def _trim(address: str) -> str:
    """The link without what ends a sentence, and without a bracket that it does not open."""
    address = address.rstrip(".,;:!?'\"")
    return address[:-1] if address.endswith(")") and "(" not in address else address


def _facet(text: str, start: int, end: int, feature: dict[str, str]) -> dict[str, Any]:
    first, last = len(text[:start].encode()), len(text[:end].encode())
    return {"index": {"byteStart": first, "byteEnd": last}, "features": [feature]}
