"""The same document is one item, however and wherever it is seen; trouble with one stops no other."""

import os
import time
from datetime import UTC, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from conftest import CLEAN, OPEN  # type: ignore[import-not-found]

from pregon.settings import SourceConfig
from pregon.types import SourceKind


@pytest.fixture
def feed_server():
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = pages.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()
    server.server_close()


def entry(title, text, at, guid):
    date = format_datetime(at)
    return f"<item><title>{title}</title><guid>{guid}</guid><pubDate>{date}</pubDate><description>{text}</description></item>"


def rss(*entries):
    return f"<rss version='2.0'><channel><title>t</title>{''.join(entries)}</channel></rss>".encode()


def with_feed(house, address):
    source = SourceConfig(id="site", kind=SourceKind.FEED, address=address, allow_private=True)
    settings = house.settings.model_copy(update={"sources": (source, *house.settings.sources)})
    house.pipeline.watching._settings = settings
    return house


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_document_that_nobody_foresaw_stops_no_other(house, monkeypatch):
    read = house.pipeline.composing.read

    def stumble(document, kind=None):
        if "stumbling" in document.text:
            raise IndexError("pop from an empty list")
        return read(document, kind)

    monkeypatch.setattr(house.pipeline.composing, "read", stumble)
    house.drop("a stumbling block.txt", "A stumbling block lies on the quay.")
    house.drop(CLEAN)
    (result,) = house.pipeline.watching.watch(force=True)
    assert len(result.new) == 1
    ((key, why),) = result.rejected
    assert (key, "pop from an empty list" in why) == ("a stumbling block.txt", True)
    assert house.pipeline.watching.watch(force=True)[0].rejected == ()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_item_that_nobody_foresaw_stops_no_other(house, monkeypatch):
    compose = house.pipeline.composing.compose_drafts

    def stumble(item, context, asked=None):
        if "stumbling" in item.text:
            raise IndexError("pop from an empty list")
        return compose(item, context, asked)

    monkeypatch.setattr(house.pipeline.composing, "compose_drafts", stumble)
    house.drop("a stumbling block.txt", "# News\n\nA stumbling block lies on the quay since the last tide.\n")
    house.drop(CLEAN)
    house.pipeline.watching.watch(force=True)
    swept = house.pipeline.drafting.sweep()
    assert len(swept.opened) == 1
    ((_, why),) = swept.failed
    assert why == "IndexError: pop from an empty list"


def test_a_document_seen_twice_is_one_item(house):
    house.drop(CLEAN)
    assert len(house.watch()) == 1
    assert house.watch() == []
    house.drop("the same under another name.txt", (house.settings.home / "inbox" / CLEAN).read_text())
    (result,) = house.pipeline.watching.watch(force=True)
    assert result.new == ()
    assert result.known == 2


def test_an_unreadable_document_stops_no_other(house):
    house.drop(CLEAN)
    (house.settings.home / "inbox" / "broken.txt").write_bytes(b"\x00\x01\x02" * 400)
    empty = house.settings.home / "inbox" / "empty.txt"
    empty.write_bytes(b"")
    # A fresh empty file may still be written; this one has been empty for a minute.
    os.utime(empty, (time.time() - 60, time.time() - 60))
    (result,) = house.pipeline.watching.watch(force=True)
    assert len(result.new) == 1
    assert sorted(key for key, _ in result.rejected) == ["broken.txt", "empty.txt"]
    assert all(key in sentence for key, sentence in result.rejected)


def test_a_document_of_50_mb_is_refused_in_one_sentence(house):
    house.drop(CLEAN)
    (house.settings.home / "inbox" / "huge.txt").write_bytes(b"word " * 10_000_000)
    (result,) = house.pipeline.watching.watch(force=True)
    assert len(result.new) == 1
    assert [key for key, _ in result.rejected] == ["huge.txt"]


def test_the_first_poll_of_a_feed_with_a_past_takes_only_what_is_new(house, feed_server):
    address, pages = feed_server
    now = house.clock.at.astimezone(UTC)
    old = entry(
        "Old news of the harbour", "The harbour was quiet for the whole of last year.", now - timedelta(days=40), "1"
    )
    new = entry("News of the harbour", "The harbour opens on Monday for the members.", now - timedelta(days=1), "2")
    pages["/feed"] = rss(old, new)
    with_feed(house, address + "/feed")
    feed, _ = house.pipeline.watching.watch(force=True)
    assert len(feed.new) == 1
    assert [key for key, _ in feed.skipped] != []
    assert "older than 7 days" in feed.skipped[0][1]
    # What was skipped stays skipped, however often it is seen again.
    feed, _ = house.pipeline.watching.watch(force=True)
    assert (feed.new, feed.skipped, feed.known) == ((), (), 2)


def test_a_failing_feed_waits_longer_each_time_and_the_folder_goes_on(house, feed_server):
    address, _ = feed_server
    with_feed(house, address + "/missing")
    house.drop(OPEN)
    feed, folder = house.pipeline.watching.watch(force=True)
    assert feed.error
    assert len(folder.new) == 1
    first = house.pipeline.store.read_source("site")
    house.pipeline.watching.watch(force=True)
    second = house.pipeline.store.read_source("site")
    assert (first.failures, second.failures) == (1, 2)
    assert second.next_check_at > first.next_check_at
    # Not due yet: a pass without force leaves the feed alone.
    assert [result.source_id for result in house.pipeline.watching.watch()] == ["inbox"]


def test_a_changed_document_becomes_a_new_version_and_refreshes_untouched_drafts(house):
    slug = house.open_campaign(CLEAN)
    before = house.draft(slug, "email")
    text = (house.settings.home / "inbox" / CLEAN).read_text()
    house.drop(
        CLEAN, text.replace("Chers membres,", "Chers membres,\n\nLa réunion est reportée à la semaine suivante.")
    )
    (result,) = house.pipeline.watching.watch(force=True)
    assert len(result.changed) == 1
    house.pipeline.drafting.open_campaign(result.changed[0])
    after = house.draft(slug, "email")
    assert after.revision.number == before.revision.number + 1
    assert "reportée à la semaine suivante" in after.revision.content.body.html
    assert not after.stale


PLAN = "Un plan\n\nSur la base de la décision approuvée fin 2010 par les membres de la Commission de modifier l'orientation de la Commission, le travail continue avec les villes.\n"
HISTORY = "Une histoire\n\nEn novembre 2009, les villes ont voulu une portée plus vaste. Les membres de la Commission ont approuvé changer la dénomination de la Commission.\n"


def test_two_documents_that_date_one_decision_otherwise_are_asked_about(house):
    house.drop("plan.fr.txt", PLAN)
    house.watch()
    house.drop("histoire.fr.txt", HISTORY)
    (slug,) = house.watch()
    questions = house.pipeline.reviewing.show_campaign(slug).questions
    (asked,) = [question for question in questions if question.id == "date.conflict"]
    assert "2009" in asked.message
    assert "2010" in asked.message


def test_an_edited_file_without_a_number_is_a_new_version_and_another_text_is_not(house):
    house.drop("note.fr.txt", HISTORY)
    (slug,) = house.watch()
    house.drop("note.fr.txt", HISTORY.replace("les villes ont voulu", "les villes ont souhaité"))
    assert house.watch() == [slug]
    assert house.pipeline.reviewing.show_campaign(slug).source.version == 2
    house.drop("note.fr.txt", "Un concours\n\nLe jury des quais fleuris choisit quatre rues au printemps.\n")
    (other,) = house.watch()
    assert other != slug
    assert house.pipeline.reviewing.show_campaign(slug).source.version == 2


def test_a_gap_in_a_numbered_series_is_shown(house):
    for number in (12, 15):
        house.drop(f"{number}.txt", NUMBERED.format(number=number))
    house.watch()
    (gaps,) = house.pipeline.sources.list_gaps()
    assert gaps.missing == (13, 14)
    assert gaps.year == 2026
    house.drop("13.txt", NUMBERED.format(number=13))
    house.watch()
    assert house.pipeline.sources.list_gaps()[0].missing == (14,)


NUMBERED = """Circular {number}

Circulars of the Tidal Cities Network

Portamar, 12 November 2026

Subject: A survey on quays, number {number}

Dear members,

The survey number {number} has twelve questions, and each city receives the results of the other cities in spring.

Kind regards,

The Secretariat of the Tidal Cities Network
"""
