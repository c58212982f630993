"""One item in several languages is one campaign; a source that changes is drafted anew, or corrected once it is out."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pregon.bootstrap import build_pipeline
from pregon.errors import DecisionError
from pregon.settings import Translation
from pregon.types import Kind

FRENCH = """Circulaire 31

Circulaires du Réseau des villes de marée

Portamar, le 12 novembre 2026

Objet : Enquête sur les quais

Chers membres,

Le réseau prépare une enquête sur les quais accessibles et invite les villes à y répondre avant le 14 février 2027.

L'enquête compte douze questions, et chaque ville reçoit les résultats des autres villes au printemps.

Très cordialement,

Le Secrétariat du Réseau des villes de marée
"""
ENGLISH = """Circular 31

Circulars of the Tidal Cities Network

Portamar, 12 November 2026

Subject: A survey on quays

Dear members,

The network is preparing a survey on accessible quays and invites cities to answer it before 14 February 2027.

The survey has twelve questions, and each city receives the results of the other cities in spring.

Kind regards,

The Secretariat of the Tidal Cities Network
"""


def views_of(house, slug):
    views = house.pipeline.reviewing.show_campaign(slug).drafts
    return {(view.draft.channel.value, view.draft.language): view for view in views}


def ask_for_languages(house, *languages):
    """The house with a playbook that asks for drafts in these languages."""
    playbook = house.settings.playbooks[Kind.CIRCULAR].model_copy(update={"languages": languages})
    settings = house.settings.model_copy(update={"playbooks": {**house.settings.playbooks, Kind.CIRCULAR: playbook}})
    house.pipeline.store.close()
    house.pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    house.settings = settings


def test_two_languages_of_one_circular_are_one_campaign(house):
    house.drop("a.fr.txt", FRENCH)
    (slug,) = house.watch()
    alone = views_of(house, slug)["email", "fr"]
    house.drop("a.en.txt", ENGLISH)
    assert house.watch() == [slug]
    views = views_of(house, slug)
    assert {key for key in views if key[0] == "email"} == {("email", "fr"), ("email", "en")}
    assert "survey" in views["email", "en"].revision.fields.title
    assert views["email", "en"].source.item.language == "en"
    # Readers of English have their own now: the French one is for the others, and says so to them alone.
    assert alone.revision.content.audience.languages == ("fr", "en", "es")
    assert set(views["email", "fr"].revision.content.audience.languages) == {"fr"}
    assert set(views["email", "en"].revision.content.audience.languages) == {"en", "es"}
    assert views["email", "fr"].draft.revision == 2
    assert not any(view.stale for view in views.values())


def test_versions_that_state_different_days_are_asked_about_and_block(house):
    house.drop("a.fr.txt", FRENCH)
    house.drop("a.en.txt", ENGLISH.replace("14 February", "24 February"))
    slug = house.watch()[0]
    view = house.pipeline.reviewing.show_campaign(slug)
    asked = [question for question in view.questions if question.id == "versions.differ"]
    assert len(asked) == 2
    assert "2027-02-14" in asked[0].message
    assert "2027-02-24" in asked[0].message
    with pytest.raises(DecisionError, match="2027-02-24"):
        house.approve(slug, "email")
    for source in view.sources:
        for question in source.questions:
            answer = (question.id, question.span[0], "14 February", house.officer, source.stored.id)
            house.pipeline.reviewing.answer_question(slug, *answer)
    house.approve(slug, "email")


def test_a_changed_source_marks_the_other_languages(house):
    house.drop("a.fr.txt", FRENCH)
    house.drop("a.en.txt", ENGLISH)
    slug = house.watch()[0]
    house.clock.forward(minutes=5)
    house.drop("a.fr.txt", FRENCH.replace("douze questions", "quinze questions"))
    house.watch()
    views = views_of(house, slug)
    assert "quinze" in str(views["email", "fr"].revision.fields)
    assert views["email", "fr"].stale == ""
    assert "has changed" in views["email", "en"].stale
    view = views["email", "en"]
    house.pipeline.reviewing.confirm_draft(view.draft.id, view.draft.revision, house.officer)
    assert views_of(house, slug)["email", "en"].stale == ""


def test_a_language_whose_text_comes_later_replaces_the_frame_unless_a_person_wrote_it(house):
    ask_for_languages(house, "fr", "en")
    house.drop("a.fr.txt", FRENCH)
    (slug,) = house.watch()
    before = views_of(house, slug)
    assert any(check.id == "text.missing" for check in before["email", "en"].revision.checks)
    post = before["x", "en"]
    fields = replace(post.revision.fields, parts=("A survey on quays, before 14 February 2027.",))
    house.pipeline.reviewing.edit_draft(post.draft.id, post.draft.revision, fields, house.officer)
    house.drop("a.en.txt", ENGLISH)
    house.watch()
    after = views_of(house, slug)
    assert after["email", "en"].source.item.language == "en"
    assert not any(check.id == "text.missing" for check in after["email", "en"].revision.checks)
    assert after["x", "en"].revision.fields == fields
    assert "source text in this language" in after["x", "en"].stale


def test_a_change_after_sending_drafts_one_correction(house):
    house.drop("a.fr.txt", FRENCH)
    (slug,) = house.watch()
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    house.clock.forward(hours=1)
    house.drop("a.fr.txt", FRENCH.replace("14 février", "21 février"))
    house.watch()
    (correction,) = house.pipeline.reviewing.show_campaign(slug).corrections
    view = house.pipeline.reviewing.show_campaign(correction.slug)
    assert view.corrected.slug == slug
    assert [each.draft.channel.value for each in view.drafts] == ["email"]
    fields = view.drafts[0].revision.fields
    assert fields.subject.startswith("Rectificatif")
    assert any("21 février 2027" in line and "14 février 2027" in line for line in fields.sections[0].paragraphs)
    assert not [check for check in view.drafts[0].revision.checks if check.level == "error"]
    # The source changes once more before anybody approved: still one correction, which says all of it.
    house.drop("a.fr.txt", FRENCH.replace("14 février", "28 février"))
    house.watch()
    assert house.pipeline.reviewing.show_campaign(slug).corrections == (correction,)
    assert "28 février 2027" in str(views_of(house, correction.slug)["email", "fr"].revision.fields.sections[0])
    # What a reader would not notice sets nothing in motion.
    house.drop("a.fr.txt", FRENCH.replace("14 février", "28 février") + "\n\n")
    house.watch()
    assert views_of(house, correction.slug)["email", "fr"].draft.revision == 2
    # Once it is out, the next change is a correction of the correction.
    house.approve(correction.slug, "email")
    house.pipeline.delivering.deliver()
    house.drop("a.fr.txt", FRENCH.replace("14 février", "7 mars"))
    house.watch()
    newest, oldest = house.pipeline.reviewing.show_campaign(slug).corrections
    assert oldest == correction
    line = views_of(house, newest.slug)["email", "fr"].revision.fields.sections[0].paragraphs[0]
    assert "7 mars 2027" in line
    assert "28 février 2027" in line


class Translator(BaseHTTPRequestHandler):
    """LibreTranslate's endpoint: says in which language a text would be, and keeps its figures."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(asked)
        body = json.dumps({"translatedText": [f"English: {text}" for text in asked["q"]]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def translator():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Translator)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_translation_is_an_error_until_a_person_confirms_it(house, translator):
    address = f"http://127.0.0.1:{translator.server_port}"
    translation = Translation(provider="libretranslate", address=address)
    house.settings = house.settings.model_copy(
        update={"network": house.settings.network.model_copy(update={"translation": translation})}
    )
    ask_for_languages(house, "fr", "en")
    house.drop("a.fr.txt", FRENCH)
    (slug,) = house.watch()
    view = views_of(house, slug)["email", "en"]
    assert view.revision.fields.title.startswith("English: Enquête")
    assert [check.id for check in view.revision.checks if check.level == "error"] == ["text.unconfirmed"]
    assert view.obstacles
    assert {(asked["source"], asked["target"]) for asked in translator.asked} == {("fr", "en")}
    revision = house.pipeline.reviewing.confirm_draft(view.draft.id, view.draft.revision, house.officer)
    assert revision.fields.translated_by == ""
    assert revision.fields.title == view.revision.fields.title
    assert views_of(house, slug)["email", "en"].obstacles == ()


def test_a_translator_that_is_away_leaves_the_marks(house):
    translation = Translation(provider="libretranslate", address="http://127.0.0.1:9", timeout_seconds=1)
    house.settings = house.settings.model_copy(
        update={"network": house.settings.network.model_copy(update={"translation": translation})}
    )
    ask_for_languages(house, "fr", "en")
    house.drop("a.fr.txt", FRENCH)
    (slug,) = house.watch()
    assert any(check.id == "text.missing" for check in views_of(house, slug)["email", "en"].revision.checks)


MEETING = """# Quay meeting

The meeting takes place on 12 January 2027, 14:30-16:30 (CET) in Portamar.

Members who want to join can write to quays@tidalcities.example.
"""


def test_a_meeting_that_is_cancelled_after_its_invitation_is_cancelled_in_calendars(house):
    house.drop("meeting.en.md", MEETING)
    (slug,) = house.watch()
    before = house.draft(slug, "email").revision.content.body.calendar
    assert "STATUS:CONFIRMED" in before
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    house.drop(
        "meeting.en.md", MEETING.replace("takes place on", "on").replace("in Portamar.", "in Portamar is cancelled.")
    )
    house.watch()
    (correction,) = house.pipeline.reviewing.show_campaign(slug).corrections
    after = house.draft(correction.slug, "email").revision.content.body.calendar

    def lines(calendar, name):
        return [line for line in calendar.splitlines() if line.startswith(name)]

    assert lines(after, "UID:") == lines(before, "UID:")
    assert lines(before, "SEQUENCE:") == ["SEQUENCE:0"]
    assert lines(after, "SEQUENCE:") == ["SEQUENCE:1"]
    assert lines(after, "STATUS:") == ["STATUS:CANCELLED"]
