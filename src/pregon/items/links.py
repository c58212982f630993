"""Links, e-mail addresses, handles and videos of a document, as written, each with its span.

Addresses are never repaired beyond giving `www.` a scheme: what is doubtful about one is told as its `problem`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

from pregon.items.texts import AUTOLINK, MARKDOWN_LINK, clean_inline
from pregon.types import Document, Link, Span, Video

_BARE = re.compile(r"(?<![\w@/.])(?:https?://|www\.)[^\s<>\"'«»“”|{}\\^`\[\]]{2,2000}", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.%+@/-])[\w.%+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24}(?![\w@])", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@/.=])@([A-Za-z0-9_]{2,30})(?![\w@]|\.[a-z])")
_PLACEHOLDER_HOSTS = frozenset({"example.com", "www.example.com", "todo", "xxx", "tbd", "link"})
_PLACEHOLDERS = re.compile(
    r"(?:#.{0,80}||javascript:.{0,200}|about:blank|x{3,}|to-?do|tbd|tbc|url|link|https?://|https?://#)$", re.IGNORECASE
)
_SCHEMES = frozenset({"http", "https", "ftp", "mailto", "tel"})
_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}$")
_VIDEO_HOSTS = frozenset({"youtube.com", "m.youtube.com", "youtube-nocookie.com", "youtu.be"})
_LEGACY_HOSTS = frozenset({"twitter.com", "mobile.twitter.com"})


@dataclass(frozen=True, slots=True)
class Found:
    """What `find_links` found."""

    links: tuple[Link, ...]
    contacts: tuple[tuple[str, Span], ...]
    handles: tuple[tuple[str, Span], ...]


def find_links(document: Document, text: str, legacy_hosts: Mapping[str, str] | None = None) -> Found:
    """Everything in `text` (the document's, or its beginning) that leads somewhere, in order of appearance."""
    found: list[tuple[Span, str, str]] = [
        (span, clean_inline(document.text[slice(*span)]), address)
        for span, address in document.links
        if span[1] <= len(text)
    ]
    if document.media_type != "text/html":
        found += [
            (one.span(), clean_inline(one[1]), one[2]) for one in MARKDOWN_LINK.finditer(text) if one[0][0] != "!"
        ]
    found += [(one.span(), one[1], one[1]) for one in AUTOLINK.finditer(text)]
    for one in _BARE.finditer(text):
        address = _without_tail(one[0])
        found.append(((one.start(), one.start() + len(address)), address, address))
    kept = list(_without_overlaps(found))
    contacts = _emails(text, kept)
    links = tuple(
        Link(shown, normalise_address(address), judge_address(address, legacy_hosts or {}), span)
        for span, shown, address in kept
        if not address.lower().startswith(("mailto:", "tel:")) and "@" not in address.partition("/")[0]
    )
    taken = [span for span, _, _ in kept]
    handles = [("@" + one[1], one.span()) for one in _HANDLE.finditer(text) if not _inside(one.start(), taken)]
    return Found(links, _first_of_each(contacts), _first_of_each(handles))


def normalise_address(address: str) -> str:
    """The address as a browser would take it: `www.` gets https, blanks around it go."""
    address = address.strip()
    return f"https://{address}" if address.lower().startswith("www.") else address


def judge_address(address: str, legacy_hosts: Mapping[str, str]) -> str | None:
    """placeholder (leads nowhere), legacy (a superseded host or path), insecure (plain http) or None."""
    address = address.strip()
    if _PLACEHOLDERS.match(address):
        return "placeholder"
    parts = split_address(normalise_address(address))
    if parts is None or (parts.scheme and parts.scheme not in _SCHEMES) or parts.hostname in _PLACEHOLDER_HOSTS:
        return "placeholder"
    host = (parts.hostname or "").removeprefix("www.")
    legacy = host in _LEGACY_HOSTS or host in legacy_hosts or f"www.{host}" in legacy_hosts
    if legacy or (host in _VIDEO_HOSTS and parts.path.startswith("/user/")):
        return "legacy"
    return "insecure" if parts.scheme == "http" else None


def find_videos(links: tuple[Link, ...]) -> tuple[Video, ...]:
    """The videos that are linked to, each once. A link to a channel or playlist is not a video."""
    videos: dict[str, Video] = {}
    for link in links:
        identity = video_id(link.url)
        if identity and identity not in videos:
            title = None if "://" in link.text or link.text.startswith("www.") else link.text or None
            videos[identity] = Video(identity, title, link.url, link.span)
    return tuple(videos.values())


def video_id(address: str) -> str | None:
    """The id in a YouTube video's address (watch, youtu.be, embed, shorts, live), else None."""
    parts = split_address(address)
    host = ((parts.hostname if parts else None) or "").removeprefix("www.")
    if parts is None or host not in _VIDEO_HOSTS:
        return None
    steps = [step for step in parts.path.split("/") if step]
    if host == "youtu.be":
        candidate = steps[0] if steps else ""
    elif steps[:1] == ["watch"]:
        candidate = (parse_qs(parts.query).get("v") or [""])[0]
    else:
        candidate = steps[1] if len(steps) == 2 and steps[0] in {"embed", "shorts", "live", "v"} else ""
    return candidate if _VIDEO_ID.match(candidate) else None


def split_address(address: str) -> SplitResult | None:
    """`urlsplit` that answers None for an address that is malformed."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _without_tail(address: str) -> str:
    address = address.rstrip(".,;:!?*_…’")
    while address.endswith(")") and address.count(")") > address.count("("):
        address = address[:-1].rstrip(".,;:!?*_")
    return address


def _without_overlaps(found: list[tuple[Span, str, str]]) -> Iterator[tuple[Span, str, str]]:
    end = -1
    for span, shown, address in sorted(found, key=lambda one: (one[0][0], -one[0][1])):
        if span[0] >= end and span[1] > span[0]:
            end = span[1]
            yield span, shown, address


def _emails(text: str, links: list[tuple[Span, str, str]]) -> list[tuple[str, Span]]:
    found = [(one[0], one.span()) for one in _EMAIL.finditer(text)]
    for span, _, address in links:
        if address.lower().startswith("mailto:"):
            mailbox = _EMAIL.match(address[7:].partition("?")[0])
            if mailbox:
                found.append((mailbox[0], span))
    return sorted(found, key=lambda one: one[1])


def _inside(position: int, spans: list[Span]) -> bool:
    return any(start <= position < end for start, end in spans)


def _first_of_each(found: list[tuple[str, Span]]) -> tuple[tuple[str, Span], ...]:
    seen: dict[str, tuple[str, Span]] = {}
    for value, span in found:
        seen.setdefault(value.casefold(), (value, span))
    return tuple(seen.values())
