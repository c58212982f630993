"""Consent to opens and to clicks, each granted, denied or unknown: what the mail that leaves does, and what counts."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from conftest import CLEAN, House, on_sqlite  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.types import Consent, ConsentEntry, Delivery, DeliveryState, EventType, ProviderEvent, Purpose

NINE = tuple(product(Consent, Consent))
HEAD = "email,name,language,lists,status,open_tracking,click_tracking"


def address_of(opens: Consent, clicks: Consent) -> str:
    return f"{opens}.{clicks}@nine.example"


def send_to_nine(house: House) -> dict[str, Delivery]:
    """A circular to nine people, one of each; their rows by address."""
    people = [f"{address_of(*each)},Ada,fr,members,subscribed,{each[0]},{each[1]}" for each in NINE]
    assert house.pipeline.contacts.import_text("\n".join((HEAD, *people))).accepted == 9
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    rows = {row.address: row for row in house.pipeline.reviewing.who(slug)}
    assert {rows[address_of(*each)].state for each in NINE} == {DeliveryState.SENT}
    return {address_of(*each): rows[address_of(*each)] for each in NINE}


@on_sqlite
def test_each_of_the_nine_is_seen_in_sendgrid_s_message(house: House) -> None:
    send_to_nine(house)
    mails = {mail["to_email"]: mail for mail in house.sandbox.read("mails")}
    for opens, clicks in NINE:
        tracking = mails[address_of(opens, clicks)]["tracking"]
        assert tracking["open_tracking"] == {"enable": opens is Consent.GRANTED}
        assert tracking["click_tracking"] == {"enable": clicks is Consent.GRANTED, "enable_text": False}
        assert tracking["ganalytics"] == {"enable": False}


def test_a_mail_server_s_message_tracks_none_of_the_nine(house: House) -> None:
    email = house.settings.channels.email.model_copy(update={"provider": "smtp"})
    channels = house.settings.channels.model_copy(update={"email": email})
    settings = house.settings.model_copy(update={"channels": channels})
    pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    rows = send_to_nine(House(pipeline, house.sandbox, house.clock, settings))
    assert not any(row.track_opens or row.track_clicks for row in rows.values())
    mails = {mail["to"]: mail["html"] for mail in house.sandbox.read("smtp")}
    own = {address: unsubscribe_of(mails[address]) for address in rows}
    assert len(set(own.values())) == 9
    # But for each person's own links, the nine messages are one: nothing in them tells who opened or clicked.
    assert len({mails[address].replace(own[address], "TOKEN") for address in rows}) == 1
    pipeline.store.close()


def unsubscribe_of(html: str) -> str:
    """The token of the reader's own links."""
    return html.partition("/unsubscribe/")[2].partition('"')[0]


def events_of(rows: dict[str, Delivery], word: str, after: timedelta) -> list[ProviderEvent]:
    """Everybody opens and clicks."""
    return [
        ProviderEvent("test", f"{word}-{kind}-{row.id}", kind, (row.sent_at or row.created_at) + after, row.id, row.address,
                      url="https://tidalcities.example/fr/" if kind is EventType.CLICKED else None)
        for row in rows.values()
        for kind in (EventType.OPENED, EventType.CLICKED)
    ]  # fmt: skip


def counted(house: House, rows: dict[str, Delivery]) -> set[tuple[str, EventType]]:
    """Whose events of which kind are in the figures."""
    address = {row.id: row.address for row in rows.values()}
    return {
        (address[event.delivery_id], event.type) for event in house.pipeline.store.list_events(list(address)) if event.counted
    }  # fmt: skip


def receive(house: House, events: list[ProviderEvent]) -> None:
    house.pipeline.measuring._readers["test"] = lambda headers, body: tuple(events)
    house.pipeline.measuring.receive_events("test", {}, b"")


def test_what_counts_is_what_was_granted_and_after_a_withdrawal_nothing(house: House) -> None:
    rows = send_to_nine(house)
    receive(house, events_of(rows, "before", timedelta(minutes=30)))
    granted = {
        (address_of(opens, clicks), kind)
        for opens, clicks in NINE
        for kind, consent in ((EventType.OPENED, opens), (EventType.CLICKED, clicks))
        if consent is Consent.GRANTED
    }
    assert counted(house, rows) == granted
    house.clock.forward(hours=1)
    for row in rows.values():
        denied = [
            ConsentEntry(each, Consent.DENIED, house.clock(), "asked") for each in (Purpose.OPENS, Purpose.CLICKS)
        ]
        house.pipeline.store.record_consents(row.contact_id, denied, house.clock())
    before = len(
        [event for event in house.pipeline.store.list_events([row.id for row in rows.values()]) if event.counted]
    )
    receive(house, events_of(rows, "after", timedelta(hours=2)))
    kept = house.pipeline.store.list_events([row.id for row in rows.values()])
    assert not [event for event in kept if event.counted and "after" in event.key]
    assert len([event for event in kept if event.counted]) <= before
    assert not [event for event in kept if "after" in event.key and event.url]


@pytest.mark.parametrize("purpose", [Purpose.OPENS, Purpose.CLICKS])
def test_one_consent_withdrawn_leaves_the_other(house: House, purpose: Purpose) -> None:
    rows = send_to_nine(house)
    both = rows[address_of(Consent.GRANTED, Consent.GRANTED)]
    denied = [ConsentEntry(purpose, Consent.DENIED, house.clock(), "asked")]
    house.pipeline.store.record_consents(both.contact_id, denied, house.clock())
    receive(house, events_of({both.address: both}, "after", timedelta(hours=2)))
    left = EventType.CLICKED if purpose is Purpose.OPENS else EventType.OPENED
    assert counted(house, {both.address: both}) == {(both.address, left)}


@pytest.mark.parametrize("purpose", [Purpose.OPENS, Purpose.CLICKS])
def test_a_yes_that_is_taken_back_before_the_mail_leaves_is_not_in_it(house: House, purpose: Purpose) -> None:
    address = address_of(Consent.GRANTED, Consent.GRANTED)
    keeps = "stays@nine.example"
    people = [f"{each},Ada,fr,members,subscribed,granted,granted" for each in (address, keeps)]
    house.pipeline.contacts.import_text("\n".join((HEAD, *people)))
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    person = house.pipeline.store.find_contact(address)
    house.pipeline.contacts.record_answers(person.id, {purpose: Consent.DENIED}, "a letter")
    house.pipeline.delivering.deliver()
    mails = {mail["to_email"]: mail["tracking"] for mail in house.sandbox.read("mails")}
    asked = {Purpose.OPENS: "open_tracking", Purpose.CLICKS: "click_tracking"}
    for each, name in asked.items():
        assert mails[address][name]["enable"] is (each is not purpose)
        assert mails[keeps][name]["enable"] is True
    assert list(mails).count(address) == 1
    assert set(house.states(slug, "email")) <= {"sent", "suppressed"}
    (row,) = [row for row in house.pipeline.reviewing.who(slug) if row.address == address]
    assert (row.track_opens, row.track_clicks) == (purpose is not Purpose.OPENS, purpose is not Purpose.CLICKS)
