"""Find a post whose answer was lost among the account's own. Posts nothing.

A status comes back as HTML whose text, tags taken off, is what was posted: links are shown shortened by hidden spans,
and mentions without their server, unless it knows of no such account.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests

from pregon.channels.answers import is_settled_absence
from pregon.channels.clock import CLOCK_SKEW
from pregon.channels.mastodon.client import Client
from pregon.types import DeliveryState, Outcome, Outgoing, PostPart

PAGE = 40
MAX_PAGES = 25
_TROUBLE = (requests.RequestException, ValueError, KeyError, TypeError, AttributeError)


def settle_post(client: Client, part: PostPart, delivery: Outgoing, now: datetime, grace_seconds: float) -> Outcome:
    """Sent when an own post has this text and parent; pending when none has, after `grace_seconds`."""
    unread = "the account's posts could not be read"
    try:
        posts, is_whole = _own_posts(client, delivery.attempted_at)
        matches = [
            post
            for post in posts
            if is_same_post(post, part.text, delivery.reply_to_id) and str(post["id"]) not in delivery.taken_ids
        ]
    except _TROUBLE as error:
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, unread, repr(error))
    if matches:
        oldest = min(matches, key=lambda post: str(post["created_at"]))
        return Outcome(delivery.delivery_id, DeliveryState.SENT, str(oldest["id"]), "found among the account's posts")
    if not is_whole:
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, unread)
    if is_settled_absence((delivery,), now, grace_seconds):
        return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, "the account's posts do not have it")
    return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, "not among the account's posts yet")


def is_same_post(post: Mapping[str, Any], text: str, reply_to_id: str | None) -> bool:
    """Whether a status has this text and answers this parent."""
    parent = str(post["in_reply_to_id"]) if post.get("in_reply_to_id") else None
    return parent == reply_to_id and _squeeze(_short(_plain(str(post.get("content", ""))))) == _squeeze(_short(text))


def _own_posts(client: Client, since: datetime | None) -> tuple[list[Mapping[str, Any]], bool]:
    """The posts since a day before, and whether these are all of them."""
    account = client.read("/api/v1/accounts/verify_credentials")["id"]
    query: dict[str, Any] = {"limit": PAGE, "exclude_reblogs": "true"}
    posts: list[Mapping[str, Any]] = []
    for _ in range(MAX_PAGES):
        page = client.read(f"/api/v1/accounts/{account}/statuses", **query)
        if not isinstance(page, list):
            raise TypeError(repr(page)[:200])
        posts += page
        if not page or (since and _time(page[-1]) < since - CLOCK_SKEW):
            return posts, True
        query["max_id"] = str(page[-1]["id"])
    return posts, False


def _time(post: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(post["created_at"]).replace("Z", "+00:00"))


def _plain(content: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", content))


def _short(text: str) -> str:
    return re.sub(r"(@[A-Za-z0-9_.-]+)@[A-Za-z0-9.-]+[A-Za-z0-9]", r"\1", text)


def _squeeze(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())
