"""Small readings of plain text: clean inline markup, sentences with their spans, words that mean numbers.

Knows nothing of items. Every pattern is bounded, so that hostile text costs linear time.
"""

from __future__ import annotations

import re
import unicodedata

from pregon.types import Span

MARKDOWN_LINK = re.compile(
    r"!?\[([^\[\]\n]{0,400})\]\(\s{0,5}<?([^()\s<>]{0,2000}(?:\([^()\s<>]{0,200}\)[^()\s<>]{0,200})?)>?[^()\n]{0,200}\)"
)
AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,2000}|[^<>\s@]{1,64}@[^<>\s@]{1,255})>")
_TAG = re.compile(r"</?(?:u|b|i|em|strong|span|br|p|a|sup|sub|font|small|mark)\b[^<>]{0,300}>", re.IGNORECASE)
_EMPHASIS = re.compile(r"(?<!\\)(?:\*\*\*|\*\*|__|~~)")
_STAR = re.compile(
    r"(?<![\w*\\])\*(?=[^\s*])([^*\n]{1,400})(?<=[^\s*])\*(?![\w*])|(?<![\w_\\])_(?=[^\s_])([^_\n]{1,400})(?<=[^\s_])_(?![\w_])"
)
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!>~|])")
_ACCENTS = re.compile(r"[\u0300-\u036f]+")
_BLANKS = re.compile(r"[ \t\r\f\v\u00a0\u2007\u202f\u200b\ufeff]+")
_SENTENCE_END = re.compile(
    r"[.!?…][\"'»”’)\]*_]{0,4}(?=\s)|\n[ \t\u00a0\r]*\n|(?<=\d)\n(?=[A-ZÀ-Ý])|\n(?=[ \t]*(?:[-*•–]|\d{1,2}[.)])\s)|\n(?=[ \t*_]{0,6}[^\W\d_][\w '’-]{1,40}?\s?(?:\*\*)?:[\s*])"
)
_ABBREVIATIONS = frozenset((
    "m", "mm", "mme", "mmes", "mlle", "dr", "mr", "mrs", "ms", "prof", "st", "ste", "sr", "sra", "srta", "d", "dña",
    "ud", "uds", "no", "nº", "núm", "num", "n", "art", "p", "pp", "ex", "etc", "cf", "vs", "av", "e.g", "i.e",
    "p.ej", "a.m", "p.m", "ee.uu", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov",
    "dec", "janv", "févr", "juil", "déc",
))  # fmt: skip

_UNITS = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty",
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf vingt",
    "es": "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte",
}
_MORE = {
    "une": 1, "una": 1, "un": 1, "twenty-five": 25, "vingt-cinq": 25, "veinticinco": 25, "thirty": 30, "trente": 30,
    "treinta": 30, "forty": 40, "quarante": 40, "cuarenta": 40, "fifty": 50, "cinquante": 50, "cincuenta": 50,
    "hundred": 100, "cent": 100, "cien": 100, "dieciseis": 16,
}  # fmt: skip
NUMBER_WORDS: dict[str, int] = {
    word: value for words in _UNITS.values() for value, word in enumerate(words.split(), start=1)
} | _MORE
NUMBER = r"(?:\d{1,4}|" + "|".join(sorted(map(re.escape, NUMBER_WORDS), key=len, reverse=True)) + ")"


def fold(text: str) -> str:
    """Lower case without accents and with plain apostrophes: for comparing words, never for showing them."""
    if text.isascii():
        return text.lower()
    plain = text.replace("’", "'").replace("´", "'").replace("œ", "oe").replace("Œ", "oe")
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)).casefold()


def clean_inline(raw: str) -> str:
    """`raw` as a reader sees it: no emphasis marks, link syntax, tags or doubled blanks. Line breaks stay."""
    text = MARKDOWN_LINK.sub(r"\1", raw)
    text = AUTOLINK.sub(r"\1", text)
    text = _TAG.sub("", text)
    text = _EMPHASIS.sub("", text)
    text = _STAR.sub(lambda found: found[1] or found[2], text)
    text = _ESCAPED.sub(r"\1", text)
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def trim_span(text: str, start: int, end: int) -> Span:
    """The span without the white space at its ends."""
    part = text[start:end]
    left = len(part) - len(part.lstrip())
    return (start + left, start + max(left, len(part.rstrip())))


def sentence_spans(text: str, start: int, end: int) -> list[Span]:
    """The sentences of `text[start:end]`, in order. List entries and paragraphs end sentences too."""
    spans = []
    begin = start
    for found in _SENTENCE_END.finditer(text, start, end):
        if found[0][0] == "." and _is_abbreviation(text, begin, found.start()):
            continue
        spans.append(trim_span(text, begin, found.end()))
        begin = found.end()
    spans.append(trim_span(text, begin, end))
    return [span for span in spans if span[1] > span[0]]


def sentence_around(text: str, span: Span, *, reach: int = 600) -> Span:
    """The sentence that holds `span`, looking at most `reach` characters to each side."""
    low, high = max(0, span[0] - reach), min(len(text), span[1] + reach)
    for start, end in sentence_spans(text, low, high):
        if start <= span[0] < end:
            return (start, max(end, span[1]))
    return span


def shorten(text: str, limit: int = 160) -> str:
    """`text` on one line, cut at a word when it is longer than `limit` characters."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rsplit(" ", 1)[0] + "…"


def parse_number(word: str) -> int | None:
    """12, "twelve", "douze" or "doce" as a number; None when it is not one."""
    return int(word) if word.isdecimal() else NUMBER_WORDS.get(word.casefold())


def _is_abbreviation(text: str, begin: int, dot: int) -> bool:
    word = text[max(begin, dot - 12) : dot].split()
    if not word:
        return True
    last = word[-1].strip("(«“\"'*_").casefold()
    numbered = last.isdecimal() and len(last) <= 2 and not text[begin : dot - len(last)].strip()
    return last in _ABBREVIATIONS or numbered or (len(last) == 1 and last.isalpha())
