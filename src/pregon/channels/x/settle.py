"""Find a post whose answer was lost among the account's own recent posts. Posts nothing.

X shortens links, so the texts are compared with every t.co address replaced by what it stands for. Both of X's
vocabularies are read: `edit_history_tweet_ids`, `referenced_tweets` and their `post` names.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import tweepy

from pregon.channels.answers import is_settled_absence
from pregon.channels.clock import CLOCK_SKEW
from pregon.channels.threads import select_part
from pregon.channels.x.client import is_signed
from pregon.channels.x.send import Trouble
from pregon.types import DeliveryState, Outcome, Outgoing, Shipment

SAID_BEFORE = (
    "held: X has had this very text before, in another post, and takes it once. Change the text, release it to try again "
    "later, or post it by hand and mark it as sent"
)
PAGE = 100
_SCHEME = re.compile(r"\bhttps?://")
MAX_PAGES = 32  # the timeline goes back 3,200 posts


def settle_post(
    client: tweepy.Client, shipment: Shipment, delivery: Outgoing, now: datetime, grace_seconds: float
) -> Outcome:
    """Sent when exactly one own post has this text and parent; pending when none has, after `grace_seconds`."""
    part = select_part(shipment, delivery)
    unread = "X's timeline could not be read"
    try:
        posts, is_whole = _own_posts(client, delivery.attempted_at)
        matches = [
            post
            for post in posts
            if is_same_post(post, part.text, delivery.reply_to_id) and str(post["id"]) not in delivery.taken_ids
        ]
    except Trouble as error:
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, unread, repr(error))
    if matches:
        # Two copies cannot both be ours to count: the older one is the first attempt.
        oldest = min(matches, key=lambda post: int(post["id"]))
        return Outcome(delivery.delivery_id, DeliveryState.SENT, str(oldest["id"]), "found on the account's timeline")
    if not is_whole:
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, unread)
    if is_settled_absence((delivery,), now, grace_seconds):
        return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, "the account's timeline does not have it")
    return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, "not on the account's timeline yet")


def look_behind(
    client: tweepy.Client, shipment: Shipment, delivery: Outgoing, refusal: Outcome, now: datetime
) -> Outcome:
    """What X refused as a duplicate: sent when this very post is out, held when only another one can be meant."""
    found = settle_post(client, shipment, delivery, now, 0.0)
    if found.state is DeliveryState.PENDING:
        return replace(refusal, state=DeliveryState.HELD, detail=SAID_BEFORE)
    return found if found.state is DeliveryState.SENT else refusal


def is_same_post(post: Mapping[str, Any], text: str, reply_to_id: str | None) -> bool:
    """Whether a post of the timeline has this text and answers this parent."""
    return _parent(post) == reply_to_id and _normalise(_expand(post)) == _normalise(text)


def _own_posts(client: tweepy.Client, since: datetime | None) -> tuple[list[Mapping[str, Any]], bool]:
    """The posts since a day before, and whether X showed all of them."""
    account = client.get_me(user_auth=is_signed(client)).data["id"]
    options: dict[str, Any] = {
        "tweet_fields": ["created_at", "entities", "referenced_tweets"],
        "max_results": PAGE,
        "user_auth": is_signed(client),
    }
    if since:
        options["start_time"] = since - CLOCK_SKEW
    posts: list[Mapping[str, Any]] = []
    for _ in range(MAX_PAGES):
        answer = client.get_users_tweets(account, **options)
        posts += [post.data for post in answer.data or []]
        if answer.errors or "result_count" not in answer.meta:
            return posts, False
        token = answer.meta.get("next_token")
        if not token:
            return posts, True
        options["pagination_token"] = token
    return posts, False


def _expand(post: Mapping[str, Any]) -> str:
    text = str(post.get("text", ""))
    for link in (post.get("entities") or {}).get("urls", []):
        # Links to attached pictures are X's own addition and were never part of the text.
        full = "" if "media_key" in link else str(link.get("expanded_url") or link["url"])
        text = text.replace(str(link["url"]), full)
    return html.unescape(text)


def _normalise(text: str) -> str:
    # X gives a bare name that it made a link of a scheme.
    plain = _SCHEME.sub("", unicodedata.normalize("NFC", html.unescape(text)))
    return " ".join(plain.split())


def _parent(post: Mapping[str, Any]) -> str | None:
    references = post.get("referenced_tweets") or post.get("referenced_posts") or []
    for reference in references:
        if reference.get("type") == "replied_to":
            return str(reference["id"])
    return None
