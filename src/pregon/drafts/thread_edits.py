"""What an officer does to the parts of a thread: split, join, move. Pure; a part's pictures go with it.

Numbers such as "2/3" on a part's last line are written anew after each change, where the thread had them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pregon.types import Media, PostFields

_NUMBER = re.compile(r"\s*\n\s*\d{1,2}/(\d{1,2})\s*$")
_SENTENCE_END = re.compile(r"[.!?…][\"'»”’)]*(?=\s)|(?<=\S)(?=\n)")
_MOST_PARTS = 25
Part = tuple[str, tuple[Media, ...]]


def renumber_parts(parts: Sequence[str]) -> tuple[str, ...]:
    """The parts with their numbers as they now stand; a thread that no part of which is numbered stays so."""
    if not any(_is_numbered(part) for part in parts):
        return tuple(parts)
    bare = [strip_number(part) for part in parts]
    if len(bare) == 1:
        return tuple(bare)
    return tuple(f"{part}\n{place}/{len(bare)}" for place, part in enumerate(bare, 1))


def strip_number(part: str) -> str:
    """The part without the number on its last line."""
    return _NUMBER.sub("", part) if _is_numbered(part) else part


def _is_numbered(part: str) -> bool:
    match = _NUMBER.search(part)
    return match is not None and 1 < int(match[1]) <= _MOST_PARTS


def split_part(fields: PostFields, at: int, cursor: int = 0) -> PostFields:
    """One part as two: at the cursor, else at the end of the sentence nearest to its middle. Its pictures stay first."""
    parts = list_parts(fields)
    if not 0 <= at < len(parts):
        return fields
    text, pictures = parts[at]
    cut = cursor if 0 < cursor < len(text) else _find_middle(text)
    first, second = text[:cut].rstrip(), text[cut:].lstrip()
    if not first or not second:
        return fields
    return write_parts(fields, [*parts[:at], (first, pictures), (second, ()), *parts[at + 1 :]])


def _find_middle(text: str) -> int:
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if text[match.end() :].strip()]
    return min(ends, key=lambda end: abs(end - len(text) // 2), default=0)


def join_parts(fields: PostFields, at: int) -> PostFields:
    """One part and the next as one, with the pictures of both."""
    parts = list_parts(fields)
    if not 0 <= at < len(parts) - 1:
        return fields
    (first, one), (second, two) = parts[at], parts[at + 1]
    return write_parts(fields, [*parts[:at], (f"{strip_number(first)}\n\n{second}", one + two), *parts[at + 2 :]])


def move_part(fields: PostFields, at: int, by: int) -> PostFields:
    """One part before (-1) or after (1) its neighbour."""
    parts, other = list_parts(fields), at + by
    if not (0 <= at < len(parts) and 0 <= other < len(parts)):
        return fields
    parts[at], parts[other] = parts[other], parts[at]
    return write_parts(fields, parts)


def list_parts(fields: PostFields) -> list[Part]:
    """Each part with its pictures."""
    media = [*fields.media, *[()] * len(fields.parts)]
    return list(zip(fields.parts, media, strict=False))


def write_parts(fields: PostFields, parts: Sequence[Part]) -> PostFields:
    """The fields with these parts, numbered anew."""
    texts = renumber_parts([text for text, _ in parts])
    media = tuple(pictures for _, pictures in parts)
    return replace(fields, parts=texts, media=media if any(media) else ())
