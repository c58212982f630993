"""One entry of a feed or site into a sighting: its title, text and link as a document, its language, its day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from html import escape
from typing import Any

from pregon.errors import DocumentError
from pregon.items import load_document, normalise_url
from pregon.items.html import parse_html
from pregon.items.links import video_id
from pregon.items.texts import fold
from pregon.types import Document, Sighting


def sight_entry(
    entry: Mapping[str, Any], key: str, base: str, *, published: datetime | None, language: str | None
) -> Sighting:
    """The sighting of `entry`, in feedparser's shape (title, link, content, summary_detail); a problem when unreadable."""
    try:
        document = _read_entry(entry, base)
    except DocumentError as error:
        return Sighting(key, None, published, str(error))
    own = (entry.get("content") or [{}])[0].get("language") or entry.get("language") or language
    document = replace(document, published_at=published, declared_language=own)
    return Sighting(key, document, published)


def _read_entry(entry: Mapping[str, Any], base: str) -> Document:
    title = _plain_title(entry)
    link = str(entry.get("link") or "")
    content, markup = read_content(entry)
    body = content if markup else "".join(f"<p>{escape(part)}</p>" for part in content.split("\n\n"))
    if video_id(link):
        body += f'<p><a href="{escape(link)}">{escape(title or link)}</a></p>'
    shown = fold(" ".join(re.sub(r"<[^>]{0,500}>", " ", body[:5_000]).split()))
    heading = f"<h1>{escape(title)}</h1>" if title and not shown.startswith(fold(title)) else ""
    page = f"<div>{heading}{body}</div>"
    name = f"the entry “{title}”" if title else f"an entry of {base}"
    document = load_document(
        page.encode("utf-8", "replace"), name=name, media_type="text/html; charset=utf-8", origin=link or base
    )
    return replace(document, title=title or document.title, canonical_url=link if normalise_url(link) else None)


def _plain_title(entry: Mapping[str, Any]) -> str:
    title = str(entry.get("title") or "").strip()
    if title and ("<" in title or "&" in title):
        tree = parse_html(f"<p>{title}</p>")
        title = "".join(tree.itertext()) if tree is not None else ""
    return " ".join(title.split())


def read_content(entry: Mapping[str, Any]) -> tuple[str, bool]:
    """The fullest text of the entry, and whether it is markup."""
    parts = [*(entry.get("content") or []), *([entry["summary_detail"]] if entry.get("summary_detail") else [])]
    best = max(parts, key=lambda part: len(part.get("value") or ""), default=None)
    if best is None:
        return "", True
    value = str(best.get("value") or "")
    markup = best.get("type") != "text/plain" or bool(re.search(r"<(?:p|br|div|a|ul|h\d)\b", value))
    return value, markup
