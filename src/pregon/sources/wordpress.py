"""Poll a WordPress site by its REST API: edits are seen as well as new posts, and each post's own language.

A feed shows the newest posts only, so an edit of an older one would go unseen; the API is asked for what was modified
since the last poll. The published API is WordPress's REST API handbook (wp/v2/posts).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from pregon.errors import SourceError
from pregon.sources.entries import sight_entry
from pregon.sources.fetch import Answer, fetch
from pregon.types import Poll, Sighting, SourceState

# The API gives at most 100 posts a page (handbook, pagination); five pages are a month of a very busy site.
_PER_PAGE = 100
_MOST_PAGES = 5
_FIELDS = "id,date_gmt,modified_gmt,link,title,content,lang"


def poll_wordpress(
    address: str, state: SourceState, *, now: datetime, timeout: float = 20, allow_private: bool = False
) -> Poll:
    """Look once at the posts of the site at `address` that were modified since `state.last_modified`.

    `address` is the site's own (its API is asked at /wp-json) or the API's. `last_modified` of the poll is the latest
    modification seen, to be handed back next time. Raises `SourceError`, as a feed does.
    """
    posts: dict[int, Mapping[str, Any]] = {}
    moved_to: str | None = None
    for page in range(1, _MOST_PAGES + 1):
        answer = fetch(
            _address(address, state.last_modified, page),
            {"Accept": "application/json"}, now=now, timeout=timeout, allow_private=allow_private,
        )  # fmt: skip
        # Where the API answers now, without the questions asked of it: a later poll asks there at once.
        moved_to = moved_to or (answer.moved_to.partition("?")[0] if answer.moved_to else None)
        found = _read_posts(answer, address)
        posts |= {int(post["id"]): post for post in found}
        if page >= _pages(answer) or len(found) < _PER_PAGE:
            break
    latest = max((str(post.get("modified_gmt") or "") for post in posts.values()), default="")
    sightings = tuple(_sight_posts(posts.values(), address))
    return Poll(sightings, last_modified=max(latest, state.last_modified or "") or None, moved_to=moved_to)


def _address(address: str, since: str | None, page: int) -> str:
    root = address.rstrip("/")
    api = root if "/wp-json" in root else f"{root}/wp-json/wp/v2/posts"
    asked = {"per_page": _PER_PAGE, "page": page, "orderby": "modified", "order": "desc", "_fields": _FIELDS}
    if since:
        asked["modified_after"] = since
    return f"{api}?{urlencode(asked)}"


def _pages(answer: Answer) -> int:
    told = answer.headers.get("x-wp-totalpages", "1")
    return int(told) if told.isdecimal() else 1


def _read_posts(answer: Answer, address: str) -> list[Mapping[str, Any]]:
    try:
        posts = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{address} does not answer as a WordPress site does: check the address") from error
    if not isinstance(posts, list) or not all(
        isinstance(post, dict) and isinstance(post.get("id"), int) for post in posts
    ):
        raise SourceError(f"{address} does not answer with WordPress posts: check the address")
    return posts


def _sight_posts(posts: Iterator[Mapping[str, Any]] | Any, address: str) -> Iterator[Sighting]:
    host = urlsplit(address).hostname or address
    for post in posts:
        entry = {
            "title": _rendered(post.get("title")),
            "link": str(post.get("link") or ""),
            "content": [{"value": _rendered(post.get("content")), "type": "text/html"}],
        }
        language = post.get("lang") if isinstance(post.get("lang"), str) else None
        published = _moment(post.get("date_gmt"))
        yield sight_entry(entry, f"{host} post {post['id']}", address, published=published, language=language)


def _rendered(value: Any) -> str:
    return str(value.get("rendered") or "") if isinstance(value, dict) else ""


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
    except ValueError:
        return None
