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
from urllib.parse import urljoin, urlsplit

from lxml import etree

from pregon.types import Document, Span

_EXTRACTABLE = 300_000
_DROPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "aside",
        "form",
        "button",
        "select",
        "textarea",
        "svg",
        "canvas",
        "object",
        "embed",
        "head",
        "title",
        "dialog",
        "math",
        "audio",
        "map",
    ]
)
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "table",
        "tr",
        "td",
        "th",
        "pre",
        "address",
        "figure",
        "figcaption",
        "details",
        "summary",
        "fieldset",
        "hr",
        "body",
        "center",
        "list",
    ]
)
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)} | {"head": "## "}
_ENTRIES = frozenset({"li", "item"})
_QUOTES = frozenset({"blockquote", "quote"})
_BOILERPLATE_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "menu"})
_BOILERPLATE = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|menu|breadcrumbs?|sidebar|widget|cookies?|share|sharing|social-?links?|related|"
    r"comments?|pagination|pager|skip-link|site-header|site-footer|footer|masthead|newsletter-signup|language-switcher|"
    r"screen-reader-text|entry-meta|entry-footer|post-tags|popup|modal)(?:$|[\s_-])",
    re.IGNORECASE,
)
_VIDEO_FRAME = re.compile(r"(?:youtube(?:-nocookie)?\.com|youtu\.be)/", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f\v\u200b\ufeff]+")


def read_html(source: str, *, origin: str) -> Document:
    """The article of the page or fragment `source`. `origin`, when it is an http address, completes relative links."""
    root = parse_html(source)
    if root is None:
        return Document("", "text/html", origin)
    base = _base_address(root, origin)
    writer = _Writer(base)
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
    """The page's only h1 when it stands outside the article, or was lost in choosing it; None otherwise."""
    headlines = root.findall(".//h1")
    if len(headlines) != 1 or not _text_of(headlines[0]) or headlines[0] in article.iter("h1"):
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
    return _join(page, str(found[0])) if found else page


def _canonical(root: Any, base: str) -> str | None:
    found = root.xpath("(.//link[contains(concat(' ', @rel, ' '), ' canonical ')]/@href)[1]")
    address = _join(base, str(found[0])) if found else ""
    return address if urlsplit(address).scheme in {"http", "https"} else None


def _join(base: str, address: str) -> str:
    address = address.strip()
    if not base or address.startswith("#") or not address:
        return address
    try:
        return urljoin(base, address)
    except ValueError:
        return address


class _Writer:
    """Walks a tree without recursion (hostile pages nest thousands deep) and collects text and links."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._parts: list[str] = []
        self._length = 0
        self._breaks = 2  # line breaks at the end of what is written so far
        self._blank = False  # a blank is due before the next word
        self._mark = ""  # the mark due before the next word
        self._open: list[list[Any]] = []  # [start or None, address]
        self._preformatted = 0
        self.links: list[tuple[Span, str]] = []

    def text(self) -> str:
        return "".join(self._parts).rstrip() + "\n"

    def write_tree(self, root: Any) -> None:
        skipped = None
        for event, element in etree.iterwalk(root, events=("start", "end")):
            if skipped is not None:
                if event == "end" and element is skipped:
                    skipped = None
                    self._words(element.tail)
                continue
            if not isinstance(element.tag, str):
                continue
            if event == "start" and self._is_dropped(element, root):
                self._frame(element)
                skipped = element
            elif event == "start":
                self._start(element)
                self._words(element.text)
            else:
                self._end(element)
                if element is not root:
                    self._words(element.tail)

    def _is_dropped(self, element: Any, root: Any) -> bool:
        tag = element.tag
        if element is root:
            return False
        if tag in _DROPPED or tag == "iframe" or element.get("hidden") is not None:
            return True
        if tag in {"header", "footer"} and element.getparent() is not None and element.getparent().tag == "body":
            return True
        if element.get("role") in _BOILERPLATE_ROLES or element.get("aria-hidden") == "true":
            return True
        if "display:none" in (element.get("style") or "").replace(" ", ""):
            return True
        names = f"{element.get('class') or ''} {element.get('id') or ''}"
        return tag in {"div", "ul", "section", "span", "footer"} and bool(_BOILERPLATE.search(names))

    def _frame(self, element: Any) -> None:
        address = element.get("src") or ""
        if element.tag == "iframe" and _VIDEO_FRAME.search(address):
            self._break(2)
            self._open.append([None, _join(self._base or "https:", address)])
            self._words(element.get("title") or "Video")
            self._close_link()
            self._break(2)

    def _start(self, element: Any) -> None:
        tag = element.tag
        if tag in _HEADINGS:
            self._break(2)
            self._mark = _HEADINGS[tag]
        elif tag in _ENTRIES:
            self._break(1)
            self._mark = "- "
        elif tag in _QUOTES:
            self._break(2)
            self._mark = "> "
        elif tag in {"br", "lb"}:
            self._break(1)
        elif tag in _BLOCKS and not self._mark:
            self._break(1 if tag in {"tr", "dd", "dt"} else 2)
        elif tag in {"a", "ref"}:
            self._open.append([None, element.get("href", element.get("target"))])
        elif tag == "img" and self._open:
            self._words(element.get("alt"))

    def _end(self, element: Any) -> None:
        tag = element.tag
        if tag in {"a", "ref"} and self._open:
            self._close_link()
        elif tag in _ENTRIES:
            self._mark = ""
            self._break(1)
        elif tag in _BLOCKS or tag in _HEADINGS or tag in _QUOTES:
            if tag in _HEADINGS or tag in _QUOTES:
                self._mark = ""
            self._break(1 if tag in {"tr", "dd", "dt", "td", "th"} else 2)

    def _close_link(self) -> None:
        start, address = self._open.pop()
        if start is not None and address is not None:
            self.links.append(((start, self._length), _join(self._base, address)))

    def _break(self, count: int) -> None:
        self._blank = False
        missing = count - self._breaks
        if missing > 0 and self._length:
            self._append("\n" * missing)
            self._breaks = count

    def _words(self, text: str | None) -> None:
        if not text:
            return
        words = _BLANKS.sub(" ", text)
        if words == " ":
            self._blank = self._breaks == 0
            return
        if (self._blank or words[0] == " ") and self._breaks == 0:
            self._append(" ")
        if self._mark:
            self._append(self._mark)
            self._mark = ""
        for link in self._open:
            if link[0] is None:
                link[0] = self._length
        self._append(words.strip(" "))
        self._breaks = 0
        self._blank = words[-1] == " "

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
