"""Whether a document says that its meeting does not take place. Only plain statements count; a doubt is no."""

from __future__ import annotations

import re

from pregon.items.texts import fold
from pregon.types import Item

_WHERE = 1_500
_MEETING = r"(?:meeting|event|session|workshop|webinar|conference|reunion|rencontre|evenement|atelier|seminaire|webinaire|conferencia|evento|sesion|taller|seminario|jornada|encuentro)"
_DONE = r"(?:cancell?ed|called off|annulee?s?|cancelad[oa]s?|anulad[oa]s?|suspendid[oa]s?)"
_IS = r"(?:is|are|was|has been|have been|had to be|est|sont|a ete|a du etre|ont ete|ha sido|han sido|queda|quedan|esta|se ha)"
_SENTENCE = re.compile(rf"\b{_MEETING}\w*\b[^.!?\n]{{0,120}}?\b{_IS} {_DONE}\b")
_TITLE = re.compile(rf"(?:^\W*|[:–—-]\s*|[(\[])\b{_DONE}\b")


def says_cancelled(item: Item) -> bool:
    """Whether the item has a meeting and says, in its title or near its beginning, that it is cancelled."""
    if not item.events:
        return False
    return bool(_TITLE.search(fold(item.title or "")) or tells_cancellation(fold(item.text[:_WHERE])))


def tells_cancellation(folded: str) -> bool:
    """Whether a folded text says of a meeting that it is cancelled."""
    return _SENTENCE.search(folded) is not None
