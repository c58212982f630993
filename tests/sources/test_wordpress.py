from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from pregon.errors import SourceError
from pregon.items import read_item
from pregon.sources.wordpress import poll_wordpress
from pregon.types import Poll, SourceState

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def post(number: int, text: str, *, modified: str = "2026-11-20T08:00:00", **more: object) -> dict[str, object]:
    return {
        "id": number, "date_gmt": "2026-11-19T08:00:00", "modified_gmt": modified, "link": f"https://t.example/{number}",
        "title": {"rendered": f"Caf&#233; {number}"}, "content": {"rendered": f"<p>{text}</p>"}, **more,
    }  # fmt: skip


class Site:
    """A site whose API answers every query on its path with the page that was asked for."""

    def __init__(self, server) -> None:
        self.server = server
        self.pages: list[list[dict[str, object]]] = [[]]
        server.routes = self

    def __getitem__(self, path: str):
        query = parse_qs(urlsplit(path).query)
        page = int(query["page"][0])
        self.server.asked = [*getattr(self.server, "asked", []), query]

        def answer(handler) -> None:
            handler.send_response(200)
            handler.send_header("X-WP-TotalPages", str(len(self.pages)))
            handler.end_headers()
            handler.wfile.write(json.dumps(self.pages[page - 1]).encode())

        return answer


def poll(address: str, state: SourceState = SourceState()) -> Poll:  # noqa: B008
    return poll_wordpress(address, state, now=NOW, timeout=5, allow_private=True)


def test_posts_are_sightings_with_their_own_language_and_day(server):
    Site(server).pages = [[post(7, "Le café de la marée rouvre ses portes ce printemps avec la marée.", lang="fr")]]
    (one,) = poll(server.address).sightings
    assert one.key == "127.0.0.1 post 7"
    assert one.published_at == datetime(2026, 11, 19, 8, tzinfo=UTC)
    assert one.document.text == "# Café 7\n\nLe café de la marée rouvre ses portes ce printemps avec la marée.\n"
    assert (one.document.canonical_url, one.document.declared_language) == ("https://t.example/7", "fr")
    assert read_item(one.document).language == "fr"


def test_only_what_was_modified_since_is_asked_for_and_the_latest_is_kept(server):
    site = Site(server)
    site.pages = [[post(1, "a", modified="2026-11-21T08:00:00"), post(2, "b", modified="2026-11-20T08:00:00")]]
    first = poll(server.address)
    assert first.last_modified == "2026-11-21T08:00:00"
    site.pages = [[]]
    second = poll(server.address, SourceState(last_modified=first.last_modified))
    assert (second.sightings, second.last_modified) == ((), first.last_modified)
    assert "modified_after" not in server.asked[0]
    assert server.asked[1]["modified_after"] == ["2026-11-21T08:00:00"]


def test_an_edited_post_keeps_its_key(server):
    site = Site(server)
    site.pages = [[post(1, "before")]]
    before = poll(server.address).sightings[0]
    site.pages = [[post(1, "after", modified="2026-11-22T08:00:00")]]
    after = poll(server.address).sightings[0]
    assert before.key == after.key
    assert before.document.text != after.document.text


def test_full_pages_are_followed(server):
    Site(server).pages = [[post(number, "x") for number in range(100)], [post(200, "y")]]
    assert len(poll(server.address).sightings) == 101


@pytest.mark.parametrize("body", [b"<html>", b'{"code": "rest_no_route"}', b'[{"title": 1}]', b"[" * 100_000])
def test_what_is_no_wordpress_is_told(server, body):
    class Anything(dict):
        def __missing__(self, path: str):
            server.serve(path, body)
            return self[path]

    server.routes = Anything()
    with pytest.raises(SourceError, match="check the address"):
        poll(server.address)
