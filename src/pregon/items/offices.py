"""Where a text says who holds an office ("Mayor Ana Ruiz", "M. Le Goff, maire de Rive"): what is true for a term only."""

from __future__ import annotations

import re

from pregon.types import Span

_OFFICE = (
    r"(?i:\b(?:vice-?)?(?:(?:lord |deputy )?mayor(?:ess)?|president[ea]?|pr[ée]sidente?|chair(?:man|woman|person)?|maire|bourgmestre|"
    r"alcalde(?:sa)?|alcaldessa|ministre|minist(?:er|r[oa])|(?:city )?councillor|concejal[a]?|adjointe?|échevine?|"
    r"secretary[- ]general|secr[ée]taire g[ée]n[ée]rale?|secretari[oa] general)\b)"
)
_TITLE = r"(?:M\.|MM\.|Mme|Mlle|Mrs?\.?|Ms\.?|Dr\.?|Sra?\.|D\.|Don|Doña|Dña\.)"
_WORD = r"[A-ZÀ-ÖØ-Þ][\w'’-]{1,30}"
_B = r"[ \t\u00a0\u202f]{1,3}"
# One word is a name only behind a title: "Mayor Today" and "President, Portamar" name nobody.
_NAME = rf"(?:{_TITLE}{_B}{_WORD}|{_WORD}{_B}(?:(?:de|da|del|van|von|le|la){_B}){{0,2}}{_WORD})"
_OF = rf"(?:{_B}(?:of|de|du|des|del|d['’])[^\n.,;:()]{{1,60}})?"
_HOLDERS = (
    re.compile(rf"{_OFFICE}{_B}{_NAME}"),
    re.compile(rf"{_OFFICE}{_OF}(?:{_B})?[:,–-]{_B}{_NAME}"),
    re.compile(rf"{_NAME},{_B}(?:(?:the|la|le|el){_B}|l['’])?{_OFFICE}"),
)


def find_office_holder(text: str) -> Span | None:
    """The first place that names a person with an office; None when there is none."""
    found = [match.span() for pattern in _HOLDERS if (match := pattern.search(text))]
    return min(found, default=None)
