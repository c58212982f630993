"""What is remembered between polls: moves, hosts that ask for peace, what is gone; and many hosts side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, timedelta
from email.utils import format_datetime

import pytest

from local_server import LocalServer, running_server
from pregon.errors import SourceError
from pregon.pipeline import Sources
from pregon.pipeline.polling import poll_side_by_side
from pregon.pipeline.watching import Watching
from pregon.settings import SourceConfig
from pregon.types import Poll, SourceKind


@pytest.fixture
def site() -> Iterator[LocalServer]:
    with running_server() as local:
        yield local


def feed(house, *titles: str) -> bytes:
    day = format_datetime(house.clock.at.astimezone(UTC))
    entries = (
        f"<item><title>{title}</title><guid>{title}</guid><pubDate>{day}</pubDate>"
        f"<description>{title} at the harbour, for the members of the network.</description></item>"
        for title in titles
    )
    return f"<rss version='2.0'><channel><title>t</title>{''.join(entries)}</channel></rss>".encode()


def watching(house, *sources: SourceConfig) -> Watching:
    """The house's watching with these sources in place of its own."""
    own = house.pipeline.watching
    own._settings = house.settings.model_copy(update={"sources": sources})
    return own


def source(address: str, **more: object) -> SourceConfig:
    return SourceConfig.model_validate(
        {"id": "site", "kind": SourceKind.FEED, "address": address, "allow_private": True} | more
    )


def paths(site: LocalServer) -> list[str]:
    return [path for path, _ in site.requests]


def test_a_permanent_move_is_kept_and_asked_at_once(house, site):
    site.serve("/new", feed(house, "Tide"))
    watch = watching(house, source(site.redirect("/old", "/new", 301)))
    assert len(watch.watch()[0].new) == 1
    assert house.pipeline.store.read_source("site").moved_to == site.address + "/new"
    for _ in range(2):
        house.clock.forward(hours=1)
        assert watch.watch()[0].error is None
    assert paths(site) == ["/old", "/new", "/new", "/new"]


def test_a_move_that_led_nowhere_is_forgotten_after_three_tries(house, site):
    site.serve("/new", feed(house, "Tide"))
    watch = watching(house, source(site.redirect("/old", "/new", 308)))
    watch.watch()
    site.serve("/new", b"", 404)
    site.serve("/old", feed(house, "Tide", "Ebb"))
    found = []
    for _ in range(4):
        house.clock.forward(days=1)
        found.append(watch.watch()[0])
    assert [bool(result.error) for result in found] == [True, True, True, False]
    assert len(found[3].new) == 1
    assert house.pipeline.store.read_source("site").moved_to is None


def test_what_is_gone_is_left_alone_until_its_address_changes(house, site):
    watch = watching(house, source(site.serve("/feed", b"", 410)))
    assert "gone for good" in watch.watch()[0].error
    house.clock.forward(days=30)
    assert watch.watch() == watch.watch(force=True) == ()
    assert paths(site) == ["/feed"]
    (line,) = Sources(house.pipeline.store, watch._settings, house.clock).list_sources()
    assert (line.state, line.next_check_at) == ("gone", None)
    assert "not looked at any more" in " ".join(line.sentences)
    watch = watching(house, source(site.serve("/feed2", feed(house, "Tide"))))
    assert len(watch.watch()[0].new) == 1
    assert not house.pipeline.store.read_source("site").gone


def test_404_again_and_again_only_slows_down(house, site):
    watch = watching(house, source(site.serve("/feed", b"", 404)))
    pauses = []
    for _ in range(12):
        watch.watch(force=True)
        pauses.append(house.pipeline.store.read_source("site").next_check_at - house.clock.at)
        house.clock.forward(minutes=1)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=15), timedelta(hours=24))
    site.serve("/feed", feed(house, "Tide"))
    assert watch.watch() == ()
    house.clock.forward(hours=25)
    assert len(watch.watch()[0].new) == 1
    assert house.pipeline.store.read_source("site").failures == 0


@pytest.mark.parametrize("as_date", [False, True])
def test_a_host_that_asks_for_peace_gets_it_though_somebody_checks_now(house, site, as_date):
    until = house.clock.at + timedelta(hours=2)
    told = format_datetime(until.astimezone(UTC), usegmt=True) if as_date else "7200"
    watch = watching(house, source(site.serve("/feed", b"", 503, Retry_After=told)))
    assert watch.watch()[0].error
    house.clock.forward(hours=1.9)
    assert watch.watch(force=True) == ()
    house.clock.forward(hours=0.2)
    site.serve("/feed", feed(house, "Tide"))
    assert len(watch.watch(force=True)[0].new) == 1
    assert paths(site) == ["/feed", "/feed"]


def test_cache_headers_put_the_next_poll_off(house, site):
    watch = watching(house, source(site.serve("/feed", feed(house, "Tide"), Cache_Control="max-age=7200")))
    watch.watch()
    assert house.pipeline.store.read_source("site").next_check_at == house.clock.at + timedelta(hours=2)


def test_another_address_is_another_source_to_remember(house, site):
    watching(house, source(site.serve("/a", feed(house, "Tide"), ETag='"a"'))).watch()
    watch = watching(house, source(site.serve("/b", feed(house, "Ebb"))))
    house.clock.forward(hours=1)
    watch.watch()
    assert "if-none-match" not in site.requests[-1][1]
    assert paths(site) == ["/a", "/b"]


def test_a_slow_host_holds_up_no_other_pass(house, site):
    def slow(handler) -> None:
        entered.set()
        assert leave.wait(20)
        handler.send_error(404)

    entered, leave = threading.Event(), threading.Event()
    site.routes["/slow"] = slow
    inbox = SourceConfig(id="inbox", kind=SourceKind.FOLDER, address="inbox")
    watch = watching(house, source(site.address + "/slow"), inbox)
    (house.settings.home / "inbox").mkdir(parents=True, exist_ok=True)
    first = threading.Thread(target=watch.watch)
    first.start()
    assert entered.wait(20)
    house.drop("news.txt", "# Tide\n\nThe tide tables are printed and wait for the members.\n")
    ends = time.monotonic() + 20
    seen = None
    while seen is None and time.monotonic() < ends:
        watch.watch(force=True)
        seen = {each.id: each.last_seen_at for each in house.pipeline.store.list_source_health()}.get("inbox")
    assert seen is not None
    assert first.is_alive()
    assert paths(site) == ["/slow"]
    leave.set()
    first.join(20)


# --- side by side, without a pipeline ------------------------------------------------------------------------


def sources(*hosts: str) -> list[SourceConfig]:
    return [
        SourceConfig(id=f"s{n}", kind=SourceKind.FEED, address=f"https://{host}/{n}") for n, host in enumerate(hosts)
    ]


def test_hosts_are_asked_side_by_side_and_each_by_one_request_at_a_time():
    lock, inside, most = threading.Lock(), [], []

    def poll(one: SourceConfig) -> Poll:
        host = one.address.split("/")[2]
        with lock:
            assert host not in inside
            inside.append(host)
            most.append(len(inside))
        time.sleep(0.03)
        with lock:
            inside.remove(host)
        return Poll(())

    wanted = sources(*[f"h{n % 6}.example" for n in range(24)])
    done = [one.id for one, _ in poll_side_by_side(wanted, poll, 3)]
    assert sorted(done) == sorted(one.id for one in wanted)
    assert max(most) == 3


def test_results_wait_in_no_great_number():
    polled: list[str] = []

    def poll(one: SourceConfig) -> Poll:
        polled.append(one.id)
        return Poll(())

    results = poll_side_by_side(sources(*[f"h{n}.example" for n in range(100)]), poll, 2)
    next(results)
    time.sleep(0.2)
    assert len(polled) <= 1 + 4 + 2
    assert len(list(results)) == 99


def test_a_pollers_own_fault_is_one_sources_trouble():
    def poll(one: SourceConfig) -> Poll:
        if one.id == "s1":
            raise RuntimeError("broken")
        return Poll(())

    wanted = sources("a.test", "b.test", "c.test")
    found = {one.id: result for one, result in poll_side_by_side(wanted, poll, 2)}
    assert isinstance(found["s1"], SourceError)
    assert "RuntimeError: broken" in str(found["s1"])
    assert isinstance(found["s2"], Poll)


def test_whoever_stops_taking_leaves_no_thread_behind():
    before = threading.active_count()
    results = poll_side_by_side(sources(*[f"h{n}.example" for n in range(50)]), lambda one: Poll(()), 4)
    next(results)
    results.close()
    ends = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < ends:
        time.sleep(0.01)
    assert threading.active_count() <= before
