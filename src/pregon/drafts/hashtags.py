"""Hashtags from the network's term base: its own always, a topic's only where the source speaks of the topic.

They are taken as configured; in CamelCase a screen reader says their words one by one.
"""

from __future__ import annotations

import re

from pregon.drafts.context import DraftContext
from pregon.settings import Network
from pregon.types import Item

OWN = "network"
MAX_TAGS = 3
_TAG = re.compile(r"#\w+")
_UNSPLIT = re.compile(r"#[a-zà-ÿ0-9]{13,}")


def choose_hashtags(item: Item, language: str, context: DraftContext) -> str:
    """The network's hashtag and those of the topics that the item names, at most three, with spaces between."""
    own = context.network.hashtags.get(OWN, {}).get(language)
    topics = [tags[language] for key, tags in context.network.hashtags.items() if key != OWN and language in tags]
    named = [tag for tag in topics if _is_named(tag, item)]
    return " ".join([tag for tag in (own, *named) if tag][:MAX_TAGS])


def find_unsplit_hashtags(text: str) -> tuple[str, ...]:
    """Long hashtags without a capital: nobody hears where their words begin."""
    return tuple(_UNSPLIT.findall(text))


def find_misspelt_hashtags(text: str, network: Network) -> tuple[tuple[str, str], ...]:
    """(hashtag, as the term base has it) of each that is written with other capitals."""
    known = {tag.casefold(): tag for tags in network.hashtags.values() for tag in tags.values()}
    found = ((tag, known.get(tag.casefold(), tag)) for tag in dict.fromkeys(_TAG.findall(text)))
    return tuple((tag, right) for tag, right in found if tag != right)


def _is_named(tag: str, item: Item) -> bool:
    """Whether the source has the tag's words in a row: `#DigitalRights` for "digital rights"."""
    words = re.findall(r"[A-ZÀ-Þ]?[^A-ZÀ-Þ#\W_]+|[A-ZÀ-Þ]+(?![a-zà-ÿ])|\d+", tag)
    phrase = r"\W+".join(map(re.escape, words))
    return bool(words) and re.search(rf"\b{phrase}\b", f"{item.title or ''} {item.text}", re.IGNORECASE) is not None
