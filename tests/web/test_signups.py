"""The readers' own pages: the form, the confirmation, preferences, one's data. Without a session, in three languages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.web.builders import ORIGIN, Browser, Place, build_desk, make_settings, open_place
from tests.web.test_readers import mailed

from pregon.types import Consent, ContactState
from pregon.web.readers_words import SIGNUP_WORDS

Browse = Callable[[str], Browser]
FORM = {"address": "ana@new.example", "topic": "public", "language": "es", "clicks": "yes"}


def link(place: Place, address: str, path: str) -> str:
    place.pipeline.noticing.send_due()
    assert place.sandbox.read("mails")[-1]["to_email"] == address
    return re.findall(rf"/{path}/[0-9a-f]+\.[0-9a-f]+", json.dumps(place.sandbox.read("messages")[-1]))[0]


def test_every_language_has_every_word() -> None:
    for words in SIGNUP_WORDS.values():
        assert set(words) == set(SIGNUP_WORDS["en"])
        assert all(words.values())


@pytest.mark.parametrize(("language", "words"), [("en", "Subscribe"), ("fr", "S’abonner"), ("es", "Suscribirse")])
def test_the_form_in_each_language(browse: Browse, language: str, words: str) -> None:
    answer = browse("").http.get(f"/subscribe/{language}")
    assert words in answer.text
    assert f'<html lang="{language}">' in answer.text
    assert "{" not in answer.text.partition("<main")[2]
    assert "set-cookie" not in answer.headers
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_from_the_form_to_the_preferences(place: Place, browse: Browse) -> None:
    reader, store = browse(""), place.pipeline.store
    assert "Look into your mailbox" in reader.post("/subscribe/en", 200, **FORM)
    assert ("pregon.notice.written", "pregon.notice.asked") in place.hints
    path = link(place, "ana@new.example", "confirm")
    for method in ("GET", "GET"):
        assert "ana@new.example" in reader.http.request(method, path).text
    assert store.find_contact("ana@new.example").state is ContactState.PENDING
    page = reader.http.post(path, headers={"Origin": "null"})
    assert "Gracias" in page.text
    person = store.find_contact("ana@new.example")
    assert (person.state, person.click_tracking) == (ContactState.SUBSCRIBED, Consent.GRANTED)
    preferences = re.search(r"/preferences/[0-9]+\.[0-9a-f]+", page.text)[0]
    assert "ana@new.example" not in reader.get(preferences), "links are forwarded; the page names nobody"
    saved = reader.post(preferences, 200, language="fr", topic="public", opens="yes")
    assert "Enregistré" in saved
    person = store.find_contact("ana@new.example")
    assert (person.language, person.open_tracking, person.click_tracking) == ("fr", Consent.GRANTED, Consent.DENIED)
    texts = {entry.text for entry in store.list_consents(person.id) if entry.how == "the preference page"}
    assert len(texts) == 1
    assert texts.pop().startswith(SIGNUP_WORDS["es"]["opens"]), "the page that they saw was Spanish"
    reader.post(f"{preferences}/data", 200)
    data = link(place, "ana@new.example", "data")
    told = json.loads(reader.get(f"{data}/data.json"))
    assert told["address"] == "ana@new.example"
    assert told["consents"][0]["text"].startswith("I want to receive mails")
    assert "Effacé" in reader.post(data, 200)
    assert store.find_contact("ana@new.example") is None
    for gone in (data, f"{data}/data.json", preferences):
        reader.get(gone, 404)


def test_people_behind_a_trusted_proxy_do_not_share_its_requests(tmp_path: Path, prepared_home: Path) -> None:
    def ask(folder: str, trusted: tuple[str, ...]) -> int:
        settings = make_settings(tmp_path / folder, prepared=prepared_home)
        desk = settings.desk.model_copy(update={"trusted_proxies": trusted})
        with open_place(settings.model_copy(update={"desk": desk})) as place:
            http = TestClient(build_desk(place), base_url=ORIGIN, client=("10.0.0.5", 4711))
            for number in range(33):
                headers = {"X-Forwarded-For": f"198.51.100.{number}"}
                form = FORM | {"address": f"p{number}@new.example"}
                assert http.post("/subscribe/en", data=form, headers=headers).status_code == 200
            return len(place.pipeline.store.claim_notices(100, place.pipeline.signups._clock()))

    assert ask("a", ()) == 30
    assert ask("b", ("10.0.0.0/8",)) == 33


def test_a_link_that_was_refused_does_not_say_the_next_time_that_it_is_confirmed(place: Place, browse: Browse) -> None:
    reader = browse("")
    reader.post("/subscribe/en", 200, **FORM)
    path = link(place, "ana@new.example", "confirm")
    place.pipeline.contacts.suppress("ana@new.example", "a letter")
    for _ in range(2):
        assert reader.http.post(path).status_code == 403
    place.pipeline.contacts.release("ana@new.example")
    assert "Gracias" in reader.http.post(path).text
    assert place.pipeline.store.find_contact("ana@new.example").state is ContactState.SUBSCRIBED


def test_the_answer_says_nothing_about_who_is_known(place: Place, browse: Browse) -> None:
    place.pipeline.contacts.import_text("email,language\nknown@new.example,en\n")
    pages = {
        browse("").post("/subscribe/en", 200, **FORM | {"address": a}) for a in ("known@new.example", "x@new.example")
    }
    pages.add(browse("").post("/subscribe/en", 200, **FORM, website="http://spam.example"))
    assert len(pages) == 1


def test_a_robot_that_fills_every_field_is_not_heard(place: Place, browse: Browse) -> None:
    browse("").post("/subscribe/en", 200, **FORM, website="http://spam.example")
    assert place.pipeline.store.find_contact("ana@new.example") is None


def test_a_mistake_is_told_and_nothing_typed_is_lost(browse: Browse) -> None:
    page = browse("").post("/subscribe/en", 400, **FORM | {"address": "ana@@new", "name": "<b>Ana</b>"})
    assert "is not an e-mail address" in page
    assert "&lt;b&gt;Ana" in page
    assert "at least one topic" in browse("").post("/subscribe/en", 400, address="a@b.example")


def test_the_unsubscribe_page_leads_to_the_preferences(place: Place, browse: Browse) -> None:
    row, token = mailed(place)
    assert f'href="/preferences/{token}"' in browse("").get(f"/unsubscribe/{token}")
    reader = browse("")
    assert row.address not in reader.get(f"/preferences/{token}")
    reader.post(f"/preferences/{token}", 200, language="fr")
    assert place.pipeline.store.read_contact(row.contact_id).lists == ()


@pytest.mark.parametrize("token", ["x", "a.b", "é.ü", "1.", "0" * 32 + "." + "0" * 22, "9" * 400 + ".0"])
def test_wrong_links_say_so(browse: Browse, token: str) -> None:
    reader = browse("")
    for path in (f"/confirm/{token}", f"/preferences/{token}", f"/data/{token}"):
        for method in ("GET", "POST"):
            answer = reader.http.request(method, path)
            assert answer.status_code == 404
            assert "use the whole link" in answer.text
    assert reader.http.get(f"/data/{token}/data.json").status_code == 404


def test_there_is_no_form_for_a_language_of_nobody(browse: Browse) -> None:
    browse("").get("/subscribe/xx", 404)
    browse("").post("/subscribe/xx", 404, **FORM)
