from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from importlib.resources import files

import pytest

from pregon.errors import SourceError
from pregon.items import identify_item, read_item
from pregon.sources import poll_feed
from pregon.types import Poll, SourceState

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEW = SourceState()


def atom(*entries: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    return f'{head}<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title>{"".join(entries)}</feed>'.encode()


def entry(
    guid: str, text: str, *, link: str = "https://t.example/a", day: str = "2026-11-20", title: str = "Low water"
) -> str:
    return (
        f'<entry><id>{guid}</id><title>{title}</title><link href="{link}"/><published>{day}T08:00:00Z</published>'
        f'<content type="html">&lt;p&gt;{text}&lt;/p&gt;</content></entry>'
    )


def poll(address: str, state: SourceState = NEW, **options: object) -> Poll:
    return poll_feed(address, state, now=NOW, **{"timeout": 5, "allow_private": True, **options})  # type: ignore[arg-type]


def test_sample_feed_gives_its_entries_with_their_documents(server):
    template = files("pregon.sandbox").joinpath("sample/feed/atom.xml").read_text("utf-8")
    for name, day in (("now", "2026-11-23"), ("new", "2026-11-22"), ("recent", "2026-11-20"), ("old", "2024-01-05")):
        template = template.replace("{{" + name + "}}", f"{day}T09:00:00Z")
    found = poll(server.serve("/feed", template.encode())).sightings
    assert [one.published_at.date().isoformat() for one in found] == ["2026-11-22", "2026-11-20", "2024-01-05"]
    first = read_item(found[0].document)
    assert (first.kind, first.number, first.year, first.place) == ("circular", 15, 2026, "Portamar")
    assert first.title == "Harbour lights are to be dimmed for the eels"
    assert [link.url for link in first.links] == ["https://tidalcities.example/en/eels"]
    second = read_item(found[1].document)
    assert (second.language, second.title) == ("fr", "Un pont de bois pour Grève-sur-Aune")


def test_validators_are_sent_back_and_304_is_an_empty_poll(server):
    address = server.serve("/feed", atom(entry("a", "x")), ETag='"v1"', Last_Modified="Fri, 20 Nov 2026 08:00:00 GMT")
    first = poll(address)
    server.serve("/feed", b"", 304, Cache_Control="max-age=600")
    second = poll(address, SourceState(etag=first.etag, last_modified=first.last_modified))
    sent = server.requests[-1][1]
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('"v1"', "Fri, 20 Nov 2026 08:00:00 GMT")
    assert second.sightings == ()
    assert (second.etag, second.last_modified) == (first.etag, first.last_modified)
    assert (second.not_before - NOW).total_seconds() == 600


def test_permanent_redirects_tell_the_new_address_and_temporary_ones_do_not(server):
    feed = server.serve("/new", atom(entry("a", "x")))
    assert poll(server.redirect("/moved", "/new", 301)).moved_to == feed
    assert poll(server.redirect("/today", "/new", 302)).moved_to is None
    server.redirect("/mixed", "/today", 301)
    assert poll(server.address + "/mixed").moved_to is None


@pytest.mark.parametrize(
    ("status", "headers", "words", "retry_after", "gone"),
    [
        (410, {}, "gone for good", None, True),
        (404, {}, "not there", None, False),
        (429, {"Retry_After": "120"}, "120 seconds", 120.0, False),
        (503, {"Retry_After": "Mon, 23 Nov 2026 12:10:00 GMT"}, "600 seconds", 600.0, False),
        (500, {"Retry_After": "soon"}, "answered 500", None, False),
        (403, {}, "refuses", None, False),
    ],
)
def test_refusals_are_one_sentence(server, status, headers, words, retry_after, gone):
    with pytest.raises(SourceError, match=words) as raised:
        poll(server.serve("/feed", b"", status, **headers))
    assert (raised.value.retry_after, raised.value.gone) == (retry_after, gone)
    assert "\n" not in str(raised.value)


def test_redirects_in_a_circle_and_without_end_are_told(server):
    server.redirect("/a", "/b")
    server.redirect("/b", "/a")
    with pytest.raises(SourceError, match="in a circle"):
        poll(server.address + "/a")
    for number in range(9):
        server.redirect(f"/{number}", f"/{number + 1}")
    with pytest.raises(SourceError, match="more than 5 times"):
        poll(server.address + "/0")
    assert len(server.requests) == 2 + 6


def test_a_web_page_is_not_a_feed_and_its_feed_is_named(server):
    page = b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head><body>Hello</body></html>'
    with pytest.raises(SourceError, match=r"not a feed but a web page: its feed may be /rss"):
        poll(server.serve("/", page, Content_Type="text/html"))
    with pytest.raises(SourceError, match="answered with nothing"):
        poll(server.serve("/empty", b""))
    with pytest.raises(SourceError, match="not RSS or Atom"):
        poll(server.serve("/json", b'{"a": 1}'))


def test_a_silent_host_is_given_up_in_time(server):
    server.routes["/slow"] = lambda handler: server.closing.wait(10)
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"did not answer within 0\.3 seconds"):
        poll(server.address + "/slow", timeout=0.3)
    assert time.monotonic() - began < 3


def test_a_trickling_host_is_given_up_in_time(server):
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not server.closing.wait(0.05):
            handler.wfile.write(b"<")

    server.routes["/drip"] = trickle
    with pytest.raises(SourceError, match=r"did not answer within 0\.5 seconds"):
        poll(server.address + "/drip", timeout=0.5)


def test_headers_that_trickle_are_given_up_in_time(server):
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
        while not server.closing.wait(0.05):
            handler.wfile.write(b"X-A: b\r\n")

    server.routes["/drip"] = trickle
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"did not answer within 0\.5 seconds"):
        poll(server.address + "/drip", timeout=0.5)
    assert time.monotonic() - began < 3


def test_a_host_that_refuses_the_connection_is_told():
    with pytest.raises(SourceError, match="cannot be reached"):
        poll("http://127.0.0.1:9/feed")


def test_fifty_megabytes_stop_at_the_limit(server):
    sent = 0

    def pour(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        for _ in range(800):
            handler.wfile.write(b" " * 65_536)
            sent += 65_536

    server.routes["/big"] = pour
    with pytest.raises(SourceError, match="more than 10 MB"):
        poll(server.address + "/big", timeout=30)
    assert sent < 25_000_000


def test_a_compressed_bomb_stops_at_the_limit(server):
    bomb = gzip.compress(b" " * 60_000_000)
    with pytest.raises(SourceError, match="more than 10 MB"):
        poll(server.serve("/bomb", bomb, Content_Encoding="gzip"), timeout=30)


def test_a_compressed_feed_is_unpacked(server):
    address = server.serve("/gz", gzip.compress(atom(entry("a", "x"))), Content_Encoding="gzip")
    assert len(poll(address).sightings) == 1


def test_xml_bombs_and_external_entities_are_refused(server):
    lol = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    with pytest.raises(SourceError, match="declares XML entities"):
        poll(server.serve("/bomb", atom(entry("a", "&b;"), head=lol)))
    local = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    with pytest.raises(SourceError, match="declares XML entities"):
        poll(server.serve("/file", atom(entry("a", "&a;"), head=local)))


def test_a_feed_that_changes_its_encoding_midway_keeps_every_letter(server):
    first = atom(entry("a", "Marée haute à Grève"))
    second = entry("b", "La marée descend à Étier", link="https://t.example/b").encode("cp1252")
    found = poll(server.serve("/feed", first.replace(b"</feed>", second + b"</feed>"))).sightings
    assert [one.document.text.splitlines()[-1] for one in found] == ["Marée haute à Grève", "La marée descend à Étier"]


@pytest.mark.parametrize("declared", ["iso-8859-1", "utf-8", "no-such-charset"])
def test_a_wrong_declaration_does_not_spoil_valid_utf8(server, declared):
    head = f'<?xml version="1.0" encoding="{declared}"?>'
    address = server.serve(
        "/feed", atom(entry("a", "L’été à Étier"), head=head), Content_Type="text/xml; charset=iso-8859-1"
    )
    assert "L’été à Étier" in poll(address).sightings[0].document.text


def test_a_declared_charset_is_used_when_the_bytes_are_not_utf8(server):
    body = (
        atom(entry("a", "L'été à Étier"), head='<?xml version="1.0" encoding="iso-8859-1"?>')
        .decode()
        .encode("iso-8859-1")
    )
    assert "L'été à Étier" in poll(server.serve("/feed", body)).sightings[0].document.text


def test_a_guid_that_comes_back_next_year_is_another_entry(server):
    address = server.serve("/feed", atom(entry("plan", "x", link="https://t.example/2025", day="2025-01-10")))
    before = poll(address).sightings[0].key
    server.serve("/feed", atom(entry("plan", "y", link="https://t.example/2026", day="2026-01-09")))
    assert poll(address).sightings[0].key != before


def test_a_guid_used_twice_in_one_feed_names_two_entries(server):
    found = poll(server.serve("/feed", atom(entry("same", "one"), entry("same", "two")))).sightings
    assert len({one.key for one in found}) == 2


def test_tracking_and_scheme_make_no_other_entry_or_item(server):
    plain = poll(server.serve("/1", atom(entry("g", "x", link="https://t.example/a/")))).sightings[0]
    other = poll(server.serve("/2", atom(entry("g", "x", link="http://t.example/a?utm_source=feed")))).sightings[0]
    assert plain.key == other.key
    assert identify_item(read_item(plain.document), plain.document) == identify_item(
        read_item(other.document), other.document
    )


def test_an_entry_without_text_is_a_problem_and_holds_up_no_other(server):
    bare = "<entry><id>bare</id><updated>2026-11-20T08:00:00Z</updated></entry>"
    found = poll(server.serve("/feed", atom(bare, entry("a", "x")))).sightings
    assert [one.document is None for one in found] == [True, False]
    assert "no text" in found[0].problem


def test_scripts_in_an_entry_leave_no_trace(server):
    text = "&lt;script&gt;steal()&lt;/script&gt;&lt;img src=x onerror=steal()&gt;&lt;a href=javascript:steal()&gt;here&lt;/a&gt; water"
    document = poll(server.serve("/feed", atom(entry("a", text)))).sightings[0].document
    assert "steal" not in document.text
    assert [link.problem for link in read_item(document).links] == ["placeholder"]


def test_a_hundred_thousand_entries_are_cut_in_time(server):
    many = "".join(f"<entry><id>{n}</id><title>t</title></entry>" for n in range(100_000))
    began = time.monotonic()
    found = poll(server.serve("/feed", atom(many)), timeout=30).sightings
    assert len(found) == 1_000
    assert time.monotonic() - began < 10


def test_rss_with_relative_links_is_read(server):
    rss = (
        '<rss version="2.0"><channel><title>T</title><item><title>Low &amp;amp; high</title><link>/a</link>'
        "<pubDate>Fri, 20 Nov 2026 08:00:00 +0100</pubDate><description>Text of the item.</description></item></channel></rss>"
    )
    one = poll(server.serve("/rss", rss.encode())).sightings[0]
    assert one.document.canonical_url == server.address + "/a"
    assert one.published_at == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert one.document.text == "# Low & high\n\nText of the item.\n"


def test_a_video_entry_carries_its_video(server):
    video = entry(
        "yt:video:tidalVid001", "Nine minutes.", link="https://www.youtube.com/watch?v=tidalVid001", title="Spring tide"
    )
    document = poll(server.serve("/feed", atom(video))).sightings[0].document
    assert [one.video_id for one in read_item(document).videos] == ["tidalVid001"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "0.0.0.0", "[::ffff:127.0.0.1]"]
)
def test_private_addresses_are_refused(host):
    with pytest.raises(SourceError, match=r"private network|no host"):
        poll(f"http://{host}:9/feed", allow_private=False)


def test_a_public_host_that_redirects_to_a_private_address_is_refused(server, monkeypatch):
    """Only the name is given a public look; the connection to the private target must still be refused."""
    from pregon.sources import network

    server.redirect("/", "http://localhost:9/secret")
    real = network.resolve_public
    monkeypatch.setattr(network, "resolve_public", lambda host, port: host if host == "127.0.0.1" else real(host, port))
    with pytest.raises(SourceError, match=r"localhost is on a private network"):
        poll(server.address + "/", allow_private=False)


def test_odd_addresses_are_refused():
    for address in (
        "file:///etc/passwd",
        "ftp://t.example/feed",
        "http://",
        "not an address",
        "http://t.example:99999/",
    ):
        with pytest.raises(SourceError, match="correct the address"):
            poll(address)
