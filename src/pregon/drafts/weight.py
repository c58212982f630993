"""How long a text is for X, and which links X sees in it.

Source: X's published counting rules, version 3 (`counting-characters` in its documentation): 280 weighted characters;
a link counts 23 whatever its length; an emoji sequence counts 2; of the rest U+0000-10FF, U+2000-200D, U+2010-201F and
U+2032-2037 count 1 and everything else 2; the text is counted in Unicode form NFC. Renders and cuts nothing.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import regex
from tld.utils import get_tld_names

LIMIT = 280
LINK_WEIGHT = 23
_EMOJI_WEIGHT = 2
_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
_MAX_URL = 4096
_MAX_TCO_SLUG = 40

_MARKS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVALID = "\ufffe\ufeff\uffff"
_HOST_CHARACTER = rf"[^\p{{P}}\p{{S}}\s\u2000-\u200f\u2028-\u202f\u205f\u3000{_MARKS}{_INVALID}]"
# X takes pictographs in a host name ("☃.net") but none of ASCII's symbols.
_HOST = rf"(?:{_HOST_CHARACTER}|[^\x00-\x7f\p{{P}}\s{_MARKS}{_INVALID}\u2000-\u206f])"
_LATIN = "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
_PATH = rf"[a-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_LATIN}]"
_PATH_END = rf"[a-z\u0400-\u04ff0-9=_#/+\-{_LATIN}]"
_PARENS = rf"\((?:{_PATH}+|{_PATH}*\({_PATH}+\){_PATH}*)\)"
_QUERY = r"[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]"
_QUERY_END = r"[a-z0-9\-_&=#/]"
_EMOJI = regex.compile(
    r"[0-9#*]\ufe0f?\u20e3"
    r"|\p{RI}\p{RI}"
    r"|\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
    r"|(?:(?=\p{Emoji})[^0-9#*])(?!\ufe0e)\ufe0f?\p{EMod}?"
    r"(?:\u200d(?:(?=\p{Emoji})[^0-9#*])\ufe0f?\p{EMod}?)*"
)


@lru_cache(maxsize=1)
def _top_level_names() -> frozenset[str]:
    """Every top-level domain of the public suffix list, in lower case."""
    names: set[str] = set()
    for trie in get_tld_names().values():
        names |= set(trie.root.children or ())
    # RFC 2606 reserves .example, so no real link ends in it; with it, samples weigh and cost what real ones do.
    return frozenset(name.lower() for name in names if name not in {"", "*"}) | {"example"}


@lru_cache(maxsize=1)
def _patterns() -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    """(a link, an ASCII or Latin host inside one): compiled once, on first use, because of the list of names."""
    top = r"(?:\L<names>(?=[^0-9a-z@+-]|$)|xn--[-0-9a-z]+)"
    # DNS allows 63 octets a label and 253 a host; the bounds keep hostile texts from taking quadratic time.
    host = (
        rf"(?:(?:{_HOST}(?:[_-]|{_HOST}){{0,64}})?{_HOST}\.){{0,10}}(?:(?:{_HOST}(?:-|{_HOST}){{0,64}})?{_HOST}\.){top}"
    )
    link = (
        rf"(?P<before>[^a-z0-9@＠$#＃{_INVALID}]|[{_MARKS}]|^)"
        rf"(?P<url>(?P<scheme>https?://)?(?P<host>{host})(?::[0-9]+)?"
        rf"(?P<path>/(?:(?:{_PATH}*(?:{_PARENS}{_PATH}*)*(?:{_PATH_END}|{_PARENS}))|(?:@{_PATH}+/))?)?"
        rf"(?P<query>\?{_QUERY}*{_QUERY_END})?)"
    )
    bare = rf"(?:[-a-z0-9{_LATIN}]+\.)+{top}"
    names = _top_level_names()
    flags = regex.IGNORECASE | regex.VERSION0
    return regex.compile(link, flags, names=names), regex.compile(bare, flags, names=names)


def weighted_length(text: str) -> int:
    """The weighted length of a post's text by X's published rules; at most 280 may be posted."""
    text = unicodedata.normalize("NFC", text)
    total, position = 0, 0
    for start, end in find_urls(text):
        total += _weigh(text[position:start]) + LINK_WEIGHT
        position = end
    return total + _weigh(text[position:])


def has_url(text: str) -> bool:
    """Whether X sees a link in the text: a post with one costs more."""
    return bool(find_urls(text))


def find_urls(text: str) -> tuple[tuple[int, int], ...]:
    """The spans of the links that X sees in the text, bare host names among them."""
    if "." not in text:
        return ()
    link, bare = _patterns()
    found: list[tuple[int, int]] = []
    position = 0
    while match := link.search(text, position):
        # A boundary character may open the next link too, so step back over nothing but the match itself.
        position = max(match.end("url"), match.start() + 1)
        if not _is_encodable(match):
            continue
        found += [_with_scheme(match)] if match["scheme"] else _without_scheme(match, bare)
    return tuple(span for span in found if span[1] > span[0])


def _with_scheme(match: regex.Match[str]) -> tuple[int, int]:
    start, end = match.span("url")
    short = regex.match(rf"https?://t\.co/([a-z0-9]+)(?:\?{_QUERY}*{_QUERY_END})?", match["url"], regex.IGNORECASE)
    if not short:
        return start, end
    if len(short[1]) > _MAX_TCO_SLUG:
        return start, start
    return start, start + short.end()


def _without_scheme(match: regex.Match[str], bare: regex.Pattern[str]) -> list[tuple[int, int]]:
    if match["before"] and match["before"] in "-_./":
        return []
    offset = match.start("host")
    spans = [(offset + host.start(), offset + host.end()) for host in bare.finditer(match["host"])]
    if spans and (match["path"] or match["query"]):
        spans[-1] = (spans[-1][0], match.end("url"))
    return spans


def _is_encodable(match: regex.Match[str]) -> bool:
    """Whether the host's labels fit into the 63 octets that DNS allows, as X checks before it shortens a link."""
    length = len(match["url"]) + (0 if match["scheme"] else len("https://"))
    return length <= _MAX_URL and all(_label_length(label) <= 63 for label in match["host"].split("."))


def _label_length(label: str) -> int:
    if label.isascii():
        return len(label)
    if label.lower().startswith("xn--"):
        return _MAX_URL  # punycode is ASCII: a label that claims it and is not can never be encoded
    return len("xn--") + len(label.encode("punycode"))


def _weigh(text: str) -> int:
    total, position = 0, 0
    for match in _EMOJI.finditer(text):
        total += _weigh_characters(text[position : match.start()]) + _EMOJI_WEIGHT
        position = match.end()
    return total + _weigh_characters(text[position:])


def _weigh_characters(text: str) -> int:
    return sum(1 if any(low <= ord(character) <= high for low, high in _LIGHT) else 2 for character in text)
