"""Which of a source's links may be published, and under which address and text. Follows no link."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from urllib.parse import urlsplit

from pregon.drafts.context import DraftContext
from pregon.drafts.utm import untag_link
from pregon.types import Item, Kind, Link, Span

_OLD_X = re.compile(r"https?://(?:www\.|mobile\.)?twitter\.com(?=/|$)", re.IGNORECASE)
_OPEN_PLATFORM = re.compile(r"http://(?=(?:(?:www\.|m\.)?youtube\.com|youtu\.be|x\.com)(?:/|$))", re.IGNORECASE)


def modernise(text: str) -> str:
    """Addresses on twitter.com as they are written today, on x.com, and those of the platforms encrypted."""
    return _OPEN_PLATFORM.sub("https://", _OLD_X.sub("https://x.com", text))


def publish_url(link: Link, context: DraftContext) -> str | None:
    """The address under which a link may go out; None when it may not: placeholders without an answer, dead hosts."""
    if link.problem == "placeholder":
        answer = context.answers.get(link.span, "").strip()
        return answer if answer.startswith(("http://", "https://", "mailto:")) else None
    url = modernise(link.url)
    if not url.startswith(("http://", "https://")) or host_of(url) in context.network.legacy_hosts:
        return None
    return url


def open_placeholders(item: Item, context: DraftContext) -> tuple[Link, ...]:
    """The placeholder links that no officer has answered yet."""
    return tuple(link for link in item.links if link.problem == "placeholder" and link.span not in context.answers)


def host_of(url: str) -> str:
    """The host of an address without `www.`, or ""."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def plain_address(url: str) -> str:
    """An address for comparing: without scheme, `www.`, closing slash and case of the host."""
    text = re.sub(r"^https?://", "", modernise(untag_link(url)), flags=re.IGNORECASE)
    host, slash, path = text.partition("/")
    return (host.lower().removeprefix("www.") + slash + path).rstrip("/")


def name_link(text: str, url: str) -> str:
    """A link text that says where the link goes: the source's own, else host and path."""
    text = " ".join(text.split())
    if text and not text.startswith(("http://", "https://", "www.")):
        return text
    path = urlsplit(url).path.rstrip("/")
    return f"{host_of(url)}{path}"


def find_main_link(item: Item, context: DraftContext, language: str) -> str:
    """The one link of a post: the item's own page, its video, a page it names, else the network's site."""
    if item.canonical_url and host_of(item.canonical_url) not in context.network.legacy_hosts:
        return item.canonical_url
    if item.videos:
        return item.videos[0].url
    links = _links_of_a_call(item) if item.kind is Kind.CIRCULAR and item.calls else item.links
    own = [(link, publish_url(link, context)) for link in links]
    pages = [(link.problem == "insecure", url) for link, url in own if url and not _is_profile(url)]
    if pages:
        return min(pages, key=lambda page: page[0])[1]
    return context.network.website[language]


def unique_links(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """(text, address) pairs, the first of each address."""
    first: dict[str, tuple[str, str]] = {}
    for text, url in pairs:
        first.setdefault(url.rstrip("/"), (text, url))
    return tuple(first.values())


def _links_of_a_call(item: Item) -> tuple[Link, ...]:
    """The links in a circular's call, else those outside its paragraphs (the issuer's site): the others are asides."""
    in_call = tuple(link for link in item.links if any(is_within(link, call.span) for call in item.calls))
    blocks = [block.span for section in item.sections for block in section.blocks]
    return in_call or tuple(link for link in item.links if not any(is_within(link, span) for span in blocks))


def is_within(link: Link, span: Span) -> bool:
    """Whether a link stands inside a span of the source."""
    return span[0] <= link.span[0] and link.span[1] <= span[1]


class LinkIndex:
    """An item's links by their place, so that a long page with thousands of them is laid out in linear time."""

    def __init__(self, links: Iterable[Link]) -> None:
        self._links = sorted(links, key=lambda link: link.span)
        self._starts = [link.span[0] for link in self._links]

    def list_within(self, span: Span) -> list[Link]:
        """The links that stand inside the span, in order."""
        first, last = bisect_left(self._starts, span[0]), bisect_right(self._starts, span[1])
        return [link for link in self._links[first:last] if is_within(link, span)]


def _is_profile(url: str) -> bool:
    return host_of(url) in {"x.com", "twitter.com", "youtube.com", "facebook.com", "linkedin.com", "issuu.com"}
