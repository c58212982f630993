"""Public counters of posts, read from X in batches of 100 ids. Both of X's vocabularies are understood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import tweepy

from pregon.channels.x.client import is_signed
from pregon.channels.x.send import Trouble
from pregon.types import Outgoing, Sample

BATCH = 100
# X renamed retweets to reposts in the 2.167 description of its API; one metric name here for both.
_METRICS = {
    "impression_count": "impressions",
    "like_count": "likes",
    "reply_count": "replies",
    "repost_count": "reposts",
    "retweet_count": "reposts",
    "quote_count": "quotes",
    "bookmark_count": "bookmarks",
}


def sample_posts(client: tweepy.Client, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
    """Impressions, likes, replies, reposts, quotes and bookmarks of each posted part; nothing for what X withholds."""
    named = {delivery.provider_id: delivery.delivery_id for delivery in deliveries if delivery.provider_id}
    ids = list(named)
    samples: list[Sample] = []
    for start in range(0, len(ids), BATCH):
        for post in _read(client, ids[start : start + BATCH]):
            samples += _samples(named[str(post["id"])], post.get("public_metrics") or {}, at)
    return tuple(samples)


def _read(client: tweepy.Client, ids: list[str]) -> Iterator[Mapping[str, Any]]:
    try:
        answer = client.get_tweets(ids, tweet_fields=["public_metrics"], user_auth=is_signed(client))
    except Trouble:
        return  # a counter missed now is read at the next pass
    yield from (post.data for post in answer.data or [])


def _samples(delivery_id: str, counters: Mapping[str, Any], at: datetime) -> list[Sample]:
    values = {_METRICS[name]: int(value) for name, value in counters.items() if name in _METRICS}
    return [Sample(delivery_id, metric, value, at) for metric, value in values.items()]
