"""The header of a circular: its number and year, place and date line, series, title; who signs, and for whom.

Only the header is asked for a number: a circular that is mentioned in the running text is another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from pregon.items.dates import WEEKDAYS, FoundDate
from pregon.items.structure import Layout, Line, Passage
from pregon.items.texts import clean_inline, fold
from pregon.types import Span

_NUMBER = re.compile(
    r"(?:\*\*|#+\s|_|\s)*(?:lettre\s|carta\s)?(?:circulaire|circular)\s*(?:letter\s*)?"
    r"(?:n\s?[°ºo]\.?\s?|no\.\s?|num\.?\s?|nº\s?|núm\.?\s?|number\s|numéro\s|número\s|#\s?)?(\d{1,4})(?!\d)"
    r"(?:\s?[/-]\s?((?:19|20)\d\d|\d\d)(?!\d))?\s*(?:\*\*)?\s*(?:[:.—–-]\s*(?P<rest>\S.*))?$",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?:\*\*)?([^\W\d_][\w '’-]{1,30}?)\s?(?:\*\*)?\s?:\s?(?:\*\*)?\s*(\S.*)?$")
_SUBJECT = frozenset({"subject", "objet", "asunto", "re", "sujet", "title", "titre", "titulo"})
_DATE_LABELS = frozenset({"date", "fecha"})
_FACTS = frozenset((
    "date", "fecha", "place", "venue", "lieu", "lugar", "languages", "language", "langues", "langue", "idiomas",
    "idioma", "time", "heure", "hora", "when", "where", "quand", "cuando", "donde", "deadline", "city", "ville",
    "ciudad", "country", "pays", "pais", "axis", "axe", "eje", "contact", "contacto", "from", "to", "de", "a", "by",
    "author", "auteur", "autor", "president", "presidente", "presidency",
))  # fmt: skip
# Beside one of these, a line "Date: ..." is the day of a meeting and not of the document.
_MEETING_LABELS = frozenset((
    "place", "venue", "where", "lieu", "ou", "lugar", "sede", "donde", "time", "hour", "hours", "heure", "heures",
    "horaire", "hora", "horario",
))  # fmt: skip
_RECIPIENTS = re.compile(
    r"(?:to (?:the|all|our)|aux? |a l'attention|a (?:los|las|todos)|para |for information|pour information)"
)
_ON_BEHALF = re.compile(
    r"(?:au nom d(?:e|u|es)(?: la| l['’´]| les)?|on behalf of|en nombre de(?:l)?|pour le compte de|for and on behalf of)\s+",
    re.IGNORECASE,
)
_LEAD = r"(?:(?:le|on|the|a|el)\s+)?(?:(?P<weekday>[^\W\d_]{5,9}),?\s+)?(?:(?:the|le|el)\s+)?$"
_BEFORE_DATE = re.compile(_LEAD, re.IGNORECASE)
_PLACE_DATE = re.compile(r"(?P<place>[^\W\d_][^\d,:;.!?]{1,60}?)(?:\s?\([^()]{2,30}\))?,\s+" + _LEAD, re.IGNORECASE)
_NO_PLACES = frozenset((
    "by", "before", "until", "till", "deadline", "avant", "antes", "hasta", "register", "registration",
    "inscription", "inscripcion", "updated", "published", "posted", "publie", "publiee", "mis", "actualizado",
    "publicado", "date", "fecha", "today", "aujourd'hui", "hoy",
))  # fmt: skip
_BANNER = re.compile(
    r"save the date|invitation|invitacion|reserven? la fecha|retenez la date|a vos agendas|press release|communique(?: de presse)?|"
    r"nota de prensa|news|actualites?|noticias?|newsletter|news item"
)
_BOLD_TAIL = re.compile(r"([^*]{3,200}?)[ \t]*[-–—:|]?[ \t]*\*\*([^*]{3,300})\*\*$")
_SIGN_LABEL = re.compile(
    r"(?:web|website|site|twitter|x|youtube|facebook|linkedin|e-?mail|courriel|correo|tel|tfno|telephone)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Header:
    """What the header and the signature state; `spans` says where."""

    number: int | None = None
    year: int | None = None
    date: date | None = None
    place: str | None = None
    series: str | None = None
    title: str | None = None
    issuer: str | None = None
    on_behalf_of: str | None = None
    spans: dict[str, Span] = field(default_factory=dict)


def read_header(layout: Layout, dates: Sequence[FoundDate], fallback_title: str | None = None) -> Header:
    """The facts of the header. Without a salutation, the first passages stand for it."""
    header = Header()
    passages = layout.header if layout.salutation else _opening(layout.body)
    announced = not layout.salutation and any(
        _label_in(line) in _MEETING_LABELS for one in passages for line in one.lines
    )
    rest: list[tuple[Line, Passage]] = []
    for passage in passages:
        for line in passage.lines:
            of_meeting = announced and _label_in(line) in _DATE_LABELS
            if of_meeting or not (_take_number(header, line) or _take_date(header, line, dates)):
                rest.append((line, passage))
    if header.number is not None and header.year is None and header.date is not None:
        header.year = header.date.year
    _take_title(header, rest, passages, layout)
    if header.title is None and fallback_title:
        header.title = fallback_title
    _take_signature(header, layout.signature)
    return header


def _label_in(line: Line) -> str:
    label = split_label(line.text)
    return label[0] if label else ""


def split_label(line: str) -> tuple[str, str] | None:
    """("place", "Portamar") of "Place: Portamar" (label folded); None when the line is not labelled."""
    found = _LABEL.match(line)
    return (fold(found[1]).strip(), clean_inline(found[2] or "")) if found and "//" not in found[1] else None


def _opening(body: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages before the first long one."""
    opening = []
    for passage in body[:8]:
        if passage.type in {"list", "quote"} or len(passage.text) > 200:
            break
        opening.append(passage)
    return tuple(opening)


def _take_number(header: Header, line: Line) -> bool:
    found = _NUMBER.match(line.text) if len(line.text) <= 300 else None
    if not found:
        return False
    if header.number is None:
        header.number = int(found[1])
        header.spans["number"] = _shift(line, found.span(1))
        if found[2]:
            header.year = int(found[2]) if len(found[2]) == 4 else 2000 + int(found[2])
            header.spans["year"] = _shift(line, found.span(2))
        if found["rest"] and header.title is None:
            header.title = clean_inline(found["rest"])
            header.spans["title"] = _shift(line, found.span("rest"))
    return True


def _take_date(header: Header, line: Line, dates: Sequence[FoundDate]) -> bool:
    """A line that is a date, with or without a place or the label Date before it."""
    one = next((one for one in dates if line.span[0] <= one.span[0] and one.span[1] <= line.span[1]), None)
    if one is None or one.last or one.year is None or header.date is not None or len(line.text) > 120:
        return False
    before = line.text[: one.span[0] - line.span[0]].lstrip("*_# ")
    after = line.text[one.span[1] - line.span[0] :].strip(" .*_")
    plain = _is_plain(before)
    place = None if plain else _place_in(before)
    if after or not (plain or place):
        return False
    header.date = one.resolve()
    header.spans["date"] = one.span
    if place:
        header.place = place
        start = line.text.index(place) + line.span[0]
        header.spans["place"] = (start, start + len(place))
    return header.date is not None


def _is_plain(before: str) -> bool:
    """Whether nothing but a weekday, an article or the label Date stands before a date."""
    if fold(before).strip(" :*") in _DATE_LABELS:
        return True
    found = _BEFORE_DATE.match(before)
    return bool(found) and (not found["weekday"] or fold(found["weekday"]) in WEEKDAYS)  # type: ignore[index]


def _place_in(before: str) -> str | None:
    """The place of "Portamar, Friday the": it stands before a comma and its first word has a capital."""
    found = _PLACE_DATE.match(before)
    if not found or (found["weekday"] and fold(found["weekday"]) not in WEEKDAYS):
        return None
    place = found["place"].strip()
    words = fold(place).split()
    known = len(words) <= 6 and place[0].isupper() and not _NO_PLACES & set(words) and words[0] not in WEEKDAYS
    return place if known else None


def _take_title(header: Header, rest: list[tuple[Line, Passage]], passages: Sequence[Passage], layout: Layout) -> None:
    candidates: list[tuple[Line, Passage]] = []
    for line, passage in rest:
        label = split_label(line.text)
        if label and label[0] in _SUBJECT and label[1]:
            header.title = header.title or label[1]
            header.spans.setdefault("title", line.span)
        elif not _RECIPIENTS.match(fold(clean_inline(line.text))) and not (label and _is_fact(label[0])):
            candidates.append((line, passage))
    if layout.salutation or header.number is not None:
        _choose_from_header(header, candidates)
    elif header.title is None:
        _choose_plain(header, candidates)


def _is_fact(label: str) -> bool:
    return label.split(maxsplit=1)[0] in _FACTS


def _choose_from_header(header: Header, candidates: list[tuple[Line, Passage]]) -> None:
    dated = header.spans.get("date", (0, 0))[0]
    headings = [
        one
        for one in candidates
        if one[1].type == "heading" and one[0].span[0] >= header.spans.get("number", (0, 0))[0]
    ]
    after = [one for one in candidates if one[0].span[0] > dated]
    chosen = (headings or after or candidates[-1:])[0] if header.title is None and candidates else None
    if chosen:
        header.title = join_title(_shown(chosen))
        header.spans["title"] = chosen[0].span
    series = [one for one in candidates if one is not chosen and one[0].span[0] < max(dated, 1)]
    if series and len(candidates) > (0 if chosen is None else 1):
        header.series = clean_inline(_shown(series[0]))
        header.spans["series"] = series[0][0].span


def _choose_plain(header: Header, candidates: list[tuple[Line, Passage]]) -> None:
    if len(candidates) > 1 and _BANNER.fullmatch(fold(clean_inline(_shown(candidates[0]))).strip(" :!.")):
        candidates = candidates[1:]
    level = min((one[1].level for one in candidates if one[1].type == "heading"), default=0)
    chosen = next((one for one in candidates if level and one[1].level == level), None)
    if chosen is None and candidates and len(candidates[0][0].text) <= 160 and candidates[0][0].text[-1] not in ".,;":
        chosen = candidates[0]
    if chosen:
        header.title = join_title(_shown(chosen))
        header.spans["title"] = chosen[0].span


def _shown(candidate: tuple[Line, Passage]) -> str:
    line, passage = candidate
    return line.text.strip("# \t") if passage.type == "heading" else line.text


def join_title(raw: str) -> str:
    """The title of a subject line. A plain part with a bold part after it (body, then topic) is joined by a dash."""
    two = _BOLD_TAIL.fullmatch(raw)
    if two is None or len(two[2].split()) < 2:
        return clean_inline(raw)
    return f"{clean_inline(two[1])} — {clean_inline(two[2])}"


def _take_signature(header: Header, signature: Sequence[Line]) -> None:
    for line in signature[:8]:
        shown = clean_inline(line.text)
        behalf = _ON_BEHALF.match(shown)
        if behalf:
            kept = shown[behalf.end() :] if not _article(behalf[0]) else _article(behalf[0]) + shown[behalf.end() :]
            header.on_behalf_of = kept.strip().rstrip(".")
            header.spans["on_behalf_of"] = line.span
        elif header.issuer is None and shown and not _SIGN_LABEL.match(shown) and "@" not in shown:
            header.issuer = shown.rstrip(".,")
            header.spans["issuer"] = line.span


def _article(words: str) -> str:
    """The article that a French "au nom de la" carries, which belongs to the name."""
    last = words.rsplit(maxsplit=1)[-1]
    return f"{last} " if fold(last) in {"la", "les"} else ""


def _shift(line: Line, span: Span) -> Span:
    return (line.span[0] + span[0], line.span[0] + span[1])
