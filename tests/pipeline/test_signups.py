"""Double opt-in, preferences and one's own data: nothing counts before it is confirmed, and nothing gives away who is known."""

import json
import re

import pytest
from sqlalchemy import func, select

from pregon.audiences import sign_link
from pregon.deliveries import sign_delivery
from pregon.errors import NotFoundError, PregonError, SignatureError
from pregon.storage.tables import contacts, notices
from pregon.types import Consent, ContactState, DeliveryState, EventType, Outcome, Purpose, SuppressionReason, Wish

WISH = Wish("Ana", ("public",), Consent.UNKNOWN, Consent.GRANTED, "I agree.")


def ask(house, address="ana@new.example", wish=WISH, connection="192.0.2.1"):
    house.pipeline.signups.ask(address, "fr", wish, connection=connection)


def mails(house, address):
    """What the provider got for an address: recipient and message."""
    found = house.sandbox.read("mails")
    messages = dict(
        zip(dict.fromkeys(mail["message_id"] for mail in found), house.sandbox.read("messages"), strict=True)
    )
    return [(mail, messages[mail["message_id"]]) for mail in found if mail["to_email"] == address]


def link(house, address, path="confirm"):
    """The token in the newest mail to an address."""
    house.pipeline.noticing.send_due()
    found = re.findall(rf"/{path}/([0-9a-f]+\.[0-9a-f]+)", json.dumps(mails(house, address)[-1]))
    return found[0]


def waiting(house):
    with house.pipeline.store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(notices)).scalar_one()


def contact(house, address="ana@new.example"):
    return house.pipeline.store.find_contact(address)


def test_a_person_subscribes_by_the_link_in_the_mail(house):
    ask(house, " Ana@New.example ")
    assert contact(house).state is ContactState.PENDING
    token = link(house, "ana@new.example")
    assert house.pipeline.signups.notice_of(token).address == "ana@new.example"
    assert contact(house).state is ContactState.PENDING, "looking changes nothing"
    house.pipeline.signups.confirm(token)
    person = contact(house)
    assert (person.state, person.language, person.name, person.lists) == (
        ContactState.SUBSCRIBED,
        "fr",
        "Ana",
        ("public",),
    )
    assert (person.open_tracking, person.click_tracking) == (Consent.UNKNOWN, Consent.GRANTED)
    entries = house.pipeline.store.list_consents(person.id)
    assert [(e.purpose, e.answer, e.text) for e in entries] == [
        (Purpose.MAIL, Consent.GRANTED, "I agree."),
        (Purpose.CLICKS, Consent.GRANTED, "I agree."),
    ]
    house.pipeline.store.set_contact_state(person.id, ContactState.UNSUBSCRIBED, house.clock())
    house.pipeline.signups.confirm(token)
    assert contact(house).state is ContactState.UNSUBSCRIBED, "an old link does not undo a later no"


def test_the_mail_is_sent_once_and_carries_no_tracking(house):
    ask(house)
    for _ in range(3):
        house.pipeline.noticing.send_due()
    (mail,) = mails(house, "ana@new.example")
    text = json.dumps(mail, ensure_ascii=False)
    assert "Confirmez votre inscription" in text
    assert "Nouvelles et publications" in text
    assert '"enable": true' not in json.dumps(mail[1]["tracking_settings"])


@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_a_lost_answer_is_settled_and_never_sent_twice(house, fault):
    ask(house)
    claimed = house.pipeline.store.claim_notices(10, house.clock())
    assert len(claimed) == 1
    if fault == "hang":
        house.pipeline.noticing._channel.send(house.pipeline.noticing._shipment(claimed[0]))
    house.clock.forward(minutes=4)
    house.pipeline.noticing.send_due()
    house.clock.forward(minutes=30)
    house.pipeline.noticing.send_due()
    house.clock.forward(minutes=30)
    house.pipeline.noticing.send_due()
    assert len(mails(house, "ana@new.example")) == 1
    assert house.pipeline.store.read_notice(claimed[0].id).state == DeliveryState.SENT


def test_forged_and_old_links_do_nothing(house):
    ask(house)
    token = link(house, "ana@new.example")
    key = house.pipeline.signups._key
    notice_id = token.partition(".")[0]
    for forged in (
        token + "0",
        notice_id,
        "",
        sign_link("access", notice_id, key),
        sign_link("confirm", notice_id, b"x"),
    ):
        with pytest.raises(SignatureError):
            house.pipeline.signups.confirm(forged)
    house.clock.forward(days=15)
    with pytest.raises(NotFoundError, match="fill in the form again"):
        house.pipeline.signups.confirm(token)


def test_the_form_writes_to_nobody_too_often(house):
    for _ in range(5):
        ask(house)
    assert waiting(house) == 3
    for number in range(40):
        ask(house, f"p{number}@new.example", connection="192.0.2.9")
    assert waiting(house) == 3 + 30
    house.clock.forward(days=1, seconds=1)
    ask(house)
    assert waiting(house) == 34


def test_who_bounced_or_was_shut_out_gets_no_mail_and_no_other_answer(house):
    for reason in (SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED, SuppressionReason.MANUAL):
        house.pipeline.store.add_suppression(f"{reason}@new.example", reason, "", house.clock())
        ask(house, f"{reason}@new.example")
    assert waiting(house) == 0
    for address, wish, sentence in (("nobody", WISH, "not an e-mail"), ("a@b.example", Wish(), "at least one topic")):
        with pytest.raises(PregonError, match=sentence):
            ask(house, address, wish)
    with pytest.raises(PregonError, match="at least one topic"):
        ask(house, wish=Wish(lists=("members",)))


def test_who_unsubscribed_or_was_erased_may_come_back_by_themselves(house):
    house.pipeline.contacts.import_text("email,language,lists\nana@new.example,es,members\nbo@new.example,es,members\n")
    house.pipeline.store.set_contact_state(contact(house).id, ContactState.UNSUBSCRIBED, house.clock())
    house.pipeline.store.add_suppression("ana@new.example", SuppressionReason.UNSUBSCRIBED, "", house.clock())
    house.pipeline.contacts.erase("bo@new.example")
    for address in ("ana@new.example", "bo@new.example"):
        ask(house, address)
        house.pipeline.signups.confirm(link(house, address))
        assert contact(house, address).state is ContactState.SUBSCRIBED
    assert contact(house).lists == ("members", "public")
    assert not house.pipeline.store.list_suppressions()
    assert house.pipeline.contacts.import_text("email,language\nbo@new.example,es\n").accepted == 1


def test_who_comes_back_after_they_were_erased_is_no_longer_kept_out_by_the_provider(house, monkeypatch):
    house.pipeline.contacts.import_text("email,language,lists\nbo@new.example,es,members\n")
    house.pipeline.store.add_suppression("bo@new.example", SuppressionReason.UNSUBSCRIBED, "", house.clock())
    house.pipeline.duties.tell_due()
    house.pipeline.contacts.erase("bo@new.example")
    house.pipeline.duties.tell_due()
    ask(house, "bo@new.example")
    house.pipeline.signups.confirm(link(house, "bo@new.example"))
    told = []
    monkeypatch.setattr(
        house.pipeline.duties._channel,
        "tell_addresses",
        lambda kind, addresses: told.append((kind, addresses)) or Outcome("", DeliveryState.SENT, None, ""),
    )
    house.pipeline.duties.tell_due()
    assert told == [("release", ["bo@new.example"])]


@pytest.mark.parametrize("broken", ["set_lists", "mend_contact", "record_consents", "answer_notice"])
def test_a_yes_that_was_interrupted_counts_when_it_is_repeated(house, monkeypatch, broken):
    ask(house)
    token = link(house, "ana@new.example")
    with monkeypatch.context() as stopped:
        stopped.setattr(house.pipeline.store, broken, lambda *given, **named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            house.pipeline.signups.confirm(token)
    house.pipeline.signups.confirm(token)
    assert (contact(house).state, contact(house).lists) == (ContactState.SUBSCRIBED, ("public",))


def test_signs_that_no_database_keeps_cost_nobody_their_subscription(house):
    ask(house, wish=Wish("A\0n\u202ea", ("public",)))
    house.pipeline.signups.confirm(link(house, "ana@new.example"))
    assert contact(house).name == "Ana"


def test_the_provider_lets_the_way_back_through_and_no_newsletter(house):
    _, row, _ = sent(house)
    ask(house, "ana@new.example")
    house.pipeline.noticing.send_due()
    ((_, asked),) = mails(house, "ana@new.example")
    assert asked["mail_settings"] == {"bypass_unsubscribe_management": {"enable": True}}
    ((_, newsletter),) = mails(house, row.address)
    assert "mail_settings" not in newsletter


def sent(house):
    slug = house.open_campaign()
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    rows = [r for r in house.pipeline.reviewing.who(slug) if r.channel == "email" and r.state is DeliveryState.SENT]
    row = next(r for r in rows if r.track_clicks)
    return slug, row, sign_delivery(row.id, house.pipeline.signups._key)


def test_preferences_by_the_link_of_a_mail_and_withdrawal_backwards(house):
    slug, row, token = sent(house)
    signups, store = house.pipeline.signups, house.pipeline.store
    person = signups.person_of(token)
    assert person.id == row.contact_id
    changed = signups.change(token, "es", ("public", "board"), Consent.DENIED, Consent.DENIED, "text")
    assert (changed.language, changed.lists) == ("es", ("public",)), "nobody joins a list that is not offered"
    assert changed.click_tracking is Consent.DENIED
    assert [e.how for e in store.list_consents(person.id)][-1] == "the preference page"
    row_of_file = f"email,language,lists\n{person.address},fr,members\n"
    house.pipeline.contacts.import_text(row_of_file)
    assert "members" not in store.read_contact(person.id).lists, "who left a list is not put back by a file"
    assert signups.link_of(person).startswith("http")
    assert signups.person_of(signups.link_of(person).rsplit("/", 1)[1]).id == person.id
    # What arrives now for the old mail counts nowhere.
    from pregon.types import ProviderEvent

    event = ProviderEvent("t", "e1", EventType.CLICKED, house.clock(), row.id, row.address, url="https://x.example")
    house.pipeline.measuring._readers = {"t": lambda headers, body: (event,)}
    house.pipeline.measuring.receive_events("t", {}, b"")
    assert sum(row.clicks for f in house.pipeline.measuring.funnels(slug) for row in f.rows) == 0


def test_ones_data_only_by_a_link_of_ones_own(house):
    _, row, token = sent(house)
    signups = house.pipeline.signups
    for reading in (signups.export, signups.erase, signups.owner_of):
        with pytest.raises(SignatureError):
            reading(token)
    signups.ask_access(token, connection="192.0.2.1")
    own = link(house, row.address, "data")
    assert signups.export(own)["address"] == row.address
    signups.erase(own)
    with pytest.raises(NotFoundError):
        signups.export(own)
    with pytest.raises(NotFoundError):
        signups.person_of(token)


def test_who_never_confirms_is_forgotten(house):
    ask(house)
    store, asked = house.pipeline.store, contact(house)
    store.set_lists(asked.id, ["members"], house.clock())
    store.set_lists(asked.id, [], house.clock(), by_person=True)  # a list they left keeps nobody on file
    ask(house, "bo@new.example")
    house.pipeline.signups.confirm(link(house, "bo@new.example"))
    house.clock.forward(days=31)
    ask(house, "cy@new.example")
    assert house.pipeline.signups.forget() == 1
    assert contact(house) is None
    assert contact(house, "bo@new.example").state is ContactState.SUBSCRIBED
    assert contact(house, "cy@new.example") is not None
    with house.pipeline.store.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(contacts).where(contacts.c.id < 0)).scalar() == 0
