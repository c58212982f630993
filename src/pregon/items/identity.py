"""Which item this is, wherever it was seen, and whether a reader would notice a change in it."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import parse_qsl, quote, unquote, urlencode

from pregon.items.links import split_address
from pregon.items.texts import fold
from pregon.types import Document, Item, Kind

_TRACKING = re.compile(
    r"(?:utm_\w+|mtm_\w+|pk_\w+|fbclid|gclid|dclid|msclkid|twclid|igshid|mc_[ce]id|_hs\w+|ref|ref_src|s_cid|yclid)$"
)
_WORDS = re.compile(r"[^\W_]+")


def identify_item(item: Item, document: Document) -> str:
    """The item's identity, the same through feed, folder and webhook.

    A numbered circular: its series, number and year. Else the canonical address. Else a hash of its words.
    """
    if item.kind is Kind.CIRCULAR and item.number is not None:
        series = "-".join(_WORDS.findall(fold(item.series or item.on_behalf_of or item.issuer or "")))
        return f"circular:{series}:{item.number}:{item.year or ''}"
    address = item.canonical_url or document.canonical_url or document.origin
    normal = normalise_url(address)
    if normal:
        return f"url:{normal}"
    return f"text:{_digest(' '.join(_WORDS.findall(fold(visible_text(item)))))}"


def normalise_url(address: str) -> str | None:
    """One spelling for one page: no scheme, `www.`, tracking parameters, fragment, default port or trailing slash.

    None when `address` is not an http address.
    """
    parts = split_address(address.strip())
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    host = parts.hostname.removeprefix("www.").rstrip(".")
    port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
    path = quote(unquote(parts.path), safe="/:@!$&'()*+,;=~-._").rstrip("/")
    kept = sorted(
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.match(key.lower())
    )
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{host}{port}{path}{query}"


def fingerprint_item(item: Item) -> str:
    """A hash of what a reader would notice. White space, markup, typographic quotes and tracking do not count."""
    shown = visible_text(item)
    addresses = sorted({normalise_url(link.url) or link.url for link in item.links})
    return _digest("\n".join([_plain(item.title or ""), _plain(shown), *addresses]))


def visible_text(item: Item) -> str:
    """Headings and blocks, as a reader sees them."""
    pieces = []
    for section in item.sections:
        pieces.append(section.heading or "")
        pieces.extend(block.text for block in section.blocks)
    facts = (item.number, item.date, item.place, item.issuer, item.on_behalf_of)
    pieces.extend(str(fact) for fact in facts if fact is not None)
    return "\n".join(piece for piece in pieces if piece)


def _plain(text: str) -> str:
    for typographic, plain in (
        ("’", "'"),
        ("´", "'"),
        ("“", '"'),
        ("”", '"'),
        ("«", '"'),
        ("»", '"'),
        ("–", "-"),
        ("—", "-"),
    ):
        text = text.replace(typographic, plain)
    return re.sub(r"\s+|(?<=\")\s|\s(?=[\"?!:;])", "", text)


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
