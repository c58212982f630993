"""What a topic asks of a Discourse forum. Pure.

Source: Discourse's API description (POST /posts.json, /uploads.json, GET /t/external_id/ID.json), what it shows of the
posts that wait for a moderator (GET /posts/USER/pending.json: `title`, no external id), and its validations:
an external id has at most 50 letters, digits, - or _, belongs to one topic, and keeps a second one from being made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pregon.types import Media, Outgoing, Shipment, TopicBody

EXTERNAL_ID = re.compile(r"[\w-]{1,50}")
# Characters that would end the description of a picture in Markdown, or count as its size.
_MARKUP = re.compile(r"[\[\]|\n]+")


def select_topic(shipment: Shipment) -> TopicBody:
    """The topic of a shipment. Raises ValueError when the content is something else."""
    body = shipment.content.body
    if not isinstance(body, TopicBody) or len(body.parts) != 1:
        raise ValueError("the content is no forum topic")
    return body


def build_topic(topic: TopicBody, delivery: Outgoing, pictures: Sequence[str] = ()) -> dict[str, Any]:
    """The JSON of a new topic; `pictures` is the Markdown of each picture that is uploaded."""
    if not EXTERNAL_ID.fullmatch(delivery.delivery_id):
        raise ValueError("a delivery id that a forum cannot keep")
    body: dict[str, Any] = {
        "title": topic.title,
        "raw": "\n\n".join([topic.text, *pictures]),
        "category": topic.category,
        "external_id": delivery.delivery_id,
    }
    if topic.tags:
        body["tags"] = list(topic.tags)
    return body


def show_picture(media: Media, address: str) -> str:
    """The Markdown that shows an uploaded picture with its description."""
    return f"![{_MARKUP.sub(' ', media.alt_text).strip()}]({address})"


def read_topic_id(location: str) -> str | None:
    """The topic that /t/external_id/ID.json leads to: the first number of /t/SLUG/ID or /t/ID; None for elsewhere."""
    found = re.search(r"/t/(?:[^/?#]*[^/?#\d][^/?#]*/)?(\d+)(?:[/.?#]|$)", location)
    return found[1] if found else None


def is_waiting(topic: TopicBody, pending: Any) -> bool:
    """Whether a topic of this title is among what waits for a moderator. Raises KeyError or TypeError for another answer."""
    return any(_fold(str(each["title"] or "")) == _fold(topic.title) for each in pending["pending_posts"])


def _fold(title: str) -> str:
    return " ".join(title.split()).casefold()
