"""What is kept of a person, and that erasing them leaves counts and a hash alone."""

import pytest
from sqlalchemy import inspect, select, text

from pregon.deliveries import sign_delivery
from pregon.errors import NotFoundError, PregonError
from pregon.types import (
    Consent,
    ContactState,
    DeliveryState,
    EventType,
    ProviderEvent,
    Purpose,
    SuppressionReason,
    Wish,
)


def sent_to(house):
    """A mail sent; one of its deliveries."""
    slug = house.open_campaign()
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    rows = [r for r in house.pipeline.reviewing.who(slug) if r.channel == "email" and r.state is DeliveryState.SENT]
    return slug, rows[0]


def everything(house) -> str:
    """Every value in the database, as one text. The words of a search index are values, too."""
    engine = house.pipeline.store.engine
    lines = []
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()
            lines += [f"{table}: {row}" for row in rows if not table.startswith("contact_words")]
    return "\n".join(lines)


def test_everything_about_one_person_is_exported(house):
    _, row = sent_to(house)
    answers = {Purpose.CLICKS: Consent.DENIED}
    house.pipeline.contacts.record_answers(row.contact_id, answers, "letter", "We would like to count clicks.")
    told = house.pipeline.contacts.export(row.contact_id)
    assert told["address"] == row.address
    assert told["consents"][-1]["text"] == "We would like to count clicks."
    assert [mail["state"] for mail in told["deliveries"]] == ["sent"]
    with pytest.raises(NotFoundError):
        house.pipeline.contacts.export(10_000_000)


def test_erasing_leaves_counts_and_a_hash(house):
    slug, row = sent_to(house)
    person = house.pipeline.store.read_contact(row.contact_id)
    before = house.pipeline.measuring.funnels(slug)
    assert house.pipeline.contacts.erase(f" {row.address.upper()} ") == row.contact_id
    left = [line for line in everything(house).splitlines() if row.address in line or person.name in line]
    # The provider has yet to be told; that duty, and nothing else, holds the address until it is done.
    assert [line.split(":")[0] for line in left] == ["provider_duties"]
    assert house.pipeline.measuring.funnels(slug) == before
    assert house.pipeline.store.search_contacts(row.address)[0] == ()
    assert house.pipeline.store.read_contact(row.contact_id) is None


def test_an_erased_person_is_not_brought_back_by_a_file(house):
    house.pipeline.contacts.import_text("email,language\na@x.example,en\n")
    house.pipeline.contacts.erase("a@x.example")
    assert house.pipeline.contacts.erase("never@x.example") == 0
    before = house.pipeline.store.count_contacts()
    text_ = "email,language,lists\nA@x.example,en,press\nb@x.example,en,press\nnever@x.example,en,press\n"
    result = house.pipeline.contacts.import_text(text_)
    assert (result.accepted, [line for line, _ in result.rejected]) == (1, [2, 4])
    assert "asked to be erased" in result.rejected[0][1]
    assert house.pipeline.store.count_contacts() == before + 1
    with pytest.raises(PregonError, match="not an e-mail address"):
        house.pipeline.contacts.erase("nobody")


def test_what_is_waiting_for_an_erased_person_is_not_sent(house):
    slug = house.open_campaign()
    house.approve(slug, "email")
    rows = [r for r in house.pipeline.reviewing.who(slug) if r.channel == "email" and r.state is DeliveryState.PENDING]
    house.pipeline.contacts.erase(rows[0].address)
    house.pipeline.delivering.deliver()
    after = {r.id: r for r in house.pipeline.reviewing.who(slug)}
    assert after[rows[0].id].state is DeliveryState.SUPPRESSED
    assert after[rows[0].id].reason == "the person asked to be erased"
    assert after[rows[1].id].state is DeliveryState.SENT


def test_a_delivery_under_way_keeps_its_address_until_it_is_settled(house):
    from pregon.storage.tables import deliveries

    _, row = sent_to(house)
    engine, store = house.pipeline.store.engine, house.pipeline.store
    mine = deliveries.c.id == row.id
    with engine.begin() as connection:
        connection.execute(deliveries.update().where(mine).values(state=DeliveryState.UNKNOWN))
    house.pipeline.contacts.erase(row.address)
    assert store.read_delivery(row.id).address == row.address
    with engine.begin() as connection:
        connection.execute(deliveries.update().where(mine).values(state=DeliveryState.SENT))
    assert store.finish_erasures() == 1
    assert store.finish_erasures() == 0
    with engine.connect() as connection:
        assert connection.execute(select(deliveries.c.address).where(mine)).scalar() == f"erased:{row.contact_id}"


def receive(house, *events):
    """Events as if a verified webhook had brought them."""
    house.pipeline.measuring._readers["test"] = lambda headers, body: events
    house.pipeline.measuring.receive_events("test", {}, b"")


def report(house, key, kind, delivery_id, address):
    """One event as a provider tells it, the address in it."""
    raw = f'{{"email": "{address.title()}"}}'
    kept_out = SuppressionReason.BOUNCED if kind is EventType.DROPPED else None
    given = (key, kind, house.clock(), delivery_id, address.title())
    return ProviderEvent("test", *given, raw=raw, permanent=True, kept_out=kept_out)


def naming(house, address):
    """The tables that still hold an address, but for the duty to tell the provider."""
    lines = [line for line in everything(house).splitlines() if address in line.lower()]
    return {line.split(":")[0] for line in lines} - {"provider_duties"}


def test_what_is_told_of_an_erased_person_names_them_no_more(house):
    slug, row = sent_to(house)
    receive(house, report(house, "early", EventType.BOUNCED, None, row.address))
    house.pipeline.contacts.release(row.address)
    house.pipeline.contacts.erase(row.address)
    assert naming(house, row.address) == set()
    kinds = (
        EventType.DELIVERED,
        EventType.OPENED,
        EventType.BOUNCED,
        EventType.COMPLAINED,
        EventType.UNSUBSCRIBED,
        EventType.DROPPED,
    )
    for delivery_id in (row.id, None):
        for kind in kinds:  # each by itself, since in one batch one event tells of the others whose they are
            receive(house, report(house, f"{delivery_id} {kind}", kind, delivery_id, row.address))
    assert naming(house, row.address) == set()
    funnel = house.pipeline.measuring.funnels(slug)[0].rows[0]
    assert (funnel.delivered, funnel.bounced, funnel.complained, funnel.unsubscribed) == (1, 1, 1, 1)


def test_an_old_link_of_an_erased_person_leaves_nothing_to_tell_the_provider(house):
    _, row = sent_to(house)
    house.pipeline.contacts.erase(row.address)
    house.pipeline.measuring.unsubscribe(sign_delivery(row.id, house.pipeline.measuring._key))
    assert [line for line in everything(house).splitlines() if "erased:" in line and "suppress" in line] == []


@pytest.mark.parametrize("ends", ["erased", "forgotten"])
def test_what_was_reported_of_a_notice_goes_with_it(house, ends):
    house.pipeline.signups.ask("ana@new.example", "fr", Wish("Ana", ("public",)), connection="192.0.2.1")
    (notice,) = house.pipeline.store.claim_notices(10, house.clock())
    receive(house, report(house, "before", EventType.PROCESSED, notice.id, "ana@new.example"))
    if ends == "erased":
        house.pipeline.contacts.erase("ana@new.example")
        receive(house, report(house, "after", EventType.DELIVERED, notice.id, "ana@new.example"))
    else:
        house.clock.forward(days=31)
        assert house.pipeline.signups.forget() == 1
    assert naming(house, "ana@new.example") == set()


def test_the_figures_know_that_what_waited_for_an_erased_person_was_left_out(house):
    slug = house.open_campaign()
    house.approve(slug, "email")
    rows = [r for r in house.pipeline.reviewing.who(slug) if r.channel == "email" and r.state is DeliveryState.PENDING]
    before = house.pipeline.measuring.funnels(slug)[0].rows[0]
    house.pipeline.contacts.erase(rows[0].address)
    after = house.pipeline.measuring.funnels(slug)[0].rows[0]
    assert (after.planned, after.pending, after.suppressed) == (
        before.planned,
        before.pending - 1,
        before.suppressed + 1,
    )


def test_who_was_erased_is_in_no_count_of_contacts(house):
    house.pipeline.contacts.import_text("email,language\na@x.example,fr\nb@x.example,fr\n")
    store = house.pipeline.store
    before, everybody = store.count_contacts_by(), store.count_contacts()
    house.pipeline.contacts.erase("a@x.example")
    after = store.count_contacts_by()
    assert store.count_contacts() == everybody - 1 == sum(after["state"].values()) == len(store.list_contacts())
    assert after["state"]["subscribed"] == before["state"]["subscribed"] - 1
    assert after["state"].get("unsubscribed") == before["state"].get("unsubscribed")
    assert after["language"]["fr"] == before["language"]["fr"] - 1


def test_only_what_changes_is_recorded(house):
    house.pipeline.contacts.import_text("email,language\na@x.example,en\n")
    contacts, store = house.pipeline.contacts, house.pipeline.store
    person = store.find_contact("a@x.example")
    count = len(store.list_consents(person.id))
    contacts.record_answers(person.id, {Purpose.MAIL: Consent.GRANTED, Purpose.OPENS: Consent.UNKNOWN}, "")
    assert len(store.list_consents(person.id)) == count
    for _ in range(2):
        store.set_contact_state(person.id, ContactState.UNSUBSCRIBED, house.clock(), "by a link")
    assert [entry.how for entry in store.list_consents(person.id)][count:] == ["by a link"]
