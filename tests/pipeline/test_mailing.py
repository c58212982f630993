"""Several requests in flight: each mail once, each in its own row, and whatever stops a pass stops the next claim."""

import threading

import pytest
from conftest import CLEAN  # type: ignore[import-not-found]
from test_delivering import ledger_adds_up, mails  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.types import ChannelName, ContactState, DeliverySearch, DeliveryState


@pytest.fixture
def busy(house):
    """Two mails a request, three requests at a time."""
    email = house.settings.channels.email.model_copy(update={"batch_size": 2, "in_flight": 3})
    channels = house.settings.channels.model_copy(update={"email": email})
    settings = house.settings.model_copy(update={"channels": channels})
    house.pipeline.store.close()
    house.pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    yield house
    house.pipeline.store.close()


def around_sending(house, monkeypatch, act):
    """Call `act` with the number of the request before each one is sent; threads take turns at it."""
    channel, lock, calls = house.pipeline.delivering._channels[ChannelName.EMAIL], threading.Lock(), []
    send = channel.send

    def sending(shipment):
        with lock:
            calls.append(len(shipment.deliveries))
            act(len(calls))
        return send(shipment)

    monkeypatch.setattr(channel, "send", sending)
    return calls


def test_each_mail_leaves_once_and_the_mails_of_a_request_share_a_receipt(busy, monkeypatch):
    slug = busy.open_campaign(CLEAN)
    busy.approve(slug, "email")
    together, numbers = threading.Barrier(3), iter(range(1000))
    calls = around_sending(busy, monkeypatch, lambda _: None)
    channel = busy.pipeline.delivering._channels[ChannelName.EMAIL]
    send = channel.send

    def meet(shipment):
        # The first three go on only when all of them are in flight.
        if next(numbers) < 3:
            together.wait(10)
        return send(shipment)

    monkeypatch.setattr(channel, "send", meet)
    busy.pipeline.delivering.deliver()
    assert set(mails(busy).values()) == {1}
    assert ledger_adds_up(busy, slug).rows[0].sent == len(mails(busy)) == sum(calls)
    store = busy.pipeline.store
    (campaign,) = busy.pipeline.reviewing.list_campaigns()
    search = DeliverySearch(campaign.campaign.id, states=(DeliveryState.SENT,), limit=100)
    rows = store.page_deliveries(search)
    tried = store.receipts_of([row.id for row in rows])
    assert {(len(each), each[0].delivery_id) for each in tried.values()} == {(1, row.id) for row in rows}
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM receipts").scalar_one() == len(calls)


def test_a_pause_and_an_unsubscribe_are_seen_by_the_next_claim(busy, monkeypatch):
    slug = busy.open_campaign(CLEAN)
    busy.approve(slug, "email")
    busy.pipeline.delivering._planning.plan_all()
    left = [row for row in busy.pipeline.reviewing.who(slug) if row.state is DeliveryState.PENDING][-1]
    store = busy.pipeline.store

    def act(number):
        if number == 1:
            store.write_pause(ChannelName.EMAIL, "a person said so", busy.clock())

    calls = around_sending(busy, monkeypatch, act)
    busy.pipeline.delivering.deliver()
    assert 1 <= len(calls) <= 3
    assert busy.states(slug, "email").count("sending") == 0
    assert busy.states(slug, "email").count("pending") > 0
    store.set_contact_state(left.contact_id, ContactState.UNSUBSCRIBED, busy.clock())
    busy.pipeline.stopping.resume_channel(ChannelName.EMAIL, busy.officer)
    busy.pipeline.delivering.deliver()
    assert left.address not in mails(busy)
    assert set(mails(busy).values()) == {1}
    assert set(busy.states(slug, "email")) == {"sent", "suppressed"}


def test_a_rate_limit_ends_the_pass(busy, monkeypatch):
    slug = busy.open_campaign(CLEAN)
    busy.approve(slug, "email")
    for _ in range(3):
        busy.sandbox.set_fault("sendgrid", "429_with_reset")
    calls = around_sending(busy, monkeypatch, lambda _: None)
    busy.pipeline.delivering.deliver()
    assert 1 <= len(calls) <= 5
    assert "pending" in busy.states(slug, "email")


def test_an_answer_to_what_was_taken_for_lost_is_recorded_all_the_same(busy, monkeypatch):
    slug = busy.open_campaign(CLEAN)
    busy.approve(slug, "email")
    store = busy.pipeline.store
    around_sending(busy, monkeypatch, lambda _: store.mark_lost_claims(busy.clock().replace(year=2999), busy.clock()))
    busy.pipeline.delivering.deliver()
    assert set(busy.states(slug, "email")) == {"sent", "suppressed"}
    assert set(mails(busy).values()) == {1}


def test_a_mistake_in_one_request_does_not_lose_the_others(busy, monkeypatch):
    slug = busy.open_campaign(CLEAN)
    busy.approve(slug, "email")

    def act(number):
        if number == 2:
            raise RuntimeError("a mistake")

    around_sending(busy, monkeypatch, act)
    with pytest.raises(RuntimeError):
        busy.pipeline.delivering.deliver()
    states = busy.states(slug, "email")
    assert states.count("sent") == len(mails(busy)) > 0
    assert 1 <= states.count("sending") <= 2


def test_no_more_leaves_than_a_minute_and_a_day_allow(house):
    email = house.settings.channels.email.model_copy(update={"batch_size": 2, "daily_quota": 4, "mails_per_minute": 3})
    channels = house.settings.channels.model_copy(update={"email": email})
    house.clock.at = house.clock.at.replace(hour=11, minute=0, second=0, microsecond=0)
    house.pipeline.store.close()
    house.pipeline = build_pipeline(
        house.settings.model_copy(update={"channels": channels}), house.sandbox, clock=house.clock
    )
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    for expected in (3, 3, 4, 4):
        house.pipeline.delivering.deliver()
        assert len(mails(house)) == expected
        house.clock.forward(seconds=30)
    assert "all 4 mails of this day are used" in house.pipeline.store.read_pause(ChannelName.EMAIL)
    house.clock.forward(hours=14)
    house.pipeline.delivering.deliver()
    assert len(mails(house)) > 4
    assert set(mails(house).values()) == {1}
    house.pipeline.store.close()
