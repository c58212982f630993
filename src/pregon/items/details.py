"""What a good practice and a study release state of themselves, from labelled lines, headings and plain sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pregon.items.numbers import split_label
from pregon.items.structure import Passage
from pregon.items.texts import NUMBER, clean_inline, fold, parse_number, sentence_spans
from pregon.types import Link, Practice, Section, Study

_FIELDS = {
    "city": "city ville ciudad municipality municipio commune",
    "country": "country pays pais",
    "axis": "axis axe eje theme topic tema thematique area ambito domaine",
    "problem": "problem probleme problema challenge defi reto desafio context contexte contexto",
    "solution": "solution solucion response reponse respuesta approach",
    "results": "results result resultats resultat resultados resultado impact impacto outcomes",
    "contact": "contact contacto",
    "quote": "quote citation cita testimonial temoignage testimonio",
}
_FIELD_OF = {word: name for name, words in _FIELDS.items() for word in words.split()}
_ARTICLE = re.compile(r"^(?:l'|(?:the|le|la|les|el|los|las|un|une|una|a|our|nuestr[oa]s?|notre|nos)\s+)")
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "premiere": 1, "deuxieme": 2, "seconde": 2, "troisieme": 3, "quatrieme": 4, "cinquieme": 5, "sixieme": 6,
    "septieme": 7, "huitieme": 8, "primera": 1, "segunda": 2, "tercera": 3, "cuarta": 4, "quinta": 5, "sexta": 6,
    "septima": 7, "octava": 8,
}  # fmt: skip
_EDITION = re.compile(
    rf"(?:(\d{{1,2}})\s?(?:st|nd|rd|th|e|eme|re|er|a|\.?ª|º|°)\.?|({'|'.join(_ORDINALS)}))\s+edi[tc]ion|edi[tc]ion\s+(?:n[o°º.]*\s?)?(\d{{1,2}})(?!\d)|"
    rf"\b({'|'.join(_ORDINALS)})\s+(?:\w+\s){{0,4}}(?:study|etude|estudio)\b"
)
_CITIES = re.compile(rf"(?<!\w)({NUMBER})\s+(?:\w+\s)?(?:cities|villes|ciudades)\b")
_COUNTRIES = re.compile(rf"(?<!\w)({NUMBER})\s+(?:\w+\s)?(?:countries|pays|paises)\b")
_LANGUAGES = {
    "en": r"english|anglais|ingles", "fr": r"french|francais|frances", "es": r"spanish|espagnol|espanol|castellano",
    "pt": r"portuguese|portugais|portugues", "eu": r"basque|euskera|vasco", "ca": r"catalan|catalan",
}  # fmt: skip
_AVAILABLE = re.compile(r"available|disponible|download|telecharg|descarg|exists? in|publie[es]* en|version")
_FUNDED = re.compile(
    r"co-?funded|co-?financed|funded by|financial (?:support|assistance)|finance(?:e|es|s)? par|cofinance|soutien financier|"
    r"concours financier|(?:co)?financiad[oa]s? por|apoyo financiero|ayuda financiera"
)
_DISCLAIMER = re.compile(
    r"sole responsibility|not (?:necessarily )?reflect|seule responsabilite|n'engage|ne reflete|exclusiva responsabilidad|"
    r"unica responsabilidad|no refleja|no reflejan"
)
_FILE = re.compile(r"\.(?:pdf|epub|docx?|zip)(?:$|[?#])", re.IGNORECASE)
_FILE_LANGUAGE = re.compile(r"(?:^|[^a-z])(en|fr|es|pt|eu|ca)(?:$|[^a-z])")


def read_practice(passages: Sequence[Passage], sections: Sequence[Section]) -> Practice:
    """The fields that labels or headings name; what none names is None."""
    found: dict[str, str] = {}
    for section in sections:
        name = field_name(section.heading or "")
        text = "\n".join(_own_blocks(section))
        if name and text:
            found.setdefault(name, text)
    for passage in passages:
        lines = passage.lines if len(passage.lines) > 1 or passage.type == "list" else passage.lines[:1]
        for line in lines:
            label = split_label(line.text.lstrip("-*• "))
            name = field_name(label[0]) if label else None
            if label and name and label[1]:
                found.setdefault(name, label[1])
    quotes = [passage.text for passage in passages if passage.type == "quote"]
    if quotes:
        found.setdefault("quote", quotes[0])
    return Practice(**found)


def _own_blocks(section: Section) -> Iterator[str]:
    """The blocks under a heading up to the first quote or labelled line, which belong to the whole."""
    for block in section.blocks:
        label = split_label(block.text.partition("\n")[0])
        if block.type == "quote" or (label and len(label[0].split()) <= 2 and len(block.text) < 160):
            return
        yield block.text


def field_name(label: str) -> str | None:
    """The practice's field that a label or heading names: "Le défi" is problem."""
    words = _ARTICLE.sub("", fold(label).strip(" :.*#0123456789)")).split()
    return _FIELD_OF.get(words[0]) if words and len(words) <= 5 else None


def count_fields(practice: Practice) -> int:
    """How many of the fields that make a practice (problem, solution, results, axis, city) are given."""
    return sum(getattr(practice, name) is not None for name in ("problem", "solution", "results", "axis", "city"))


def read_study(text: str, title: str | None, links: Sequence[Link]) -> Study:
    """Edition, languages it exists in, cities and countries covered, downloads per language, funding notice."""
    sentences = [clean_inline(text[slice(*span)]) for span in sentence_spans(text, 0, len(text))]
    folded = [fold(sentence) for sentence in sentences]
    downloads = tuple(
        (language, link.url)
        for link in links
        if _FILE.search(link.url) and (language := _language_of(link)) is not None
    )
    named = {code for sentence in folded if _AVAILABLE.search(sentence) for code in _languages_in(sentence)}
    return Study(
        edition=_edition(fold(title or "")) or next(filter(None, map(_edition, folded)), None),
        languages=tuple(code for code in _LANGUAGES if code in named | {code for code, _ in downloads}),
        cities=_first_number(_CITIES, folded),
        countries=_first_number(_COUNTRIES, folded),
        downloads=downloads,
        funding_notice=_funding_notice(sentences, folded),
    )


def _funding_notice(sentences: Sequence[str], folded: Sequence[str]) -> str | None:
    """The sentence that names who paid, with the disclaimer after it: donors ask that both travel together."""
    for index, low in enumerate(folded):
        if _FUNDED.search(low):
            following = index + 1 < len(folded) and _DISCLAIMER.search(folded[index + 1])
            return " ".join(sentences[index : index + 2] if following else [sentences[index]]).strip("*_ ")
    return None


def _edition(folded: str) -> int | None:
    found = _EDITION.search(folded)
    if not found:
        return None
    ordinal = found[2] or found[4]
    return _ORDINALS[ordinal] if ordinal else int(found[1] or found[3])


def _first_number(pattern: re.Pattern[str], sentences: Sequence[str]) -> int | None:
    for sentence in sentences:
        found = pattern.search(sentence)
        if found:
            return parse_number(found[1])
    return None


def _languages_in(folded: str) -> list[str]:
    return [code for code, words in _LANGUAGES.items() if re.search(rf"\b(?:{words})\b", folded)]


def _language_of(link: Link) -> str | None:
    named = _languages_in(fold(link.text))
    if len(named) == 1:
        return named[0]
    code = _FILE_LANGUAGE.search(fold(link.text)) or _FILE_LANGUAGE.search(link.url.rpartition("/")[2].lower())
    return code[1] if code else None
