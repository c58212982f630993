"""What one thread part asks of X: the arguments of a post, of a media upload and of its alt text. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from pregon.types import Media, PostPart

MAX_MEDIA = 4
MAX_ALT_TEXT = 1000
GIF = "image/gif"
# X publishes no least or largest segment for JSON; its index goes up to 999. A GIF has at most 15 MB: four segments.
SEGMENT_BYTES = 4_000_000


def build_post(part: PostPart, reply_to_id: str | None, media_ids: list[str]) -> dict[str, Any]:
    """The arguments of `tweepy.Client.create_tweet`."""
    arguments: dict[str, Any] = {"text": part.text}
    if reply_to_id:
        arguments["in_reply_to_tweet_id"] = reply_to_id
    if media_ids:
        arguments["media_ids"] = media_ids[:MAX_MEDIA]
    return arguments


def build_upload(media: Media) -> dict[str, str]:
    """The JSON of POST /2/media/upload for a still picture: one request, at most 5 MB.

    Since its 2.167 description X reads the kind from the picture itself and takes no `media_type`.
    """
    return {"media": base64.b64encode(media.data).decode(), "media_category": "tweet_image"}


def build_start(media: Media) -> dict[str, Any]:
    """The JSON of POST /2/media/upload/initialize for a GIF of at most 15 MB."""
    return {"media_category": "tweet_gif", "media_type": media.media_type, "total_bytes": len(media.data)}


def build_segments(media: Media) -> Iterator[dict[str, Any]]:
    """The JSON of each POST /2/media/upload/{id}/append, in order."""
    for index, start in enumerate(range(0, len(media.data), SEGMENT_BYTES)):
        data = base64.b64encode(media.data[start : start + SEGMENT_BYTES]).decode()
        yield {"media": data, "segment_index": index}


def build_alt_text(media_id: str, media: Media) -> dict[str, Any]:
    """The JSON of POST /2/media/metadata; X takes 1,000 characters."""
    return {"id": media_id, "metadata": {"alt_text": {"text": media.alt_text[:MAX_ALT_TEXT]}}}
