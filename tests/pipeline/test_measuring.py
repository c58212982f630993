"""Signed events once, consent obeyed also backwards, unsubscribes at once, counts that add up."""

import json
from dataclasses import replace

import pytest
from conftest import CLEAN  # type: ignore[import-not-found]

from pregon.deliveries import sign_delivery
from pregon.errors import PregonError, SignatureError
from pregon.storage.tables import deliveries
from pregon.types import ContactState, DeliveryState, EventType, Label, ProviderEvent, SuppressionReason


def sent(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    return slug, [row for row in house.pipeline.reviewing.who(slug) if row.state is DeliveryState.SENT]


def receive(house, *events):
    """Events as if a verified webhook had brought them."""
    house.pipeline.measuring._readers["test"] = lambda headers, body: events
    return house.pipeline.measuring.receive_events("test", {}, b"")


def click(row, key="c1", minutes=30, url="https://tidalcities.example/fr/"):
    from datetime import timedelta

    at = row.sent_at + timedelta(minutes=minutes)
    return ProviderEvent(
        "test", key, EventType.CLICKED, at, row.id, row.address, url=url, raw=json.dumps({"ip": "192.0.2.1"})
    )


def figures(house, slug):
    return house.pipeline.measuring.funnels(slug)[0].rows[0]


def test_an_event_counts_once_however_often_it_is_sent(house):
    slug, rows = sent(house)
    row = next(row for row in rows if row.track_clicks)
    assert receive(house, *[click(row)] * 46) == 1
    assert receive(house, click(row)) == 0
    assert (figures(house, slug).clickers, figures(house, slug).clicks) == (1, 1)


def test_a_click_of_somebody_who_did_not_agree_counts_nowhere_and_keeps_no_trace(house):
    slug, rows = sent(house)
    row = next(row for row in rows if not row.track_clicks)
    receive(house, click(row))
    assert figures(house, slug).clicks == figures(house, slug).machine_clicks == 0
    (event,) = house.pipeline.store.list_events([row.id])
    assert (event.counted, event.rule, event.url) == (False, "no-consent", None)


def test_a_scanner_s_burst_is_kept_apart_also_when_it_comes_in_pieces(house):
    slug, rows = sent(house)
    row = next(row for row in rows if row.track_clicks)
    for number in range(3):
        receive(house, click(row, f"burst{number}", url=f"https://tidalcities.example/{number}"))
    assert figures(house, slug).clickers == 0
    assert figures(house, slug).machine_clicks == 3
    labels = {event.label for event in house.pipeline.store.list_events([row.id])}
    assert labels == {Label.SCANNER}


def test_an_unsubscribe_acts_at_once_and_only_once(house):
    slug, rows = sent(house)
    key = house.pipeline.measuring._key
    token = sign_delivery(rows[0].id, key)
    for _ in range(3):
        assert house.pipeline.measuring.unsubscribe(token).id == rows[0].id
    assert figures(house, slug).unsubscribed == 1
    assert house.pipeline.store.read_contact(rows[0].contact_id).state is ContactState.UNSUBSCRIBED
    assert rows[0].address in house.pipeline.store.list_suppressions()
    with pytest.raises(SignatureError):
        house.pipeline.measuring.unsubscribe(token[:-1] + "x")


def test_an_import_never_brings_back_who_unsubscribed(house):
    _, rows = sent(house)
    house.pipeline.measuring.unsubscribe(sign_delivery(rows[0].id, house.pipeline.measuring._key))
    csv = f"email,language,lists,status,click_tracking\n{rows[0].address},fr,members,subscribed,granted\n"
    assert house.pipeline.contacts.import_text(csv).accepted == 1
    assert house.pipeline.store.read_contact(rows[0].contact_id).state is ContactState.UNSUBSCRIBED


@pytest.mark.parametrize("state", [DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.UNKNOWN])
@pytest.mark.parametrize("kind", [EventType.DELIVERED, EventType.BOUNCED, EventType.DEFERRED])
def test_what_was_taken_for_absent_and_is_reported_after_all_is_not_sent_again(house, state, kind):
    slug, rows = sent(house)
    with house.pipeline.store.engine.begin() as connection:
        mine = deliveries.update().where(deliveries.c.id == rows[0].id)
        connection.execute(
            mine.values(state=state, due_at=house.clock(), sent_at=None, reason="the log has none of it")
        )
    before = len(house.sandbox.read("mails"))
    receive(house, ProviderEvent("test", "late", kind, house.clock(), rows[0].id, rows[0].address))
    house.pipeline.delivering.deliver()
    assert len(house.sandbox.read("mails")) == before
    row = house.pipeline.store.read_delivery(rows[0].id)
    assert (row.state, row.reason) == (DeliveryState.SENT, f"the provider reported {kind} by our id")
    assert figures(house, slug).sent == len(rows)


def test_a_batch_of_events_settles_all_of_its_mails_at_once(house, monkeypatch):
    _, rows = sent(house)
    with house.pipeline.store.engine.begin() as connection:
        connection.execute(deliveries.update().values(state=DeliveryState.UNKNOWN))
    recorded, record = [], house.pipeline.store.record_outcomes
    monkeypatch.setattr(
        house.pipeline.store,
        "record_outcomes",
        lambda outcomes, *rest: (recorded.append(len(outcomes)), record(outcomes, *rest)),
    )
    kinds = (EventType.PROCESSED, EventType.DELIVERED)
    receive(
        house, *(ProviderEvent("test", f"{k} {r.id}", k, house.clock(), r.id, r.address) for r in rows for k in kinds)
    )
    assert recorded == [len(rows)]
    assert {house.pipeline.store.read_delivery(row.id).state for row in rows} == {DeliveryState.SENT}


def test_what_a_provider_only_accepted_may_have_been_called_back_since(house):
    _, rows = sent(house)
    with house.pipeline.store.engine.begin() as connection:
        mine = deliveries.update().where(deliveries.c.id == rows[0].id)
        connection.execute(mine.values(state=DeliveryState.PENDING))
    receive(house, ProviderEvent("test", "p1", EventType.PROCESSED, house.clock(), rows[0].id, rows[0].address))
    assert house.pipeline.store.read_delivery(rows[0].id).state is DeliveryState.PENDING


def test_who_unsubscribes_with_the_provider_is_unsubscribed_here(house):
    slug, rows = sent(house)
    told = ProviderEvent("test", "u1", EventType.UNSUBSCRIBED, house.clock(), rows[0].id, rows[0].address)
    elsewhere = ProviderEvent("test", "u2", EventType.UNSUBSCRIBED, house.clock(), None, rows[1].address)
    receive(house, told, elsewhere)
    assert house.pipeline.store.read_contact(rows[0].contact_id).state is ContactState.UNSUBSCRIBED
    suppressed = house.pipeline.store.list_suppressions()
    assert rows[0].address in suppressed
    assert rows[1].address not in suppressed, "without a delivery it may be about another program's mails"
    assert figures(house, slug).unsubscribed == 1


@pytest.mark.parametrize("first", list(SuppressionReason))
def test_after_a_complaint_nobody_at_the_desk_lets_the_address_be_written_to(house, first):
    _, rows = sent(house)
    address = rows[0].address
    house.pipeline.store.add_suppression(address, first, "", house.clock())
    receive(house, ProviderEvent("test", "c1", EventType.COMPLAINED, house.clock(), rows[0].id, address))
    with pytest.raises(PregonError, match="said no"):
        house.pipeline.contacts.release(address)
    found = house.pipeline.store.read_suppressions([address])[address]
    assert found.reason is (first if first is SuppressionReason.UNSUBSCRIBED else SuppressionReason.COMPLAINED)


def test_an_event_that_is_sent_again_does_not_undo_a_release(house):
    _, rows = sent(house)
    bounce = ProviderEvent("test", "b1", EventType.BOUNCED, house.clock(), rows[0].id, rows[0].address, permanent=True)
    receive(house, bounce)
    house.pipeline.contacts.release(rows[0].address)
    receive(house, bounce)
    assert rows[0].address not in house.pipeline.store.list_suppressions()
    receive(house, replace(bounce, key="b2"))
    assert rows[0].address in house.pipeline.store.list_suppressions()


def test_a_bounce_that_was_not_kept_is_followed_when_it_is_sent_again(house, monkeypatch):
    _, rows = sent(house)
    bounce = ProviderEvent("test", "b1", EventType.BOUNCED, house.clock(), rows[0].id, rows[0].address, permanent=True)
    for name in ("add_suppression", "add_events"):
        with monkeypatch.context() as broken:
            broken.setattr(house.pipeline.store, name, lambda *given: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                receive(house, bounce)
    receive(house, bounce)
    assert rows[0].address in house.pipeline.store.list_suppressions()
    assert house.pipeline.store.known_events({("test", "b1"), ("test", "b2")}) == {("test", "b1")}


@pytest.mark.parametrize(
    "reason", [SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED, SuppressionReason.UNSUBSCRIBED]
)
def test_what_the_provider_keeps_out_by_its_own_lists_is_not_written_to_again(house, reason):
    _, rows = sent(house)
    given = ("test", "d1", EventType.DROPPED, house.clock())
    receive(house, ProviderEvent(*given, None, "somebody@elsewhere.example", kept_out=reason))
    receive(
        house,
        ProviderEvent("test", "d2", EventType.DROPPED, house.clock(), rows[0].id, rows[0].address, kept_out=reason),
    )
    assert house.pipeline.store.list_suppressions() == {rows[0].address: reason}
    contact = house.pipeline.store.find_contact(rows[0].address)
    assert (contact.state is ContactState.UNSUBSCRIBED) is (reason is SuppressionReason.UNSUBSCRIBED)


def test_a_hard_bounce_is_never_written_to_again_and_a_soft_one_may_be(house):
    _, rows = sent(house)
    for number, (row, permanent) in enumerate(zip(rows, (True, False), strict=False)):
        receive(
            house,
            ProviderEvent(
                "test", f"b{number}", EventType.BOUNCED, house.clock(), row.id, row.address, permanent=permanent
            ),
        )
    suppressed = house.pipeline.store.list_suppressions()
    assert rows[0].address in suppressed
    assert rows[1].address not in suppressed


def test_an_event_that_comes_before_the_answer_settles_an_unknown_delivery(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.sandbox.set_fault("sendgrid", "drop_after_accept", times=10)
    house.pipeline.delivering.deliver()
    row = next(row for row in house.pipeline.reviewing.who(slug) if row.state is DeliveryState.UNKNOWN)
    receive(house, ProviderEvent("test", "d", EventType.DELIVERED, house.clock(), row.id, row.address, "msg"))
    assert house.pipeline.store.read_delivery(row.id).state is DeliveryState.SENT


def test_samples_are_read_from_what_was_posted_and_raw_data_is_forgotten_in_time(house):
    slug, rows = sent(house)
    house.approve(slug, "x")
    house.pipeline.delivering.deliver()
    assert house.pipeline.measuring.measure() > 0
    row = next(row for row in rows if row.track_clicks)
    receive(house, click(row))
    house.clock.forward(days=400)
    assert house.pipeline.measuring.forget_old_events() == 1
    assert figures(house, slug).clicks == 1


def test_an_unsigned_batch_is_refused_whole(house):
    with pytest.raises(SignatureError):
        house.pipeline.measuring.receive_events("sendgrid", {}, b"[]")


def test_a_batch_with_repeated_and_unknown_events_keeps_each_once(house):
    _, rows = sent(house)
    batch = [click(row, key=row.id) for row in rows]
    nobody = ProviderEvent("sendgrid", "of-nobody", EventType.DELIVERED, house.clock(), "0" * 32, None)
    assert receive(house, *batch, *batch, nobody) == len(rows) + 1
    assert receive(house, *batch, nobody) == 0
    assert receive(house) == 0
