"""How an item is called in a draft: its label ("Circular 46"), its title and topic, its subject, who signs."""

from __future__ import annotations

import re

from pregon.drafts.words import Words, set_type, write_date
from pregon.types import Item

# A title in two parts names the body first and then the topic.
_TITLE_PARTS = " — "


def write_label(item: Item, words: Words) -> str:
    """What the item is, with its number: `Circular 46`; "" when its title begins with it already."""
    kind = words.text(f"kinds.{item.kind.value}")
    if item.number is not None:
        return words.text("numbered", kind=kind, number=item.number)
    return "" if (item.title or "").casefold().startswith(kind.casefold()) else kind


def write_title(item: Item, words: Words) -> str:
    """The topic, which is the title or its second part; without a title the label."""
    topic = (item.title or "").rpartition(_TITLE_PARTS)[2].strip()
    return set_type(topic, words.language, adding=False) or write_label(item, words)


def write_eyebrow(item: Item, words: Words) -> str:
    """What stands above the title: the label, and the first part of a title in two."""
    body = (item.title or "").rpartition(_TITLE_PARTS)[0].strip()
    parts = [write_label(item, words), set_type(body, words.language, adding=False)]
    return " · ".join(part for part in parts if part)


def write_subject(item: Item, words: Words, key: str = "subject") -> str:
    """`Circular 46 · topic` for a mail, `Circular 46: topic` (key `post_head`) for a post."""
    label, title = write_label(item, words), write_title(item, words)
    return words.text(key, label=label, topic=title) if label and label != title else title


def write_dateline(item: Item, words: Words) -> str:
    """Place and date in the words' language: `Barcelona, 25 June 2018`."""
    if item.date is None:
        return item.place or ""
    written = write_date(item.date, words.language)
    return words.text("dateline", place=item.place, date=written) if item.place else written


def write_salutation(item: Item, words: Words) -> str:
    """The source's own salutation with the language's sign after it; "" when the source has none."""
    text = (item.salutation or "").rstrip(" ,:;\u00a0")
    return words.text("salutation", text=text) if text else ""


def sign(item: Item, words: Words) -> str:
    """Who signs, and in whose name, as the source's own line has it where it can be found."""
    lines = [item.issuer or ""]
    if item.on_behalf_of:
        lines.append(_quote_line(item.text, item.on_behalf_of) or words.text("on_behalf", body=item.on_behalf_of))
    return "\n".join(line for line in lines if line)


def _quote_line(text: str, body: str) -> str:
    """The words of the line before `body` and the body itself: French and Spanish merge article and preposition."""
    match = re.search(rf"^[*_> ]*(?P<before>[^\n*_|]{{1,40}}){re.escape(body)}", text, re.MULTILINE)
    return f"{match['before']}{body}".strip() if match else ""
