"""What one thread part asks of X: the arguments of a post, of a media upload and of its alt text. Pure."""

from __future__ import annotations

import base64
from typing import Any

from pregon.types import Media, Outgoing, PostPart, Shipment, ThreadBody

MAX_MEDIA = 4
MAX_ALT_TEXT = 1000


def select_part(shipment: Shipment, delivery: Outgoing) -> PostPart:
    """The part of the thread that this delivery is. Raises ValueError when the content has no such part."""
    body = shipment.content.body
    if not isinstance(body, ThreadBody) or not 0 <= delivery.position < len(body.parts):
        raise ValueError(f"the content has no thread part {delivery.position}")
    return body.parts[delivery.position]


def build_post(part: PostPart, reply_to_id: str | None, media_ids: list[str]) -> dict[str, Any]:
    """The arguments of `tweepy.Client.create_tweet`."""
    arguments: dict[str, Any] = {"text": part.text}
    if reply_to_id:
        arguments["in_reply_to_tweet_id"] = reply_to_id
    if media_ids:
        arguments["media_ids"] = media_ids[:MAX_MEDIA]
    return arguments


def build_upload(media: Media) -> dict[str, str]:
    """The JSON of POST /2/media/upload for a picture: one request, at most 5 MB, for a GIF 15 MB."""
    return {
        "media": base64.b64encode(media.data).decode(),
        "media_category": "tweet_gif" if media.media_type == "image/gif" else "tweet_image",
        "media_type": media.media_type,
    }


def build_alt_text(media_id: str, media: Media) -> dict[str, Any]:
    """The JSON of POST /2/media/metadata; X takes 1,000 characters."""
    return {"id": media_id, "metadata": {"alt_text": {"text": media.alt_text[:MAX_ALT_TEXT]}}}
