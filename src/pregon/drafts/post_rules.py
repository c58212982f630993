"""How each channel counts a post, and how much of it it takes.

Sources: X's counting rules (see `weight`); Mastodon counts grapheme clusters, each link as 23 whatever its length, and of
a mention @user@server only @user (500 unless a server says otherwise); Bluesky counts grapheme clusters, links in full
(300, and 3,000 bytes, which 300 clusters seldom reach), and takes pictures of 1,000,000 bytes; Discourse takes 32,000
characters below a title and pictures of 4 MiB unless a site says otherwise. Renders and cuts nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import regex

from pregon.drafts.weight import LIMIT, LINK_WEIGHT, find_urls, weighted_length
from pregon.types import ChannelName

_MENTION = regex.compile(r"(?<![\w/])@([a-z0-9_]+(?:[a-z0-9_.-]+[a-z0-9_]+)?)@[\w.-]+\w", regex.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PostRules:
    """What a channel is called, how much a post may count there, and how that is counted.

    `picture_bytes`: how large a picture may be, where that is less than X takes.
    """

    label: str
    limit: int
    measure: Callable[[str], int]
    picture_bytes: int | None = None


def count_topic(text: str) -> int:
    """How many characters a forum topic has below its first line, which is its title."""
    return len(text.strip().partition("\n")[2].strip())


def _count_clusters(text: str) -> int:
    return len(regex.findall(r"\X", unicodedata.normalize("NFC", text)))


def _count_mastodon(text: str) -> int:
    text = unicodedata.normalize("NFC", text)
    for start, end in reversed(find_urls(text)):
        if text[start:end].lower().startswith(("http://", "https://")):
            text = text[:start] + "x" * LINK_WEIGHT + text[end:]
    return _count_clusters(_MENTION.sub(r"@\1", text))


X_RULES = PostRules("X", LIMIT, weighted_length)
_RULES = {
    ChannelName.X: X_RULES,
    ChannelName.MASTODON: PostRules("Mastodon", 500, _count_mastodon),
    ChannelName.BLUESKY: PostRules("Bluesky", 300, _count_clusters, picture_bytes=1_000_000),
    ChannelName.DISCOURSE: PostRules("the forum", 32_000, count_topic, picture_bytes=4_194_304),
}
POST_CHANNELS = tuple(_RULES)


def rules_of(channel: ChannelName) -> PostRules:
    """The rules of a channel that takes posts. Raises KeyError for one that does not."""
    return _RULES[channel]


def post_limit(channel: ChannelName) -> int:
    """How much a post may count on this channel."""
    return _RULES[channel].limit


def post_length(text: str, channel: ChannelName) -> int:
    """How much the text counts on this channel."""
    return _RULES[channel].measure(text)
