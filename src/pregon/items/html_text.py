"""From a tree of HTML to text with light marks and the links in it: the walk, and what is left out on the way."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from pregon.types import Span

_DROPPED = frozenset((
    "script", "style", "noscript", "template", "nav", "aside", "form", "button", "select", "textarea", "svg",
    "canvas", "object", "embed", "title", "dialog", "math", "audio", "map",
))  # fmt: skip
_BLOCKS = frozenset((
    "p", "div", "section", "article", "main", "header", "footer", "ul", "ol", "dl", "dt", "dd", "table", "tr", "td",
    "th", "pre", "address", "figure", "figcaption", "details", "summary", "fieldset", "hr", "body", "center", "list",
))  # fmt: skip
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


def join_address(base: str, address: str) -> str:
    """`address` completed by the page's own; fragments and what cannot be joined stay as they are."""
    address = address.strip()
    if not base or address.startswith("#") or not address:
        return address
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def is_boilerplate(element: Any) -> bool:
    """Whether an element is no part of what people came to read: menus, footers, scripts, forms, hidden parts."""
    tag = element.tag
    if tag == "head":  # a heading in what trafilatura chose, the page's own head otherwise
        return element.get("rend") is None
    if tag in _DROPPED or tag == "iframe" or _is_hidden(element) or element.get("role") in _BOILERPLATE_ROLES:
        return True
    if tag in {"header", "footer"} and element.getparent() is not None and element.getparent().tag == "body":
        return True
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    return tag in {"div", "ul", "section", "span", "footer"} and bool(_BOILERPLATE.search(names))


def _is_hidden(element: Any) -> bool:
    style = (element.get("style") or "").replace(" ", "")
    return element.get("hidden") is not None or element.get("aria-hidden") == "true" or "display:none" in style


class TextWriter:
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
        """What was written so far, ending in one line break."""
        return "".join(self._parts).rstrip() + "\n"

    def write_tree(self, root: Any) -> None:
        """Write the text under `root`; several trees may follow one another."""
        skipped = None
        for event, element in etree.iterwalk(root, events=("start", "end")):
            if skipped is not None:
                if event == "end" and element is skipped:
                    skipped = None
                    self._words(element.tail)
                continue
            if not isinstance(element.tag, str):
                continue
            if event == "start" and (element is not root and is_boilerplate(element)):
                self._frame(element)
                skipped = element
            elif event == "start":
                self._start(element)
                self._words(element.text)
            else:
                self._end(element)
                if element is not root:
                    self._words(element.tail)

    def _frame(self, element: Any) -> None:
        address = element.get("src") or ""
        if element.tag == "iframe" and _VIDEO_FRAME.search(address):
            self._break(2)
            self._open.append([None, join_address(self._base or "https:", address)])
            self._words(element.get("title") or "Video")
            self._close_link()
            self._break(2)

    def _start(self, element: Any) -> None:
        tag = element.tag
        if tag in _HEADINGS:
            self._break(2)
            self._mark = _HEADINGS.get(element.get("rend") or tag, "## ")
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
            self.links.append(((start, self._length), join_address(self._base, address)))

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
