"""From every kind of source to an item, and the same item from two of them is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC

import pytest
from test_polling import source, watching  # type: ignore[import-not-found]

from imap_server import LETTER, running_mailbox
from local_server import LocalServer, running_server
from pregon.bootstrap import build_pollers
from pregon.sources.pace import HostPace
from pregon.types import Kind

CHANNEL = "UC" + "a" * 22


@pytest.fixture
def site() -> Iterator[LocalServer]:
    with running_server() as local:
        yield local


def item(house, result):
    (found,) = result.new
    return house.pipeline.store.read_item(found).item


def posts(house, text: str, *, modified: int = 0) -> bytes:
    at = house.clock.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    post = {"id": 7, "date_gmt": at, "modified_gmt": f"{at[:-2]}{modified:02}", "link": "https://t.example/tide",
            "title": {"rendered": "Tide tables"}, "content": {"rendered": f"<p>{text}</p>"}, "lang": "en"}  # fmt: skip
    return json.dumps([post]).encode()


def test_a_wordpress_site_gives_posts_and_their_edits(house, site):
    site.serve("/wp-json/wp/v2/posts", posts(house, "The tide tables are printed."), Content_Type="application/json")
    watch = watching(house, source(site.address, kind="wordpress", item_kind="news"))
    first = item(house, watch.watch()[0])
    assert (first.title, first.kind, first.language) == ("Tide tables", Kind.NEWS, "en")
    house.clock.forward(hours=1)
    later = posts(house, "The tide tables are printed and posted.", modified=1)
    site.serve("/wp-json/wp/v2/posts", later, Content_Type="application/json")
    (second,) = watch.watch()
    assert (len(second.new), len(second.changed)) == (0, 1)
    assert "modified_after=" in site.requests[-1][0]


def test_a_mailbox_gives_messages_once_and_its_password_stays_secret(house):
    with running_mailbox() as mailbox:
        mailbox.messages = {4: LETTER.format(n=4).encode()}
        address = f"imap://officer@127.0.0.1:{mailbox.server_address[1]}/Circulars"
        watch = watching(house, source(address, id="post", kind="mailbox", max_age_days=100_000))
        for secret, error in (("wrong-word", True), ("right", False)):
            settings = house.settings.model_copy(update={"source_secrets": {"post": secret}})
            watch._pollers = build_pollers(settings, HostPace(0))
            (result,) = watch.watch(force=True)
            assert bool(result.error) == error
            assert "wrong-word" not in str(result.error)
        assert (item(house, result).number, watch.watch(force=True)[0].new) == (16, ())


def test_a_channel_gives_its_videos(house, site):
    day = house.clock.at.isoformat()
    video = "https://www.youtube.com/watch?v=abcdefghijk"
    entry = (
        f"<entry><id>yt:video:abcdefghijk</id><title>Night of the spring tide</title><link rel='alternate' href='{video}'/>"
        f"<published>{day}</published><media:group><media:description>Cities show how they live with the tide."
        "</media:description></media:group></entry>"
    )
    spaces = "xmlns='http://www.w3.org/2005/Atom' xmlns:media='http://search.yahoo.com/mrss/'"
    site.serve("/feeds/videos.xml", f"<feed {spaces}><title>TCN</title>{entry}</feed>".encode())
    address = f"{site.address}/feeds/videos.xml?channel_id={CHANNEL}"
    (result,) = watching(house, source(address, kind="youtube", item_kind="video")).watch()
    found = item(house, result)
    assert (found.kind, found.title) == (Kind.VIDEO, "Night of the spring tide")
    assert [video.video_id for video in found.videos] == ["abcdefghijk"]


def test_one_item_through_a_feed_and_a_site_is_one(house, site):
    site.serve("/wp-json/wp/v2/posts", posts(house, "The tide tables are printed."), Content_Type="application/json")
    day = house.clock.at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    entry = (
        "<item><title>Tide tables</title><link>http://www.t.example/tide/?utm_source=feed</link>"
        f"<pubDate>{day}</pubDate><description>The tide tables are printed.</description></item>"
    )
    site.serve("/feed", f"<rss version='2.0'><channel><title>t</title>{entry}</channel></rss>".encode())
    both = (source(site.address, id="api", kind="wordpress"), source(site.address + "/feed", id="feed"))
    results = watching(house, *both).watch()
    assert [result.error for result in results] == [None, None]
    assert len({one for result in results for one in result.new}) == 1


def test_what_is_pushed_is_never_polled(house):
    door = source("", id="door", kind="webhook")
    assert watching(house, door).watch(force=True) == ()
