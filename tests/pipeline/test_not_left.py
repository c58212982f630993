"""What certainly never left: it uses up no attempt and no quota, waits no longer than it must, and stops when its draft does."""

import json
import threading
from datetime import UTC, datetime

import pytest
from conftest import CLEAN, on_sqlite  # type: ignore[import-not-found]
from sqlalchemy.exc import OperationalError
from test_delivering import ledger_adds_up, mails, open_thread  # type: ignore[import-not-found]
from test_handing import with_email  # type: ignore[import-not-found]
from test_mail_server import mailbox, mailing, rows_of  # type: ignore[import-not-found]
from test_settling import lose  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.channels.answers import spread
from pregon.channels.sendgrid.client import build_client
from pregon.channels.sendgrid.send import read_refusal
from pregon.channels.smtp import channel as smtp
from pregon.deliveries import NO_PART_BEFORE, TOO_LATE
from pregon.storage import mailings
from pregon.types import Budget, ChannelName, Decision, DeliveryState, Outgoing, PostFields

__all__ = ["mailbox", "mailing"]
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def counted(house):
    """A quota of a hundred mails a day, five a request."""
    yield from with_email(house, batch_size=5, in_flight=1, daily_quota=100)


def approved(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    return slug


def used(house):
    return house.pipeline.store.read_quota(ChannelName.EMAIL, house.clock().strftime("%Y-%m-%d"))


def states(house, slug):
    return set(house.states(slug, "email")) - {"suppressed"}


def test_while_a_provider_cannot_be_reached_nothing_is_used_up_and_then_all_goes_out(counted, monkeypatch):
    slug, channel = approved(counted), counted.pipeline.delivering._channels[ChannelName.EMAIL]
    monkeypatch.setattr(channel, "_client", build_client("key", NOBODY, 1))
    for _ in range(12):  # more than there are attempts
        counted.pipeline.delivering.deliver()
        counted.clock.forward(minutes=5)
    rows = [row for row in counted.pipeline.reviewing.who(slug) if row.state is not DeliveryState.SUPPRESSED]
    assert {(row.state, row.attempts) for row in rows} == {(DeliveryState.PENDING, 0)}
    assert "SendGrid cannot be reached; nothing was sent" in {row.reason for row in rows}
    assert used(counted) == 0
    monkeypatch.undo()
    counted.clock.forward(minutes=2)
    counted.pipeline.delivering.deliver()
    assert states(counted, slug) == {"sent"}
    assert used(counted) == len(rows) == len(mails(counted))


def test_what_cannot_be_reached_for_too_long_waits_for_a_person(counted, monkeypatch):
    slug, channel = approved(counted), counted.pipeline.delivering._channels[ChannelName.EMAIL]
    monkeypatch.setattr(channel, "_client", build_client("key", NOBODY, 1))
    for _ in range(11):
        counted.pipeline.delivering.deliver()
        counted.clock.forward(hours=5)
    assert states(counted, slug) == {"held"}


@on_sqlite
def test_wrong_recipients_that_are_named_one_at_a_time_fail_alone(house, monkeypatch):
    for busy in with_email(house, batch_size=50, in_flight=1):
        slug, channel = approved(busy), busy.pipeline.delivering._channels[ChannelName.EMAIL]
        wrong = {row.address for row in busy.pipeline.reviewing.who(slug) if row.state is DeliveryState.PENDING}
        wrong = set(sorted(wrong)[::4])
        assert len(wrong) > 10
        send = channel.send

        def refuse(shipment, wrong=wrong, send=send):
            named = [place for place, each in enumerate(shipment.deliveries) if each.address in wrong]
            if not named:
                return send(shipment)
            error = {"message": "Does not contain a valid address.", "field": f"personalizations.{named[0]}.to.0.email"}
            return read_refusal(shipment.deliveries, 400, {}, json.dumps({"errors": [error]}), house.clock())

        monkeypatch.setattr(channel, "send", refuse)
        for _ in range(8):
            busy.pipeline.delivering.deliver()
            busy.clock.forward(hours=1)
        rows = {row.address: row.state for row in busy.pipeline.reviewing.who(slug) if row.channel == "email"}
        assert {address for address, state in rows.items() if state is DeliveryState.FAILED} == wrong
        assert states(busy, slug) == {"sent", "failed"}


def test_a_recipient_who_was_not_in_the_request_is_blamed_for_nothing():
    error = {"errors": [{"message": "wrong", "field": "personalizations.7.to.0.email"}]}
    outcomes = read_refusal((Outgoing("a", 0, ""), Outgoing("b", 0, "")), 400, {}, json.dumps(error), datetime.now(UTC))
    assert {each.state for each in outcomes} == {DeliveryState.FAILED}, "or it is tried for ever"


@on_sqlite
def test_what_a_quota_spreads_over_days_is_not_late(house):
    for slow in with_email(house, batch_size=2, in_flight=1, daily_quota=12):
        slug = approved(slow)
        for _ in range(3):
            slow.pipeline.delivering.deliver()
            slow.clock.forward(days=1)
        assert states(slow, slug) == {"sent", "pending"}
        slow.pipeline.delivering.deliver()
        assert states(slow, slug) == {"sent"}
        assert len(mails(slow)) == 48


@on_sqlite
def test_what_has_stopped_going_out_for_too_long_waits_for_a_person(house):
    for slow in with_email(house, batch_size=2, in_flight=1, daily_quota=12):
        slug = approved(slow)
        for days in (1, 1, 3):
            slow.pipeline.delivering.deliver()
            slow.clock.forward(days=days)
        slow.pipeline.delivering.deliver()
        assert states(slow, slug) == {"sent", "held"}


def test_a_post_whose_provider_cannot_be_reached_is_tried_once_a_pass(house, monkeypatch):
    slug = open_thread(house)
    house.approve(slug, "x")
    channel, calls = house.pipeline.delivering._channels[ChannelName.X], []

    def unreached(shipment):
        calls.append(shipment)
        assert len(calls) < 10
        return spread(shipment.deliveries, DeliveryState.PENDING, "X cannot be reached", is_unsent=True)

    with monkeypatch.context() as outage:
        outage.setattr(channel, "send", unreached)
        for _ in range(8):
            house.pipeline.delivering.deliver()
        assert len(calls) == 8
    house.pipeline.delivering.deliver()
    assert set(house.states(slug, "x")) == {"sent"}


def test_what_is_refused_is_not_counted_as_used(counted):
    slug = approved(counted)
    counted.sandbox.set_fault("sendgrid", "429")
    counted.pipeline.delivering.deliver()
    assert states(counted, slug) == {"pending"}
    assert used(counted) == 0


@pytest.mark.parametrize("is_crash", [True, False], ids=["after a crash", "after a refusal"])
def test_what_is_a_month_old_waits_for_a_person_although_it_was_tried(house, is_crash):
    slug, store = approved(house), house.pipeline.store
    if is_crash:
        house.pipeline.delivering._planning.plan_all()
        store.exchange_mailings((), 10, 1000, "a worker that dies", house.clock())
    else:
        house.sandbox.set_fault("sendgrid", "429", times=20)
        house.pipeline.delivering.deliver()
    house.clock.forward(days=30)
    for _ in range(3):
        house.pipeline.delivering.deliver()
        house.clock.forward(minutes=5)
    assert states(house, slug) == {"held"}
    assert TOO_LATE in {row.reason for row in house.pipeline.reviewing.who(slug)}
    assert not mails(house)


@pytest.mark.parametrize("what", ["may_leave", "content"])
def test_a_read_that_fails_before_the_request_leaves_nothing_in_doubt(house, monkeypatch, what):
    for busy in with_email(house, batch_size=2, in_flight=3):
        slug, lock, calls = approved(busy), threading.Lock(), []
        of = type(busy.pipeline.store) if what == "may_leave" else type(busy.pipeline.delivering._approved)
        read = getattr(of, what)

        def reading(own, mailing, read=read, lock=lock, calls=calls):
            with lock:
                calls.append(mailing)
                if len(calls) == 2:
                    raise OperationalError("SELECT", {}, Exception("the connection is gone"))
            return read(own, mailing)

        monkeypatch.setattr(of, what, reading)
        if what == "content":  # is kept within a pass
            monkeypatch.setattr("pregon.pipeline.mailing.ApprovedMails", lambda approved: approved)
        with pytest.raises(OperationalError):
            busy.pipeline.delivering.deliver()
        assert "sending" not in busy.states(slug, "email")
        monkeypatch.undo()
        busy.pipeline.delivering.deliver()
        assert states(busy, slug) == {"sent"}
        assert set(mails(busy).values()) == {1}


def test_a_record_that_fails_loses_no_other_answer(house, monkeypatch):
    for busy in with_email(house, batch_size=2, in_flight=3):
        slug, store, calls = approved(busy), busy.pipeline.store, []
        exchange = type(store).exchange_mailings

        def exchanging(own, finished, *args, calls=calls, exchange=exchange, **options):
            if finished:
                calls.append(finished)
                if len(calls) == 2:
                    raise OperationalError("UPDATE", {}, Exception("the database is locked"))
            return exchange(own, finished, *args, **options)

        monkeypatch.setattr(type(store), "exchange_mailings", exchanging)
        with pytest.raises(OperationalError):
            busy.pipeline.delivering.deliver()
        lost = 2 if store.writes_side_by_side else 0  # there, who sent it records it, and cannot do so again
        assert busy.states(slug, "email").count("sent") == len(mails(busy)) - lost


def test_who_waits_for_the_mail_server_asks_again_before_it_sends(mailing, monkeypatch):
    email = mailing.settings.channels.email.model_copy(update={"batch_size": 6})
    channels = mailing.settings.channels.model_copy(update={"email": email})
    mailing.pipeline.store.close()
    mailing.pipeline = build_pipeline(
        mailing.settings.model_copy(update={"channels": channels}), mailing.sandbox, clock=mailing.clock
    )
    slug = approved(mailing)
    send, inside, go, calls = smtp.send_mails, threading.Event(), threading.Event(), []

    def sending(server, shipment, *args):
        calls.append(shipment)
        inside.set()
        assert go.wait(20)
        return send(server, shipment, *args)

    monkeypatch.setattr(smtp, "send_mails", sending)
    passes = [threading.Thread(target=mailing.pipeline.delivering.deliver) for _ in range(2)]
    passes[0].start()
    assert inside.wait(10)
    before = {row.id for row in rows_of(mailing, slug) if row.state is DeliveryState.SENDING}
    passes[1].start()
    while {row.id for row in rows_of(mailing, slug) if row.state is DeliveryState.SENDING} == before:
        pass  # until the other one has claimed, too
    # Nothing is recorded as sent yet, and it can be stopped all the same.
    mailing.pipeline.stopping.stop(slug, Decision.WITHDRAWN, mailing.officer)
    go.set()
    for each in passes:
        each.join(20)
    assert len(calls) == 1
    assert len(mailing.sandbox.read("smtp")) == 6
    assert {row.state for row in rows_of(mailing, slug)} == {DeliveryState.SENT, DeliveryState.SUPPRESSED}
    ledger_adds_up(mailing, slug)


def test_who_asks_to_wait_after_a_long_stop_puts_nothing_in_doubt(house):
    for busy in with_email(house, batch_size=3, in_flight=1):
        slug = lose(busy, accepted=2, never_sent=3)
        busy.clock.forward(hours=25)
        busy.sandbox.set_fault("sendgrid", "429", on="read")
        delivering = busy.pipeline.delivering
        delivering._settle_channel(delivering._channels[ChannelName.EMAIL])
        assert "held" not in busy.states(slug, "email")


def give_up(house):
    """An approved thread that was refused until nobody tried any more; its campaign."""
    slug = open_thread(house)
    house.approve(slug, "x")
    while "failed" not in house.states(slug, "x"):
        house.sandbox.set_fault("x", "429")
        house.pipeline.delivering.deliver()
        house.clock.forward(hours=1)
    return slug


@on_sqlite
def test_what_a_provider_fails_at_for_days_waits_for_a_person(house):
    """Each time it answers with an error, and each time reading back shows that nothing was done."""
    slug = open_thread(house)
    house.approve(slug, "x")
    house.sandbox.set_fault("x", "502", times=1000)
    hours = house.settings.channels.hold_after_hours

    def go_on(hours):
        for _ in range(int(hours * 2)):
            house.pipeline.delivering.deliver()
            house.clock.forward(minutes=30)

    go_on(hours * 0.9)
    assert house.states(slug, "x")[0] in ("unknown", "pending")
    go_on(hours)
    first = next(row for row in house.pipeline.reviewing.who(slug) if (row.channel, row.position) == ("x", 0))
    assert (first.state, first.reason) == (DeliveryState.HELD, TOO_LATE)
    house.pipeline.reviewing.resolve_deliveries((first.id,), DeliveryState.PENDING, house.officer)
    go_on(3)
    assert house.states(slug, "x")[0] in ("unknown", "pending"), "released, it has its time once more"


def test_only_what_is_approved_now_is_tried_again(house):
    slug = give_up(house)
    view, reviewing = house.draft(slug, "x"), house.pipeline.reviewing
    assert reviewing.list_retriable(slug)
    reviewing.edit_draft(view.draft.id, view.revision.number, PostFields(("The towns meet soon.",)), house.officer)
    assert not reviewing.list_retriable(slug)
    house.approve(slug, "x")
    assert reviewing.retry_failed(slug, house.officer) == 0
    house.pipeline.delivering.deliver()
    assert "The towns meet soon." in {post["text"] for post in house.sandbox.read("posts")}


def test_holding_a_revision_holds_no_other(house):
    slug = open_thread(house)
    house.approve(slug, "x")
    view = house.draft(slug, "x")
    assert house.pipeline.store.hold_draft(view.draft.id, view.revision.number - 1, "held: another revision") == 0
    assert house.pipeline.store.hold_draft(view.draft.id, view.revision.number, "held: this one") > 0


@pytest.mark.parametrize("by_hand", [0, 1], ids=["the first", "the second"])
def test_behind_a_part_that_was_posted_by_hand_no_part_stands_alone(house, by_hand):
    slug = open_thread(house)
    house.approve(slug, "x")
    parts = len(house.draft(slug, "x").revision.content.body.parts)
    rows = sorted(
        (row for row in house.pipeline.reviewing.who(slug) if row.channel == "x"), key=lambda row: row.position
    )
    if by_hand:
        house.sandbox.set_fault("x", "slow", seconds=0)  # the first part goes out
        house.sandbox.set_fault("x", "reply_403")
        house.pipeline.delivering.deliver()
    else:
        house.pipeline.store.hold_draft(rows[0].draft_id, rows[0].revision, "held: a person posts the first part")
        rest = tuple(row.id for row in rows[1:])
        house.pipeline.reviewing.resolve_deliveries(rest, DeliveryState.PENDING, house.officer)
    house.pipeline.reviewing.resolve_deliveries((rows[by_hand].id,), DeliveryState.SENT, house.officer)
    house.pipeline.delivering.deliver()
    posts = house.sandbox.read("posts")
    assert len([post for post in posts if not post.get("referenced_tweets")]) == by_hand
    if by_hand:
        assert len(posts) == parts - 1
    else:
        assert not posts
        assert NO_PART_BEFORE in {row.reason for row in house.pipeline.reviewing.who(slug)}


def test_a_budget_that_another_worker_closes_in_between_is_opened_again(house, monkeypatch):
    """At the turn of a minute, as PostgreSQL's workers may meet."""
    store = house.pipeline.store
    if not store.writes_side_by_side:
        pytest.skip("SQLite has one writer at a time")
    this, next_one = Budget("email-minute", "100", 50), Budget("email-minute", "101", 50)
    store.exchange_mailings((), 1, 10, "worker", house.clock(), (this,))
    run, calls = mailings._Statements.__call__, []

    def running(own, statement, **values):
        found = run(own, statement, **values)
        if statement is mailings._OPEN_BUDGET and not calls:
            calls.append(statement)
            store.exchange_mailings((), 1, 10, "another", house.clock(), (next_one,))
        return found

    monkeypatch.setattr(mailings._Statements, "__call__", running)
    assert store.exchange_mailings((), 1, 10, "worker", house.clock(), (this,)) == ()
    assert calls
