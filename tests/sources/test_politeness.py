"""What a host asks of those who poll it, and how visits to one host are kept apart."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from pregon.errors import SourceError
from pregon.sources import poll_feed, poll_wordpress
from pregon.sources.pace import HostPace
from pregon.types import Poll, SourceState

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
FEED = b"<rss version='2.0'><channel><title>t</title><item><title>Tide</title><guid>1</guid></item></channel></rss>"


def poll(address: str) -> Poll:
    return poll_feed(address, SourceState(), now=NOW, timeout=5, allow_private=True)


def date(**delta: float) -> str:
    return format_datetime(NOW + timedelta(**delta), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"Cache_Control": "max-age=3600"}, 60),
        ({"Cache_Control": 'public, max-age="600"'}, 10),
        ({"Cache_Control": "max-age=3600", "Age": "1800"}, 30),
        ({"Cache_Control": "max-age=60", "Expires": date(days=3)}, 1),
        ({"Expires": date(hours=2), "X_Date": ""}, 120),
        ({"Cache_Control": "max-age=31536000"}, 24 * 60),
        ({"Cache_Control": "no-cache, max-age=3600"}, None),
        ({"Cache_Control": "max-age=0"}, None),
        ({"Expires": "0"}, None),
        ({"Expires": date(hours=-2)}, None),
        ({"Cache_Control": f"max-age={'9' * 5000}"}, 24 * 60),
        ({}, None),
    ],
)
def test_the_next_poll_is_not_before_what_was_sent_goes_stale(server, headers, minutes):
    def answer(handler):
        handler.send_response_only(200)
        for name, value in {"Date": date(), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(FEED)

    server.routes["/feed"] = answer
    expected = NOW + timedelta(minutes=minutes) if minutes else None
    assert poll(server.address + "/feed").not_before == expected


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("120", 120), (date(minutes=5), 300), (date(minutes=-5), 0), ("soon", None), ("9" * 400, 30 * 86_400),
     ("Fri, 31 Dec 9999 23:59:59 GMT", 30 * 86_400)],
)  # fmt: skip
def test_a_host_that_asks_for_peace_is_heard_in_both_forms(server, told, seconds):
    address = server.serve("/busy", b"", 429, Retry_After=told)
    with pytest.raises(SourceError) as raised:
        poll(address)
    assert raised.value.retry_after == seconds


def test_only_a_move_that_is_permanent_all_the_way_is_one(server):
    server.serve("/new", FEED)
    for path, status in (("/a", 301), ("/b", 308), ("/c", 302), ("/d", 307)):
        server.redirect(path, "/new", status)
    server.redirect("/mixed", "/c", 301)
    moved = {path: poll(server.address + path).moved_to for path in ("/a", "/b", "/c", "/d", "/mixed")}
    new = server.address + "/new"
    assert moved == {"/a": new, "/b": new, "/c": None, "/d": None, "/mixed": None}


def test_a_wordpress_site_that_moved_is_asked_at_its_new_place_without_the_questions(server):
    server.serve("/new/wp-json/wp/v2/posts", b"[]", Content_Type="application/json")
    server.redirect("/old/wp-json/wp/v2/posts", server.address + "/new/wp-json/wp/v2/posts", 301)
    found = poll_wordpress(server.address + "/old", SourceState(), now=NOW, timeout=5, allow_private=True)
    assert found.moved_to == server.address + "/new/wp-json/wp/v2/posts"
    again = poll_wordpress(found.moved_to, SourceState(), now=NOW, timeout=5, allow_private=True)
    assert again.moved_to is None
    assert server.requests[-1][0].startswith("/new/wp-json/wp/v2/posts?per_page=")


def test_a_feed_names_who_tells_of_its_changes(server):
    links = b"<link rel='hub' href='https://hub.example/'/><link rel='self' href='https://t.example/feed'/>"
    address = server.serve("/feed", b"<feed xmlns='http://www.w3.org/2005/Atom'>" + links + b"</feed>")
    assert poll(address).hub == ("https://hub.example/", "https://t.example/feed")
    assert poll(server.serve("/plain", FEED)).hub is None


def test_visits_to_one_host_come_one_after_the_other_with_a_pause():
    pace, times, lock, inside = HostPace(0.1), [], threading.Lock(), []

    def visit() -> None:
        with pace.visit("t.example"):
            with lock:
                inside.append(1)
                times.append(time.monotonic())
                assert len(inside) == 1
            time.sleep(0.02)
            with lock:
                inside.pop()

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(later - earlier >= 0.119 for earlier, later in pairwise(times))


def test_other_hosts_and_this_machine_do_not_wait():
    pace, began = HostPace(30), time.monotonic()
    for host in ("a.example", "b.example", "127.0.0.1", "127.0.0.1", "localhost", "localhost", "::1", "::1", "", ""):
        with pace.visit(host) as may:
            assert may
    assert time.monotonic() - began < 1


def test_a_visit_that_would_come_too_late_is_not_made():
    pace = HostPace(30)
    with pace.visit("t.example"):
        pass
    began = time.monotonic()
    with pace.visit("t.example", deadline=began + 0.2) as may:
        assert not may
    assert time.monotonic() - began < 1


def test_a_failed_visit_counts_too():
    pace = HostPace(30)
    with pytest.raises(ValueError, match="failed"), pace.visit("t.example"):
        raise ValueError("failed")
    with pace.visit("t.example", deadline=time.monotonic()) as may:
        assert not may
