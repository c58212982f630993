"""An HTML page or fragment into readable text: the article without menus, footers and scripts, its links kept.

The text that comes out carries light marks that `structure` reads: "## " before a heading, "- " before a list entry,
"> " before a quote. Links are beside the text as (anchor span, address). Nothing of the markup itself survives, so
there is nothing left that could be unsafe.

Where a page says which part is its article (article, main, itemprop), that part is taken whole. Only for other pages
does trafilatura choose, and only up to 300,000 characters: it needs 4 s a MB (docs/decisions).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from pregon.items.html_text import TextWriter, join_address
from pregon.types import Document

_EXTRACTABLE = 300_000


def read_html(source: str, *, origin: str) -> Document:
    """The article of the page or fragment `source`. `origin`, when it is an http address, completes relative links."""
    root = parse_html(source)
    if root is None:
        return Document("", "text/html", origin)
    base = _base_address(root, origin)
    writer = TextWriter(base)
    article = _choose_article(root, source)
    headline = _headline_outside(root, article)
    if headline is not None:
        writer.write_tree(headline)
    writer.write_tree(article)
    title = _meta(root, "og:title") or _text_of(root.find(".//title"))
    return Document(
        text=writer.text(),
        media_type="text/html",
        origin=origin,
        title=title or None,
        links=tuple(writer.links),
        declared_language=root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang"),
        published_at=_published_at(root),
        canonical_url=_canonical(root, base),
        alternates=_alternates(root, base),
    )


def parse_html(source: str) -> Any:
    """The tree of `source`, or None when nothing can be made of it."""
    parser = etree.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(_without_declaration(source), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _without_declaration(source: str) -> str:
    # lxml refuses a str that carries an XML encoding declaration.
    return re.sub(r"^\s{0,20}<\?xml[^>]{0,200}\?>", "", source.replace("\x00", ""), count=1)


def _choose_article(root: Any, source: str) -> Any:
    for path in (
        ".//main//article",
        ".//article",
        ".//*[@itemprop='articleBody']",
        ".//main",
        ".//*[@role='main']",
        ".//*[contains(concat(' ', @class, ' '), ' entry-content ')]",
    ):
        found = root.xpath(path)
        if len(found) == 1 and _has_text(found[0]):
            return found[0]
    body = root.find("body")
    whole = body if body is not None else root
    if len(source) <= _EXTRACTABLE and root.xpath("boolean(.//nav|.//header|.//footer|.//*[contains(@class,'menu')])"):
        return _extract(root, whole)
    return whole


def _headline_outside(root: Any, article: Any) -> Any:
    """The article's headline when it stands outside the article, or was lost in choosing it; None otherwise.

    What the page marks as its headline counts first, then its only h1 that is not the name of the site.
    """
    headlines = root.xpath(".//*[contains(concat(' ', @class, ' '), ' entry-title ') or @itemprop='headline']")
    headlines = headlines or root.xpath(".//h1[not(contains(@class, 'site-'))]")
    if len(headlines) != 1 or not _text_of(headlines[0]) or headlines[0] in article.iter(headlines[0].tag):
        return None
    return None if _text_of(headlines[0]) in _text_of(article)[:20_000] else headlines[0]


def _extract(root: Any, whole: Any) -> Any:
    from lxml import html as lxml_html
    from trafilatura import bare_extraction

    tree = lxml_html.fromstring(etree.tostring(root, encoding="unicode"))
    found = bare_extraction(tree, include_links=True, include_comments=False, favor_recall=True, with_metadata=False)
    body = getattr(found, "body", None)
    return body if body is not None and _has_text(body) else whole


def _has_text(element: Any) -> bool:
    """Whether there is a sentence's worth of text in it."""
    size = 0
    for piece in element.itertext():
        size += len(piece.strip())
        if size >= 40:
            return True
    return False


def _alternates(root: Any, base: str) -> tuple[tuple[str, str], ...]:
    """The page in other languages, by its own hreflang links (at most fifty)."""
    found = root.xpath(".//link[contains(concat(' ', @rel, ' '), ' alternate ') and @hreflang and @href]")[:50]
    known = ((str(link.get("hreflang"))[:2].lower(), join_address(base, str(link.get("href")))) for link in found)
    return tuple((code, address) for code, address in known if code.isalpha() and code != "x-" and "://" in address)


def _text_of(element: Any) -> str:
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def _meta(root: Any, key: str) -> str | None:
    found = root.xpath("(.//meta[@property=$key or @name=$key or @itemprop=$key]/@content)[1]", key=key)
    return " ".join(str(found[0]).split()) or None if found else None


def _published_at(root: Any) -> datetime | None:
    value = _meta(root, "article:published_time") or _meta(root, "datePublished")
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _base_address(root: Any, origin: str) -> str:
    found = root.xpath("(.//base/@href)[1]")
    page = origin if urlsplit(origin).scheme in {"http", "https"} else ""
    return join_address(page, str(found[0])) if found else page


def _canonical(root: Any, base: str) -> str | None:
    found = root.xpath("(.//link[contains(concat(' ', @rel, ' '), ' canonical ')]/@href)[1]")
    address = join_address(base, str(found[0])) if found else ""
    return address if urlsplit(address).scheme in {"http", "https"} else None
