"""Until when a document may not be passed on, as it says itself: an embargo with its date, and its time if it has one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from pregon.items.dates import FoundDate
from pregon.items.events import read_start
from pregon.items.texts import sentence_around
from pregon.types import Span

_EMBARGO = re.compile(
    r"\b(?:under embargo|embargo(?:ed)? until|embargo(?:ed)?\s*:|sous embargo|embargo jusqu|bajo embargo|embargad[oa] hasta|"
    r"embargo hasta|not for (?:publication|release) before|ne pas (?:publier|diffuser) avant|no publicar antes d)",
    re.IGNORECASE,
)
_REACH = 200


def find_embargo(text: str, dates: Sequence[FoundDate], reference: date | None) -> tuple[str | None, Span] | None:
    """(the moment in ISO 8601 as for events, or None when no day is given; where it says so). None: no embargo."""
    match = _EMBARGO.search(text)
    if match is None:
        return None
    line_end = text.find("\n", match.end())
    end = min(len(text) if line_end < 0 else line_end, match.start() + _REACH)
    one = next((found for found in dates if match.start() <= found.span[0] < end), None)
    day = one.resolve(reference) if one else None
    if one is None or day is None:
        return None, sentence_around(text, match.span())
    return read_start(text, one, (match.start(), end), day), (match.start(), max(end, one.span[1]))
