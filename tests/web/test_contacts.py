"""Contacts at the desk: found a page at a time, mended, kept out, erased."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from tests.web.builders import Browser, Place

from pregon.storage.tables import provider_duties
from pregon.types import Consent, Contact, ContactState, Purpose, SuppressionReason

Browse = Callable[[str], Browser]


def add(place: Place, count: int) -> None:
    rows = "".join(f"p{n:03}@harbour.example,Person {n},en,press,Brest\n" for n in range(count))
    place.pipeline.contacts.import_text("email,name,language,lists,city\n" + rows)


def one(place: Place, address: str = "p000@harbour.example") -> Contact:
    found = place.pipeline.store.find_contact(address)
    assert found is not None
    return found


def test_a_page_shows_a_hundred_and_leads_to_the_next(place: Place, browse: Browse) -> None:
    add(place, 150)
    viewer = browse("viewer")
    first = viewer.get("/contacts?q=brest+pers")
    assert first.count("@harbour.example</a>") == 100
    onward = first.split('">Older ones')[0].rsplit('href="', 1)[1].replace("&amp;", "&")
    second = viewer.get(onward)
    assert second.count("@harbour.example</a>") == 50
    assert "Older ones" not in second
    assert "Nobody matches" in viewer.get("/contacts?q=zanzibar")


def test_mending_keeps_how_an_answer_came(place: Place, browse: Browse) -> None:
    add(place, 1)
    approver, path = browse("approver"), f"/contacts/{one(place).id}"
    fields = {"name": "Ana", "language": "fr", "city": "Cádiz", "lists": "members, press"}
    assert "Say how the answer came" in approver.post(path, 400, **fields, clicks="granted")
    assert "does not work in" in approver.post(path, 400, **fields | {"language": "xx"})
    assert approver.post(path, **fields, clicks="granted", how="letter of 3 May") == f"{path}?said=contact"
    person = one(place)
    assert (person.name, person.language, person.city, person.lists) == ("Ana", "fr", "Cádiz", ("members", "press"))
    assert person.click_tracking is Consent.GRANTED
    entry = place.pipeline.store.list_consents(person.id)[-1]
    assert (entry.purpose, entry.how) == (Purpose.CLICKS, "letter of 3 May (by approver)")
    assert "letter of 3 May" in browse("viewer").get(path)
    approver.post(path, **fields, mail="denied", how="by telephone")
    assert one(place).state is ContactState.UNSUBSCRIBED


def test_addresses_are_kept_out_and_let_in_again_but_not_over_a_no(place: Place, browse: Browse) -> None:
    approver = browse("approver")
    assert "is not an e-mail address" in approver.post(
        "/suppressions", 400, address="nobody", detail="x", word="suppress"
    )
    approver.post("/suppressions", address="Press@Paper.example", detail="asked us", word="suppress")
    page = browse("viewer").get("/suppressions?q=press@")
    assert "asked us (by approver)" in page
    assert "Write to it again" not in page
    approver.post("/suppressions", address="press@paper.example", word="release")
    assert "press@paper.example" not in approver.get("/suppressions")


def test_what_the_provider_refused_to_hear_is_shown_and_decided(place: Place, browse: Browse) -> None:
    add(place, 1)
    place.pipeline.contacts.erase("p000@harbour.example")
    row = {"state": "failed", "detail": "SendGrid answered 400"}
    with place.pipeline.store.engine.begin() as connection:
        connection.execute(provider_duties.update().values(**row))
        number = connection.execute(select(provider_duties.c.id)).scalar_one()
    page, path = browse("viewer").get("/suppressions"), f"/suppressions/duties/{number}"
    assert "Forget this person: <strong>p000@harbour.example</strong>" in page
    assert path not in page
    browse("viewer").post(path, 403, word="done")
    approver = browse("approver")
    assert path in approver.get("/suppressions")
    approver.post(path, word="again")
    assert place.pipeline.duties.tell_due() == 1
    assert "The mail provider could not be told" not in approver.get("/suppressions")
    approver.post(path, 404, word="done")
    place.pipeline.store.add_suppression("no@x.example", SuppressionReason.COMPLAINED, "", one_time())
    assert "only they can" in approver.post("/suppressions", 400, address="no@x.example", word="release")


def one_time():
    from datetime import UTC, datetime

    return datetime(2026, 11, 1, tzinfo=UTC)


def test_suppressions_are_paged_by_key(place: Place, browse: Browse) -> None:
    for n in range(101):
        place.pipeline.store.add_suppression(f"s{n:03}@x.example", SuppressionReason.BOUNCED, "", one_time())
    page = browse("viewer").get("/suppressions?q=s")
    assert "s099@x.example" in page
    assert "s100@x.example" not in page
    onward = page.split('">More')[0].rsplit('href="', 1)[1].replace("&amp;", "&")
    assert "s100@x.example" in browse("viewer").get(onward)


def test_erasing_asks_for_the_address_and_leaves_no_trace(place: Place, browse: Browse) -> None:
    add(place, 1)
    person, approver = one(place), browse("approver")
    path = f"/contacts/{person.id}"
    assert "nothing was done" in approver.post(f"{path}/erase", 400, address="other@x.example")
    approver.post(f"{path}/erase", address=" P000@harbour.example ")
    approver.get(path, 404)
    for page in ("/contacts?q=p000", "/suppressions", "/audit", "/contacts"):
        assert "p000@harbour.example" not in approver.get(page)
    assert "an erased person" in approver.get("/suppressions")


@pytest.mark.parametrize("path", ["/contacts/1", "/contacts/1/erase", "/suppressions", "/contacts/import"])
def test_who_may_not_decide_changes_nothing(browse: Browse, path: str) -> None:
    browse("editor").post(path, 403, address="x@y.example", word="suppress")


def test_segments_of_the_configuration_are_counted(place: Place, browse: Browse) -> None:
    page = browse("viewer").get("/segments")
    for name in place.pipeline.settings.segments:
        assert name in page
