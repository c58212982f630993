"""What became of one claim says nothing about another one of the same delivery; what is out is out, whoever claims it."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import CLEAN  # type: ignore[import-not-found]
from test_delivering import mails, open_thread  # type: ignore[import-not-found]
from test_handing import with_email  # type: ignore[import-not-found]
from test_measuring import receive  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.channels.answers import spread
from pregon.deliveries import NOT_POSTED
from pregon.pipeline import delivering
from pregon.types import ChannelName, Decision, DeliveryState, DraftState, EventType, Outcome, ProviderEvent

SIZE = 3


@pytest.fixture
def three(house):
    """A ledger with three mails alone, in requests of three."""
    for each in with_email(house, batch_size=SIZE, in_flight=1):
        slug = each.open_campaign(CLEAN)
        each.approve(slug, "email")
        store = each.pipeline.store
        each.pipeline.delivering._planning.plan_all()
        with store.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE deliveries SET track_opens = false, track_clicks = false")
            connection.exec_driver_sql(
                "UPDATE deliveries SET state = 'suppressed', reason = 'not in this test' WHERE channel = 'email' AND id NOT IN "
                f"(SELECT id FROM deliveries WHERE channel = 'email' AND state = 'pending' ORDER BY id LIMIT {SIZE})"
            )
        each.slug = slug
        yield each


def states(house):
    return sorted(set(house.states(house.slug, "email")) - {"suppressed"})


def test_who_reads_back_slowly_does_not_take_back_a_later_claim(three, monkeypatch):
    """One pass has read that nothing is there; before it says so another one has said so, and has sent."""
    store, slow = three.pipeline.store, three.pipeline.delivering
    store.exchange_mailings((), 1, SIZE, "a worker that dies", three.clock())
    three.clock.forward(minutes=20)
    store.mark_lost_claims(three.clock(), three.clock())
    other = build_pipeline(slow._settings, three.sandbox, clock=three.clock)
    channel, quick = slow._channels[ChannelName.EMAIL], other.delivering._channels[ChannelName.EMAIL]
    settle, send, flying, recorded = channel.settle, quick.send, threading.Event(), threading.Event()

    def sending(shipment):
        outcomes = send(shipment)
        flying.set()
        assert recorded.wait(20)
        return outcomes

    def settling(shipment):
        outcomes = settle(shipment)
        other.delivering.deliver()
        three.clock.forward(minutes=1)
        monkeypatch.setattr(quick, "send", sending)
        sender.start()
        assert flying.wait(20)
        return outcomes

    sender = threading.Thread(target=other.delivering.deliver)
    monkeypatch.setattr(channel, "settle", settling)
    slow._settle_channel(channel)
    assert states(three) == ["sending"]
    recorded.set()
    sender.join(20)
    monkeypatch.undo()
    three.clock.forward(minutes=10)
    slow.deliver()
    other.store.close()
    assert states(three) == ["sent"]
    assert set(mails(three).values()) == {1}


def test_a_refusal_is_for_the_claim_that_was_refused(three):
    store, now = three.pipeline.store, three.clock()
    (mailing,) = store.exchange_mailings((), 1, SIZE, "worker", now)
    rows = store.read_deliveries([row[0] for row in mailing.rows])
    earlier = {key: replace(row, claimed_at=now - timedelta(minutes=5)) for key, row in rows.items()}
    refused = [(Outcome(key, DeliveryState.PENDING, None, "busy"), now) for key in rows]
    store.record_outcomes(refused, "send", now, earlier)
    assert states(three) == ["sending"]
    store.record_outcomes(refused, "settle", now, rows)
    assert states(three) == ["sending"], "what is on its way is not settled"
    store.record_outcomes(refused, "send", now, rows)
    assert states(three) == ["pending"]


def test_what_was_taken_for_absent_and_is_out_is_sent(three):
    store, now = three.pipeline.store, three.clock()
    (mailing,) = store.exchange_mailings((), 1, SIZE, "worker", now)
    rows = store.read_deliveries([row[0] for row in mailing.rows])
    store.record_outcomes(
        [(Outcome(key, DeliveryState.PENDING, None, "absent"), now) for key in rows], "send", now, rows
    )
    assert states(three) == ["pending"]
    store.exchange_mailings([(mailing, Outcome("", DeliveryState.SENT, "m-1", "taken"))], 0, 0, "worker", now)
    assert states(three) == ["sent"]


def test_what_was_called_back_and_claimed_anew_is_not_sent_by_an_answer_of_before(three):
    store, now = three.pipeline.store, three.clock()
    (mailing,) = store.exchange_mailings((), 1, SIZE, "one+", now)
    store.return_mailing(mailing, (), now)
    (again,) = store.exchange_mailings((), 1, SIZE, "two+", now)
    late = Outcome("", DeliveryState.SENT, "m-1", "kept", leaves_at=now + timedelta(hours=1))
    store.exchange_mailings([(mailing, late)], 0, 0, "one+", now)
    assert states(three) == ["sending"]
    store.exchange_mailings([(again, late)], 0, 0, "two+", now)
    assert states(three) == ["sent"]


def claim_part(house, text="worker"):
    (row,) = house.pipeline.store.claim_due(ChannelName.X, 1, text, house.clock())
    return row


def test_what_was_refused_to_a_claim_of_before_does_not_end_the_thread(house):
    slug, store = open_thread(house), house.pipeline.store
    house.approve(slug, "x")
    before = claim_part(house)
    house.clock.forward(minutes=4)
    store.mark_lost_claims(house.clock(), house.clock())
    house.pipeline.delivering._settle_channel(house.pipeline.delivering._channels[ChannelName.X])
    house.clock.forward(minutes=4)
    now = claim_part(house, "another")
    store.record_outcomes(
        [(Outcome(now.id, DeliveryState.SENT, "1", "posted"), None)], "send", house.clock(), {now.id: now}
    )
    channel, refused = (
        house.pipeline.delivering._channels[ChannelName.X],
        Outcome(now.id, DeliveryState.FAILED, None, "no"),
    )
    house.pipeline.delivering._record(channel, [before], [refused], "send")
    assert house.states(slug, "x") == ["sent", "pending", "pending"]


def test_a_thread_that_ends_does_so_in_the_same_moment_as_its_part(house, monkeypatch):
    slug = open_thread(house)
    house.approve(slug, "x")
    channel = house.pipeline.delivering._channels[ChannelName.X]
    refuse = lambda shipment: spread(shipment.deliveries, DeliveryState.FAILED, "no")  # noqa: E731
    monkeypatch.setattr(channel, "send", refuse)

    def die(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(delivering, "pause_for_outcome", die)
    with pytest.raises(KeyboardInterrupt):
        house.pipeline.delivering.deliver()
    assert house.states(slug, "x") == ["failed", "failed", "failed"]
    reasons = {row.reason for row in house.pipeline.reviewing.who(slug) if row.channel == "x" and row.position}
    assert reasons == {f"{NOT_POSTED}: no"}


def test_what_was_stopped_as_absent_and_is_out_is_sent(house):
    """A worker takes longer than its claim; meanwhile nothing is found of it, and somebody stops the campaign."""
    slug, store = open_thread(house), house.pipeline.store
    house.approve(slug, "x")
    channel = house.pipeline.delivering._channels[ChannelName.X]
    house.pipeline.delivering._send_claimed(channel, (claim_part(house),))
    slow = claim_part(house, "slow")
    house.clock.forward(minutes=4)
    store.mark_lost_claims(house.clock(), house.clock())
    house.pipeline.stopping.stop(slug, Decision.WITHDRAWN, house.officer)
    house.pipeline.delivering._settle_channel(channel)
    assert house.states(slug, "x") == ["sent", "suppressed", "suppressed"]
    posted = Outcome(slow.id, DeliveryState.SENT, "2", "posted")
    house.pipeline.delivering._record(channel, [slow], [posted], "send")
    assert house.states(slug, "x") == ["sent", "sent", "suppressed"]


def test_mails_that_were_stopped_as_absent_and_are_out_are_sent(three):
    store, delivering = three.pipeline.store, three.pipeline.delivering
    (slow,) = store.exchange_mailings((), 1, SIZE, "slow", three.clock())
    three.clock.forward(minutes=20)
    store.mark_lost_claims(three.clock(), three.clock())
    delivering._settle_channel(delivering._channels[ChannelName.EMAIL])
    assert states(three) == ["pending"]
    view = three.draft(three.slug, "email")
    three.pipeline.reviewing.decide(view.draft.id, Decision.WITHDRAWN, view.revision.digest, three.officer)
    assert states(three) == []
    store.exchange_mailings([(slow, Outcome("", DeliveryState.SENT, "one"))], 0, 0, "slow", three.clock())
    assert states(three) == ["sent"]


def reported(house, row, kind, key="k"):
    return ProviderEvent("test", f"{key} {row.id}", kind, house.clock(), row.id, row.address)


@pytest.mark.parametrize("kind", [EventType.PROCESSED, EventType.DELIVERED, EventType.BOUNCED])
def test_an_event_that_comes_while_nobody_has_answered_settles_what_the_log_does_not_show(three, kind):
    store = three.pipeline.store
    store.exchange_mailings((), 1, SIZE, "a worker that dies", three.clock())
    rows = [row for row in three.pipeline.reviewing.who(three.slug) if row.state is DeliveryState.SENDING]
    receive(three, *(reported(three, row, kind) for row in rows))
    for _ in range(3):
        three.clock.forward(minutes=20)
        three.pipeline.delivering.deliver()
    assert states(three) == ["sent"]
    assert not mails(three), "the log lags, and it went out a second time"


@pytest.mark.parametrize("is_stopped", [True, False], ids=["stopped", "waiting"])
def test_what_was_taken_for_absent_and_was_delivered_does_not_go_out_again(three, is_stopped):
    store = three.pipeline.store
    rows = [row for row in three.pipeline.reviewing.who(three.slug) if row.state is DeliveryState.PENDING]
    if is_stopped:
        draft = three.draft(three.slug, "email")
        store.stop_draft(
            draft.draft, draft.revision.digest, Decision.WITHDRAWN, DraftState.IN_REVIEW, "officer", three.clock()
        )
    receive(three, *(reported(three, row, EventType.PROCESSED) for row in rows))
    assert "sent" not in states(three), "accepted is what was called back, too"
    receive(three, *(reported(three, row, EventType.DELIVERED, "later") for row in rows))
    assert states(three) == ["sent"]
    three.pipeline.delivering.deliver()
    assert not mails(three)


def test_what_was_called_back_was_accepted_once_which_says_nothing_of_the_next_request(three):
    for ahead in with_email(three, batch_size=SIZE, in_flight=1, handover_minutes=60):
        ahead.pipeline.delivering.deliver()
        ahead.pipeline.stopping.pause_channel(ChannelName.EMAIL, "wait", ahead.officer)
        ahead.pipeline.stopping.resume_channel(ChannelName.EMAIL, ahead.officer)
        ahead.sandbox.set_fault("sendgrid", "drop_before_accept")
        ahead.pipeline.delivering.deliver()
        rows = [row for row in ahead.pipeline.reviewing.who(three.slug) if row.state is DeliveryState.UNKNOWN]
        assert len(rows) == SIZE
        receive(ahead, *(reported(ahead, row, EventType.PROCESSED) for row in rows))
        for _ in range(4):
            ahead.pipeline.delivering.deliver()
            ahead.clock.forward(minutes=30)
            ahead.sandbox.set_clock(ahead.clock().isoformat())
        assert len(mails(ahead)) == SIZE, "a late event of the first request made it count as sent"
