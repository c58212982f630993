"""The name of a campaign in links and addresses: `<yyyy>-<type>-<id>`, lower case, ASCII, at most 60 characters."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from pregon.types import Item

MAX_LENGTH = 60


def campaign_slug(item: Item, identity: str) -> str:
    """The item's campaign slug. `identity` (the item's own) sets apart items that have no number.

    A year that the item does not state is left out rather than guessed.
    """
    year = item.year or (item.date.year if item.date else None)
    head = "-".join(part for part in (str(year) if year else "", item.kind.value) if part)
    if item.number is not None:
        return f"{head}-{item.number}"[:MAX_LENGTH]
    tail = hashlib.sha256(identity.encode()).hexdigest()[:6]
    room = MAX_LENGTH - len(head) - len(tail) - 2
    return "-".join(part for part in (head, _to_words(item.title or "", room), tail) if part)


def _to_words(title: str, room: int) -> str:
    """The title's first whole words as ASCII, joined by hyphens, in at most `room` characters."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    chosen = ""
    for word in re.findall(r"[a-z0-9]+", plain):
        longer = f"{chosen}-{word}".lstrip("-")
        if len(longer) > room:
            break
        chosen = longer
    return chosen
