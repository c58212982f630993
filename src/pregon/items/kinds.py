"""What sort of announcement a document is, judged by its content: points for each sign, the most points win.

When the two best are within a point of each other the answer is unsure, and an officer is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pregon.items.texts import fold
from pregon.types import Kind

_TITLE_SIGNS = {
    Kind.VIDEO: (r"\bvideos?\b|watch|recording|enregistrement|grabacion|regardez", 3),
    Kind.STUDY: (r"\b(?:study|etude|estudio|report|rapport|informe|research)\b", 3),
    Kind.PRACTICE: (r"(?:good|best|bonnes?|buenas?|meilleures?|mejores?) (?:practices?|pratiques?|practicas?)|\bpractice\b|case study|\bpratique\b|\bpractica\b", 4),
    Kind.MEETING: (r"\b(?:meeting|webinar|workshop|assembly|conference|congress|reunion|webinaire|atelier|assemblee|rencontres?|congres|encuentro|taller|asamblea|congreso|seminar|seminaire|seminario|learning session|save the date|jornadas?)\b", 3),
}  # fmt: skip
_RELEASE = re.compile(
    r"(?:edition|edicion|study|etude|estudio)\b.{0,120}\b(?:available|released?|published|publishe?s?|out now|launch|disponible|parait|paru|publiee?|"
    r"publica\w*|lancee?|presenta\w*)|(?:available|released?|published|publie|publiee|publicad[oa]|disponible|presentamos|publica|publish|launch\w*)\b.{0,120}\b(?:edition|edicion|study|etude|estudio)"
)
# A call for practices is no practice.
_CALL = re.compile(r"^\W*(?:\w+ )?(?:call for|appel a|convocatoria|call to)\b")
SURE_MARGIN = 2


def judge_kind(
    title: str | None,
    lead: str,
    *,
    numbered: bool,
    letter: bool,
    practice_fields: int,
    events: int,
    videos: int,
    downloads: int,
    length: int,
) -> tuple[Kind, Kind | None]:
    """The kind, and the runner-up when it is too close to call (else None).

    `numbered`: a circular's number in the header; `letter`: salutation and closing; `length`: characters of text.
    """
    points = _points_of_title(fold(title or ""))
    points[Kind.CIRCULAR] = 6 * numbered + 2 * letter
    points[Kind.PRACTICE] += 2 * max(0, practice_fields - 1)
    points[Kind.MEETING] += 3 if events else 0
    points[Kind.VIDEO] += (3 if length < 1500 else 1) if videos else -3
    points[Kind.STUDY] += (3 if _RELEASE.search(fold(lead)) else 0) + (2 if downloads else 0)
    points[Kind.NEWS] = 3
    return _winner(points)


def _points_of_title(folded: str) -> dict[Kind, int]:
    points = dict.fromkeys(Kind, 0)
    called_for = {Kind.PRACTICE, Kind.STUDY, Kind.VIDEO} if _CALL.search(folded) else set()
    for kind, (pattern, value) in _TITLE_SIGNS.items():
        if kind not in called_for and re.search(pattern, folded):
            points[kind] += value
    return points


def _winner(points: Mapping[Kind, int]) -> tuple[Kind, Kind | None]:
    ranked = sorted(points, key=lambda kind: (-points[kind], list(Kind).index(kind)))
    best, second = ranked[0], ranked[1]
    if points[best] <= points[Kind.NEWS]:
        rival = best if best is not Kind.NEWS else second
        return Kind.NEWS, rival if points[rival] == points[Kind.NEWS] and rival is not Kind.NEWS else None
    close = points[best] - points[second] < SURE_MARGIN and second is not Kind.NEWS
    return best, second if close else None
