"""Marks in a draft where a person (or a translator, later) must put a text. A draft that holds one cannot go out."""

from __future__ import annotations

from pregon.drafts.words import Words

OPENING, CLOSING = "⟦", "⟧"


def mark_missing(words: Words, source_language: str) -> str:
    """The mark, which says in the draft's language that the text exists in the source's."""
    return f"{OPENING}{words.text('missing', language=words.name_language(source_language))}{CLOSING}"


def is_missing(text: str) -> bool:
    """Whether a text still holds a mark."""
    return OPENING in text or CLOSING in text
