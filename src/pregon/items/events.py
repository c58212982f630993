"""Meetings that a document announces: when, where, online or not. A meeting that has been held is no event.

`start` keeps the precision of the source: a day, a local time, or a time with the offset of the zone that is named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from pregon.items.cancelled import tells_cancellation
from pregon.items.dates import FoundDate
from pregon.items.texts import clean_inline, fold, sentence_around
from pregon.types import Event, Span

_COMING = re.compile(
    r"will (?:\w+ )?(?:be held|take place|meet|host|start|begin|open)|takes place|to be held|is held on|join us|save the date|"
    r"meets on|meeting on|"
    r"aura lieu|auront lieu|se tiendra|se tiendront|se reunira|se deroulera|rendez-vous le|retrouvez-nous|est organisee? le|"
    r"tendra lugar|tendran lugar|se celebrara|se reunira|se llevara a cabo|reserven? la fecha|acompanenos"
)
# "The network organises a workshop on 4 December": a verb of inviting with a word for a meeting.
_HOSTED = re.compile(
    r"\b(?:organi[sz]es?|organiza|organisent|organizan|hosts?|invites?|invitons|invita(?:mos)?|convoca|convoque|accueille|acoge)\b"
)
_MEETING = re.compile(
    r"\b(?:meetings?|webinars?|workshops?|assembly|conference|congress|seminars?|sessions?|reunions?|webinaires?|ateliers?|assemblee|"
    r"rencontres?|congres|seminaires?|reunion|encuentros?|talleres|taller|asamblea|congreso|seminarios?|jornadas?)\b"
)
_LABEL = re.compile(
    r"(?:^|\n)\W{0,4}(?:date(?: and time|s| et heure)?|when|quand|fecha(?: y hora)?|cuando|horaire)\W{0,4}:"
)
_TIME = (
    r"(?:(?P<{0}h>[01]?\d|2[0-3])(?:[:hH]|\s[hH]\s)(?P<{0}m>[0-5]\d)|(?P<{0}o>[01]?\d|2[0-3])\s?(?:h|heures?|hours|horas)(?!\w)|"
    r"(?P<{0}c>1[0-2]|0?\d)(?:[:.](?P<{0}n>[0-5]\d))?(?=\s?[ap]\.?m|\s?(?:-|–|—|to|until)\s?(?:1[0-2]|0?\d)(?:[:.][0-5]\d)?\s?[ap]\.?m))(?:\s?(?P<{0}p>[ap])\.?m\b\.?)?"
)
_TIMES = re.compile(
    rf"(?<![\d:./])(?:{_TIME.format('a')})(?:\s?(?:-|–|—|to|until|a|à|al?s?|and|et|y|h)\s?(?:las\s|the\s)?(?:{_TIME.format('b')}))?"
    r"(?:\s?(?:h|horas|hours|heures|hrs)\b)?"
    r"\s?\(?(?P<zone>(?:UTC|GMT)(?:\s?[+−-]\s?\d{1,2}(?::?\d{2})?)?|CEST|CET|WEST|WET|EEST|EET|BST|KST|JST|EDT|EST|CDT|CST|PDT|PST|ART|BRT|COT|PET|CLT|SAST|WAT|EAT|SGT)?\b",
    re.IGNORECASE,
)
_OFFSETS = {
    "utc": 0, "gmt": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "sast": 2, "wat": 1,
    "eat": 3, "kst": 9, "jst": 9, "sgt": 8, "edt": -4, "est": -5, "cdt": -5, "cst": -6, "pdt": -7, "pst": -8,
    "art": -3, "brt": -3, "cot": -5, "pet": -5, "clt": -4,
}  # fmt: skip
_CITY_TIME = re.compile(r"(?:heure de|hora de|hora)\s+(?P<a>[A-ZÉ]\w+)|(?P<b>[A-Z]\w+)\s+time")
_ZONES = {
    "paris": "Europe/Paris", "madrid": "Europe/Madrid", "barcelona": "Europe/Madrid", "barcelone": "Europe/Madrid",
    "bilbao": "Europe/Madrid", "bruxelles": "Europe/Brussels", "brussels": "Europe/Brussels",
    "london": "Europe/London", "londres": "Europe/London", "lisbon": "Europe/Lisbon", "lisboa": "Europe/Lisbon",
    "lisbonne": "Europe/Lisbon", "seoul": "Asia/Seoul", "dakar": "Africa/Dakar", "mexico": "America/Mexico_City",
    "bogota": "America/Bogota", "lima": "America/Lima", "montevideo": "America/Montevideo",
}  # fmt: skip
_TIME_LABEL = re.compile(
    r"\n[\s*_-]{0,6}(?:time|hours?|heures?|horaires?|hora|horario)[\s*_]{0,4}:[\s*_]{0,4}(?:(?:from|de|a las|à)\s)?",
    re.IGNORECASE,
)
_PLACE_LABEL = re.compile(
    r"(?:^|\n)[\s*_-]{0,6}(?:place|venue|where|location|lieu|où|lugar|sede|dónde)[\s*_]{0,4}:[\s*_]{0,4}([^\n]{2,160})",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(?:\b(?:in|at|à|au|aux|en|a la|à la|à l['’])\s+)((?:the |la |le |l['’]|el )?[A-ZÉÈÀÂÎÔÁÍÓÚÑ][\w'’-]+(?:[ ,]+(?:(?:de|of|la|le|du|del|des|the|y|and)\s+){0,2}[A-ZÉÈÀÂÎÔÁÍÓÚÑ][\w'’-]+){0,5})"
)
_ONLINE = re.compile(
    r"\b(?:online|on-line|webinar|webinaire|en ligne|en linea|virtual(?:ly|e)?|virtuelle?|zoom|teams|visioconference|videoconferenc\w+|h[iy]brid[aeo]?|par visio|distanciel)\b"
)
_NOT_PLACES = frozenset(
    fold(word)
    for word in [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
        "english",
        "french",
        "spanish",
        "français",
        "anglais",
        "espagnol",
        "español",
        "inglés",
        "francés",
        "zoom",
    ]
)


def find_events(
    text: str, dates: Sequence[FoundDate], deadlines: Sequence[Span], title: str | None, reference: date | None
) -> tuple[Event, ...]:
    """The meetings announced in `text`, each day once. `reference` completes a year that is not written."""
    events: dict[str, Event] = {}
    for one in dates:
        event = None if _within_any(one.span, deadlines) else _read_event(text, one, title, reference)
        if event and event.start[:10] not in events:
            events[event.start[:10]] = event
    return tuple(events.values())


def _read_event(text: str, one: FoundDate, title: str | None, reference: date | None) -> Event | None:
    span = _around(text, one)
    shown = clean_inline(text[slice(*span)])
    folded = fold(shown)
    if not (
        _COMING.search(folded) or _LABEL.search("\n" + folded) or _is_invitation(folded) or tells_cancellation(folded)
    ):
        return None
    day = one.resolve(reference)
    if day is None:
        return None
    times = _find_times(text, span, one.span)
    start, end = _moments(day, one.resolve_last(reference), times, text)
    place = _find_place(text, span, one.span)
    online = bool(_ONLINE.search(folded)) or bool(_ONLINE.search(fold(text[span[1] : span[1] + 200])))
    covered = (min(span[0], one.span[0]), max(span[1], times.end() if times else 0))
    return Event(title or shown[:120], start, end, place, online, covered)


def read_start(text: str, one: FoundDate, span: Span, day: date) -> str:
    """The moment that a date names, in ISO 8601: with the hour and the zone where `span` states them."""
    return _moments(day, None, _find_times(text, span, one.span), text)[0]


def _is_invitation(folded: str) -> bool:
    return bool(_HOSTED.search(folded) and _MEETING.search(folded))


def _around(text: str, one: FoundDate) -> Span:
    """The sentence with the date; for a labelled line, that line."""
    line = (text.rfind("\n", 0, one.span[0]) + 1, text.find("\n", one.span[1]))
    line = (line[0], line[1] if line[1] >= 0 else len(text))
    return (
        line
        if _LABEL.search("\n" + fold(text[line[0] : min(line[1], line[0] + 80)]))
        else sentence_around(text, one.span)
    )


def _moments(day: date, last: date | None, times: re.Match[str] | None, text: str) -> tuple[str, str | None]:
    first = _clock(times, "a") if times else None
    if times is None or first is None:
        return day.isoformat(), last.isoformat() if last else None
    final = _clock(times, "b", first[2])
    if first[2] is None and final and final[2] == "p" and first[0] < 12 and first[0] + 12 <= final[0]:
        first = (first[0] + 12, first[1], "p")
    zone = _zone(times, text, day)
    start = _iso(day, first, zone)
    return start, _iso(last or day, final, zone) if final else last.isoformat() if last else None


def _clock(times: re.Match[str], side: str, inherited: str | None = None) -> tuple[int, int, str | None] | None:
    hour = times[side + "h"] or times[side + "o"] or times[side + "c"]
    if hour is None:
        return None
    minute = int(times[side + "m"] or times[side + "n"] or 0)
    half = (times[side + "p"] or "").lower() or None
    value = int(hour)
    if half == "p" and value < 12:
        value += 12
    elif half == "a" and value == 12:
        value = 0
    return value, minute, half


def _zone(times: re.Match[str], text: str, day: date) -> timezone | None:
    name = (times["zone"] or "").lower().replace(" ", "").replace("−", "-")
    if name[:3] in {"utc", "gmt"} and len(name) > 3:
        hours, _, minutes = name[4:].partition(":")
        size = timedelta(hours=int(hours[:2]), minutes=int(minutes or hours[2:] or 0))
        return timezone(size if name[3] == "+" else -size) if size < timedelta(hours=15) else None
    if name in _OFFSETS:
        return timezone(timedelta(hours=_OFFSETS[name]))
    city = _CITY_TIME.search(text, times.end(), min(len(text), times.end() + 40))
    key = _ZONES.get(fold(city["a"] or city["b"])) if city else None
    offset = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(key)).utcoffset() if key else None
    return timezone(offset) if offset is not None else None


def _iso(day: date, clock: tuple[int, int, str | None], zone: timezone | None) -> str:
    moment = datetime(day.year, day.month, day.day, clock[0], clock[1], tzinfo=zone)
    return moment.isoformat(timespec="minutes")


def _find_times(text: str, span: Span, day: Span) -> re.Match[str] | None:
    """The clock times of the meeting: in the sentence of its day, or on a line labelled Time near it."""
    inside = _TIMES.search(text, day[1], span[1]) or _TIMES.search(text, span[0], day[0])
    if inside:
        return inside
    label = _TIME_LABEL.search(text, day[1], min(len(text), span[1] + 200))
    return _TIMES.match(text, label.end()) if label else None


def _find_place(text: str, span: Span, day: Span) -> str | None:
    after = _PLACE_LABEL.search(text, day[0], min(len(text), span[1] + 400))
    labelled = after or _PLACE_LABEL.search(text, max(0, span[0] - 400), span[0])
    if labelled:
        place = clean_inline(labelled[1]).rstrip(".")
        return None if _ONLINE.match(fold(place)) else place
    for found in _PLACE.finditer(clean_inline(text[slice(*span)]).replace("\n", " ")):
        if fold(found[1].split()[-1]) not in _NOT_PLACES and fold(found[1].split()[0]) not in _NOT_PLACES:
            return found[1].strip(" ,")
    return None


def _within_any(span: Span, outer: Sequence[Span]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in outer)
