"""Several requests in flight: each mail once, each in its own row, and whatever stops a pass stops the next claim."""

import threading

import pytest
from conftest import CLEAN  # type: ignore[import-not-found]
from test_delivering import ledger_adds_up, mails  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.types import ChannelName, ContactState, Decision, DeliverySearch, DeliveryState, DraftState


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


def test_who_records_gives_its_turn_to_the_next_and_no_more_fly_than_may(busy, monkeypatch):
    """Where several may write at once, the first to record waits here until a request more has left than may fly."""
    slug = busy.open_campaign(CLEAN)
    busy.approve(slug, "email")
    store, channel = busy.pipeline.store, busy.pipeline.delivering._channels[ChannelName.EMAIL]
    send, exchange, lock, more_left = channel.send, type(store).exchange_mailings, threading.Lock(), threading.Event()
    flying, most, left = 0, 0, 0

    def sending(shipment):
        nonlocal flying, most, left
        with lock:
            flying, left = flying + 1, left + 1
            most = max(most, flying)
            if left > 3:
                more_left.set()
        outcomes = send(shipment)
        with lock:
            flying -= 1
        return outcomes

    def recording(own, finished, count, *args, **options):
        if finished and not count:
            assert more_left.wait(10)
        return exchange(own, finished, count, *args, **options)

    monkeypatch.setattr(channel, "send", sending)
    if store.writes_side_by_side:
        monkeypatch.setattr(type(store), "exchange_mailings", recording)
    busy.pipeline.delivering.deliver()
    assert left > 3 >= most
    assert set(mails(busy).values()) == {1}
    assert set(busy.states(slug, "email")) == {"sent", "suppressed"}
    ledger_adds_up(busy, slug)


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


def test_what_was_claimed_ahead_does_not_leave_after_a_stop(busy, monkeypatch):
    """Three requests are in flight and three more are claimed when the draft is stopped: only the three leave."""
    slug = busy.open_campaign(CLEAN)
    busy.approve(slug, "email")
    store, channel = busy.pipeline.store, busy.pipeline.delivering._channels[ChannelName.EMAIL]
    (view,) = [each for each in busy.pipeline.reviewing.show_campaign(slug).drafts if each.draft.channel == "email"][:1]
    send, in_flight, stopped, calls = channel.send, threading.Barrier(4), threading.Event(), []

    def waiting(shipment):
        calls.append(shipment)
        in_flight.wait(10)
        assert stopped.wait(10)
        return send(shipment)

    def stop():
        in_flight.wait(10)
        assert busy.states(slug, "email").count("sending") > 2 * 3  # ahead of their turn, too
        store.stop_draft(
            view.draft, view.revision.digest, Decision.WITHDRAWN, DraftState.IN_REVIEW, "officer", busy.clock()
        )
        stopped.set()

    monkeypatch.setattr(channel, "send", waiting)
    stopper = threading.Thread(target=stop)
    stopper.start()
    busy.pipeline.delivering.deliver()
    stopper.join(10)
    assert len(calls) == 3
    assert len(mails(busy)) == busy.states(slug, "email").count("sent") == 6
    assert set(busy.states(slug, "email")) == {"sent", "suppressed"}
    ledger_adds_up(busy, slug)
    left = [row for row in busy.pipeline.reviewing.who(slug) if (row.reason or "").startswith("stopped by officer")]
    assert left
    assert {row.attempts for row in left} == {0}
    assert store.read_pause(ChannelName.EMAIL) is None


def test_what_was_claimed_ahead_waits_when_mail_is_paused_and_uses_no_quota(busy, monkeypatch):
    email = busy.settings.channels.email.model_copy(update={"batch_size": 2, "in_flight": 1, "daily_quota": 100})
    settings = busy.settings.model_copy(update={"channels": busy.settings.channels.model_copy(update={"email": email})})
    busy.pipeline.store.close()
    busy.pipeline = build_pipeline(settings, busy.sandbox, clock=busy.clock)
    store = busy.pipeline.store
    slug = busy.open_campaign(CLEAN)
    busy.approve(slug, "email")
    around_sending(busy, monkeypatch, lambda _: store.write_pause(ChannelName.EMAIL, "a person said so", busy.clock()))
    busy.pipeline.delivering.deliver()
    assert busy.states(slug, "email").count("sent") == 2
    assert set(busy.states(slug, "email")) == {"sent", "pending", "suppressed"}
    assert store.read_quota(ChannelName.EMAIL, busy.clock().strftime("%Y-%m-%d")) == 2
    busy.pipeline.stopping.resume_channel(ChannelName.EMAIL, busy.officer)
    monkeypatch.undo()
    busy.pipeline.delivering.deliver()
    assert set(busy.states(slug, "email")) == {"sent", "suppressed"}
    assert set(mails(busy).values()) == {1}


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
