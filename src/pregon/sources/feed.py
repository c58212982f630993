"""Poll an RSS or Atom feed: fetch it if it changed, and turn each entry into a sighting with its document.

feedparser gets bytes and nothing else: it fetches nothing, and its own sanitiser is off, because `load_document`
turns an entry's HTML into plain text of which no markup survives (four fifths of a parse went into sanitising).
"""

from __future__ import annotations

import calendar
import codecs
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from pregon.errors import SourceError
from pregon.items import normalise_url
from pregon.sources.entries import read_content, sight_entry
from pregon.sources.fetch import Answer, fetch, read_freshness
from pregon.sources.websub import find_hub
from pregon.types import Poll, Sighting, SourceState

MAX_ENTRIES = 1_000
_ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
_DECLARED = re.compile(rb"^\s{0,50}<\?xml[^>]{0,200}?encoding\s{0,5}=\s{0,5}[\"']([\w.:-]{2,40})[\"']", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s{0,50}<\?xml[^>]{0,300}\?>")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_ENTRY_END = re.compile(r"</(?:\w+:)?(entry|item)\s*>", re.IGNORECASE)
_ENDINGS = {"feed": "</feed>", "rss": "</channel></rss>", "rdf:rdf": "</rdf:RDF>"}
_ROOT = re.compile(r"<(feed|rss|rdf:rdf)[\s>]", re.IGNORECASE)
_FEED_LINK = re.compile(r"<link\b[^>]{0,500}?type=[\"']application/(?:rss|atom)\+xml[\"'][^>]{0,500}>", re.IGNORECASE)
_HREF = re.compile(r"href=[\"']([^\"']{1,500})[\"']", re.IGNORECASE)


def poll_feed(
    address: str, state: SourceState, *, now: datetime, timeout: float = 20, allow_private: bool = False
) -> Poll:
    """Look at the feed at `address` once; nothing is sent twice and nothing is remembered here.

    Raises `SourceError` when it cannot be read now: `retry_after` in seconds when the host asked for peace, `gone`
    when it answered 410. At most 10 MB and 1,000 entries are read, `timeout` seconds are waited in all, and hosts on
    private networks are refused unless `allow_private`.
    """
    headers = {"Accept": _ACCEPT}
    if state.etag:
        headers["If-None-Match"] = state.etag
    if state.last_modified:
        headers["If-Modified-Since"] = state.last_modified
    answer = fetch(address, headers, now=now, timeout=timeout, allow_private=allow_private)
    fresh = read_freshness(answer.headers, now)
    poll = Poll(
        sightings=(),
        etag=answer.headers.get("etag", state.etag if answer.status == 304 else None),
        last_modified=answer.headers.get("last-modified", state.last_modified if answer.status == 304 else None),
        not_before=now + timedelta(seconds=fresh) if fresh else None,
        moved_to=answer.moved_to,
        hub=find_hub(answer.headers, answer.body),
    )
    if answer.status == 304:
        return poll
    parsed = parse_feed(answer, address)
    return replace(poll, sightings=tuple(_sight_entries(parsed, answer.address)))


def parse_feed(answer: Answer, address: str) -> Any:
    """The feed as feedparser reads it. Raises `SourceError` when it is not one."""
    import feedparser

    text = decode_feed(answer.body, answer.headers.get("content-type", ""))
    if "<!ENTITY" in text[:200_000].upper():
        raise SourceError(f"{address} declares XML entities, as attacks do: it was not read; ask its owner")
    whole = '<?xml version="1.0" encoding="utf-8"?>' + _DECLARATION.sub("", _shorten(text), count=1)
    parsed = feedparser.parse(
        BytesIO(whole.encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8", "content-location": answer.address},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.version and not parsed.entries:
        raise SourceError(_explain(text, address))
    return parsed


def _explain(text: str, address: str) -> str:
    if not text.strip():
        return f"{address} answered with nothing: check the address"
    found = _FEED_LINK.search(text[:200_000])
    href = _HREF.search(found[0]) if found else None
    hint = f"its feed may be {href[1]}" if href else "give the address of its RSS or Atom feed"
    what = "a web page" if "<html" in text[:5_000].lower() else "not RSS or Atom"
    return (
        f"{address} is not a feed but {what}: {hint}" if what != "not RSS or Atom" else f"{address} is {what}: {hint}"
    )


def decode_feed(data: bytes, content_type: str) -> str:
    """The text of a feed: its byte order mark, else UTF-8 if valid, else what it declares, else UTF-8 with strays.

    A feed glued together from two systems changes its encoding midway; each byte that is not UTF-8 is then read as
    Windows-1252, which loses nothing that was right.
    """
    for mark, charset in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(charset, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    declared = _CHARSET.search(content_type)
    in_file = _DECLARED.search(data[:400])
    charset = in_file[1].decode("ascii") if in_file else declared[1] if declared else "utf-8"
    try:
        if codecs.lookup(charset).name != "utf-8" and not _is_mixed(data):
            return data.decode(charset)
    except (LookupError, UnicodeError):
        pass
    return data.decode("utf-8", "pregon-strays")


def _is_mixed(data: bytes) -> bool:
    """Whether most of what is beyond ASCII is well-formed UTF-8 after all."""
    strays = data.decode("utf-8", "replace").count("\ufffd")
    beyond = sum(byte >= 0x80 for byte in data)
    return strays * 4 < beyond


def _read_stray(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("pregon-strays", _read_stray)


def _shorten(text: str) -> str:
    """At most 1,000 entries: the newest stand first in every feed, and parsing takes a millisecond each."""
    if text.count("</") < MAX_ENTRIES:
        return text
    for number, found in enumerate(_ENTRY_END.finditer(text), start=1):
        if number == MAX_ENTRIES:
            root = _ROOT.search(text[:20_000])
            return text[: found.end()] + (_ENDINGS[root[1].lower()] if root else "")
    return text


def _sight_entries(parsed: Any, base: str) -> Iterator[Sighting]:
    language = parsed.feed.get("language")
    for entry in parsed.entries:
        entry["link"] = _absolute(str(entry.get("link") or ""), base)
    keys = [_key(entry) for entry in parsed.entries]
    counts = Counter(keys)
    for entry, key in zip(parsed.entries, keys, strict=True):
        unique = key if counts[key] == 1 else f"{key} {_hash(read_content(entry)[0])}"
        published = _moment(entry.get("published_parsed")) or _moment(entry.get("updated_parsed"))
        yield sight_entry(entry, unique, base, published=published, language=language)


def _absolute(link: str, base: str) -> str:
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return link


def _key(entry: Mapping[str, Any]) -> str:
    """What names the entry. A guid alone does not: some feeds repeat theirs each year, so link and day go with it."""
    link = normalise_url(str(entry.get("link") or "")) or ""
    guid = str(entry.get("id") or "")
    day = _moment(entry.get("published_parsed"))
    pieces = [normalise_url(guid) or guid, link, day.date().isoformat() if day else ""]
    if not guid and not link:
        pieces.append(_hash(f"{entry.get('title')} {read_content(entry)[0]}"))
    return " ".join(dict.fromkeys(piece for piece in pieces if piece))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _moment(parsed: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None
