"""Whether a link is alive is asked shortly, politely and never on private networks."""

from __future__ import annotations

import time

import pytest

from pregon.sources.links import LinkChecker, check_link
from pregon.sources.pace import HostPace
from pregon.types import LinkHealth


def check(address, **given):
    return check_link(address, **{"timeout": 3, "allow_private": True} | given)


@pytest.mark.parametrize(
    ("status", "health"),
    [(200, "alive"), (204, "alive"), (404, "gone"), (410, "gone"), (401, "refused"), (429, "refused"),
     (500, "unreachable"), (503, "unreachable")],
)  # fmt: skip
def test_what_an_answer_means(server, status, health):
    found = check(server.serve("/page", b"words", status))
    assert found.health == health
    assert bool(found.detail) == (health != "alive")
    assert found.is_dead() == (health in {"gone", "unreachable"})
    assert server.methods == ["HEAD"]


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_host_that_does_not_know_head_is_asked_by_get(server, status):
    def answer(handler):
        handler.send_response(status if handler.command == "HEAD" else 200)
        handler.end_headers()

    server.routes["/page"] = answer
    assert check(server.address + "/page").health is LinkHealth.ALIVE
    assert server.methods == ["HEAD", "GET"]


def test_a_page_that_refuses_both_ways_is_refused(server):
    assert check(server.serve("/page", b"", 403)).health is LinkHealth.REFUSED


def test_no_body_is_read(server):
    def pour(handler):
        handler.send_response(405 if handler.command == "HEAD" else 200)
        handler.end_headers()
        while handler.command == "GET" and not server.closing.wait(0.01):
            handler.wfile.write(b" " * 65_536)

    server.routes["/big"] = pour
    began = time.monotonic()
    assert check(server.address + "/big").health is LinkHealth.ALIVE
    assert time.monotonic() - began < 1


def test_moved_is_only_what_is_permanent_all_the_way(server):
    new = server.serve("/new", b"")
    moved = check(server.redirect("/old", "/new", 301))
    assert (moved.health, moved.detail) == (LinkHealth.MOVED, new)
    assert check(server.redirect("/short", "/new", 302)).health is LinkHealth.ALIVE
    assert check(server.redirect("/lost", "/nowhere", 301)).health is LinkHealth.GONE


def test_redirects_end_after_five(server):
    server.serve("/0", b"")
    for number in range(1, 8):
        server.redirect(f"/{number}", f"/{number - 1}")
    assert check(server.address + "/5").health is LinkHealth.ALIVE
    assert check(server.address + "/6").health is LinkHealth.UNREACHABLE
    assert "circle" not in check(server.redirect("/round", "/round")).detail


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/", "http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest"]
)
def test_private_addresses_are_refused(address):
    found = check(address, allow_private=False)
    assert found.health is LinkHealth.REFUSED
    assert "private network" in found.detail


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://t.example/x", "http://", "javascript:alert(1)"])
def test_a_redirect_to_what_is_no_page_is_not_followed(server, target):
    assert check(server.redirect("/odd", target)).health is LinkHealth.UNREACHABLE


def test_silence_ends_in_time(server):
    server.routes["/slow"] = lambda handler: server.closing.wait(10)
    began = time.monotonic()
    found = check(server.address + "/slow", timeout=0.3)
    assert (found.health, time.monotonic() - began < 2) == (LinkHealth.UNREACHABLE, True)
    assert check("http://127.0.0.1:9/").health is LinkHealth.UNREACHABLE


def test_many_links_end_within_the_time_given_and_the_rest_is_unchecked(server):
    server.routes["/slow"] = lambda handler: server.closing.wait(10)
    alive = [server.serve(f"/{number}", b"") for number in range(20)]
    checker = LinkChecker(HostPace(0), timeout=10, total=1, allow_private=True)
    began = time.monotonic()
    found = checker([*alive, server.address + "/slow", server.address + "/after"])
    assert time.monotonic() - began < 3
    assert {found[address].health for address in alive} == {LinkHealth.ALIVE}
    assert found[server.address + "/slow"].health is LinkHealth.UNCHECKED
    assert found[server.address + "/after"].health is LinkHealth.UNCHECKED


def test_nothing_asked_is_nothing_done():
    assert LinkChecker(HostPace(0))([]) == {}


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://a..b/", "http://t.example:99999/", "words", "", "http://\ud800/"]
)
def test_odd_addresses_raise_nothing(address):
    assert check(address).health is LinkHealth.UNREACHABLE


def test_a_redirect_to_a_broken_address_raises_nothing(server):
    assert check(server.redirect("/broken", "http://[::1")).health is LinkHealth.UNREACHABLE
