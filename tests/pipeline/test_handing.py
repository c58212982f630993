"""Newsletters are handed to SendGrid ahead of their time: each leaves once, at its time, or is called back and does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from pregon.bootstrap import build_pipeline
from pregon.deliveries import sign_delivery
from pregon.errors import DecisionError
from pregon.settings import SendWindowRule
from pregon.types import ChannelName, Decision, DeliveryState, DraftState, Outcome

LEAD = timedelta(minutes=20)
# What is about the provider, and not about how a database keeps it, is shown on one of them.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def ahead(house) -> Iterator:
    """A house that hands over an hour ahead, in requests of three; SendGrid's clock goes with the test's."""
    yield from with_email(house, handover_minutes=60, batch_size=3, in_flight=1)


def with_email(house, **changes) -> Iterator:
    email = house.settings.channels.email.model_copy(update=changes)
    channels = house.settings.channels.model_copy(update={"email": email})
    settings = house.settings.model_copy(update={"channels": channels})
    pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    yield replace(house, pipeline=pipeline, settings=settings)
    pipeline.store.close()


def move(house, **delta: float) -> None:
    """Time goes on, here and at SendGrid."""
    house.clock.forward(**delta)
    house.sandbox.set_clock(house.clock().isoformat())


def deliver(house) -> None:
    house.pipeline.delivering.deliver()


def approved(house) -> tuple[str, int]:
    """An approved newsletter; its slug, and how many get it."""
    slug = house.open_campaign()
    house.approve(slug, "email")
    return slug, house.draft(slug, "email").recipients


def count(house, slug: str) -> Counter[str]:
    return Counter(state for state in house.states(slug, "email") if state != "suppressed")


def mails(house) -> Counter[str]:
    """Address -> how often it got the mail by now."""
    return Counter(mail["to_email"] for mail in house.sandbox.read("mails"))


def batches(house) -> dict[str, int]:
    with house.pipeline.store.engine.connect() as connection:
        return dict(connection.execute(text("SELECT state, count(*) FROM batches GROUP BY state")).tuples().all())


def assert_once(house, slug: str, people: int) -> None:
    """After everything had its time: each got it once, and the ledger says so."""
    for _ in range(4):
        deliver(house)
        move(house, minutes=30)
    found = mails(house)
    assert set(found.values()) == {1}, "somebody got it twice"
    assert (len(found), count(house, slug)) == (people, {"sent": people})


def test_they_are_handed_over_at_once_and_leave_later(ahead):
    slug, people = approved(ahead)
    deliver(ahead)
    assert count(ahead, slug) == {"sent": people}
    assert (mails(ahead), len(ahead.sandbox.read("scheduled"))) == ({}, people)
    (going,) = ahead.pipeline.stopping.look(slug)
    (kept,) = going.kept
    assert (kept.mails, kept.is_asked_back) == (people, False)
    assert LEAD <= kept.leaves_at - ahead.clock() <= LEAD + timedelta(minutes=1)
    assert kept.leaves_at - kept.until == timedelta(minutes=12)
    (sent_at,) = {row.sent_at for row in ahead.pipeline.reviewing.who(slug) if row.state is DeliveryState.SENT}
    assert sent_at == kept.leaves_at, "sent is when it leaves"
    assert len({mail["batch_id"] for mail in ahead.sandbox.read("scheduled")}) == 1, "one name for all of it"
    move(ahead, minutes=22)
    assert ahead.pipeline.stopping.look(slug) == ()
    assert_once(ahead, slug, people)


@on_sqlite
def test_what_is_due_later_is_handed_over_within_the_hour_and_leaves_when_it_is_due(ahead):
    slug, people = approved(ahead)
    due_at = (ahead.clock() + timedelta(hours=3)).replace(second=0, microsecond=0)
    ahead.pipeline.delivering._planning.plan_all()
    with ahead.pipeline.store.engine.begin() as connection:
        due = {"due": due_at.isoformat(timespec="microseconds")}
        connection.execute(text("UPDATE deliveries SET due_at = :due WHERE state = 'pending'"), due)
    deliver(ahead)
    assert count(ahead, slug) == {"pending": people}
    move(ahead, minutes=121)
    deliver(ahead)
    assert count(ahead, slug) == {"sent": people}
    assert {mail["leaves_at"] for mail in ahead.sandbox.read("scheduled")} == {due_at.isoformat()}
    move(ahead, minutes=58)
    assert mails(ahead) == {}
    assert_once(ahead, slug, people)


@on_sqlite
def test_a_refused_hand_over_is_tried_again_at_its_time_and_not_at_once(ahead):
    slug, people = approved(ahead)
    keeper = ahead.pipeline.delivering._channels[ChannelName.EMAIL]
    open_batch, refused = keeper.open_batch, [Outcome("", DeliveryState.PENDING, detail="refused")]
    keeper.open_batch = lambda: refused.pop() if refused else open_batch()
    deliver(ahead)
    assert count(ahead, slug) == {"pending": 3, "sent": people - 3}
    assert_once(ahead, slug, people)


@on_sqlite
def test_while_sendgrid_opens_no_batch_nothing_is_used_up_and_then_all_goes_out(ahead):
    slug, people = approved(ahead)
    ahead.sandbox.set_fault("sendgrid", "502", times=9, on="batch")
    for _ in range(9):
        deliver(ahead)
        assert count(ahead, slug) == {"pending": people}
        move(ahead, minutes=20)
    assert {row.attempts for row in ahead.pipeline.reviewing.who(slug)} == {0}
    assert_once(ahead, slug, people)


def test_a_provider_that_asks_to_wait_is_asked_for_no_other_batch_in_that_pass(ahead):
    slug, people = approved(ahead)
    ahead.sandbox.set_fault("sendgrid", "429_with_reset", times=9, on="batch")
    deliver(ahead)
    asked = ahead.sandbox.read("requests")["counts"]
    assert sum(number for name, number in asked.items() if name.endswith("POST /sendgrid/v3/mail/batch")) == 1
    assert count(ahead, slug) == {"pending": people}


@pytest.mark.parametrize("fault", ["drop_after_accept", "502"])
def test_an_answer_that_is_lost_is_settled_by_calling_the_batch_back(ahead, fault):
    slug, people = approved(ahead)
    ahead.sandbox.set_fault("sendgrid", fault)
    deliver(ahead)
    assert count(ahead, slug)["unknown"] == 3
    deliver(ahead)
    assert count(ahead, slug) == {"sent": people}, "it need not wait for SendGrid's log"
    assert len({mail["batch_id"] for mail in ahead.sandbox.read("scheduled")}) == 2
    assert_once(ahead, slug, people)


def test_what_the_provider_may_still_keep_is_not_released(ahead):
    slug, people = approved(ahead)
    ahead.sandbox.set_fault("sendgrid", "drop_after_accept")
    deliver(ahead)
    unknown = tuple(row.id for row in ahead.pipeline.reviewing.who(slug) if row.state is DeliveryState.UNKNOWN)
    resolve = partial(ahead.pipeline.reviewing.resolve_deliveries, unknown, DeliveryState.PENDING, ahead.officer)
    with pytest.raises(DecisionError, match="may keep these mails"):
        resolve()
    ahead.pipeline.store.hold_everything("held: restored", ahead.clock())
    with pytest.raises(DecisionError, match="may keep these mails"):
        resolve()
    move(ahead, minutes=40)
    assert len(mails(ahead)) == people, "the batch is not called back any more"
    assert resolve() == 3


@on_sqlite
@pytest.mark.parametrize("fault", ["drop_after_accept", "429"])
def test_a_call_back_whose_answer_is_lost_is_read_back(ahead, fault):
    slug, people = approved(ahead)
    ahead.sandbox.set_fault("sendgrid", "drop_after_accept")
    deliver(ahead)
    ahead.sandbox.set_fault("sendgrid", fault, on="cancel")
    deliver(ahead)
    assert_once(ahead, slug, people)


def test_what_cannot_be_read_back_waits_and_is_read_in_the_log_when_it_has_left(ahead):
    slug, people = approved(ahead)
    ahead.sandbox.set_fault("sendgrid", "drop_after_accept")
    deliver(ahead)
    ahead.sandbox.set_fault("sendgrid", "502", on="read")
    deliver(ahead)
    assert count(ahead, slug)["unknown"] == 3
    assert set(batches(ahead)) == {"cancelling"}
    move(ahead, minutes=9)
    deliver(ahead)
    assert set(batches(ahead)) == {"gone"}
    assert count(ahead, slug)["unknown"] == 3, (
        "its log knows nothing before it leaves: that must not be taken for an answer"
    )
    assert_once(ahead, slug, people)


@on_sqlite
def test_what_was_handed_over_days_ahead_is_asked_for_as_long_as_anything_else(house):
    """Claimed 60 hours ago, it is asked for now for the first time: a log that is a little late is no reason to give up."""
    for ahead in with_email(house, handover_minutes=4320, batch_size=3, in_flight=1):
        slug, later = ahead.open_campaign(), ahead.clock().replace(second=0, microsecond=0) + timedelta(hours=60)
        view, keeper = ahead.draft(slug, "email"), ahead.pipeline.delivering._channels[ChannelName.EMAIL]
        ahead.pipeline.reviewing.edit_draft(view.draft.id, 1, view.revision.fields, ahead.officer, send_at=later)
        ahead.approve(slug, "email")
        ahead.sandbox.set_fault("sendgrid", "drop_after_accept")
        deliver(ahead)
        keeper.read_batch = lambda _: None
        move(ahead, hours=60, minutes=1)
        deliver(ahead)
        settle, asked = keeper.settle, []

        def lag(shipment, settle=settle, asked=asked):
            asked.append(shipment)
            late = [Outcome(each.delivery_id, DeliveryState.UNKNOWN) for each in shipment.deliveries]
            return late if len(asked) == 1 else settle(shipment)

        keeper.settle = lag
        for _ in range(2):
            move(ahead, minutes=21)
            deliver(ahead)
        assert (len(asked), count(ahead, slug)) == (2, {"sent": view.recipients})


@on_sqlite
def test_called_back_for_certain_but_read_too_late_it_is_unknown_until_the_log_tells(ahead):
    slug, people = approved(ahead)
    deliver(ahead)
    ahead.pipeline.store.ask_back(ahead.clock(), ahead.clock())
    draft = ahead.draft(slug, "email").draft
    (kept,) = ahead.pipeline.store.list_handed_over([draft.id], ahead.clock(), LEAD)
    assert not kept.is_asked_back, "nothing asks it back while it is approved and known"
    with ahead.pipeline.store.engine.begin() as connection:
        connection.execute(text("UPDATE batches SET state = 'cancelling'"))
    move(ahead, minutes=25)
    deliver(ahead)
    assert count(ahead, slug) == {"unknown": people}
    assert_once(ahead, slug, people)


def test_stopped_in_the_middle_it_does_not_leave_and_may_go_on_later(ahead):
    slug, people = approved(ahead)
    deliver(ahead)
    assert ahead.pipeline.stopping.stop(slug, Decision.WITHDRAWN, ahead.officer) == people
    assert "sent" not in count(ahead, slug)
    reasons = Counter(row.reason for row in ahead.pipeline.reviewing.who(slug))
    assert reasons["stopped by officer"] == people
    move(ahead, minutes=40)
    deliver(ahead)
    assert mails(ahead) == {}
    ahead.approve(slug, "email")
    assert_once(ahead, slug, people)


@on_sqlite
def test_what_was_called_back_is_corrected_and_only_the_correction_leaves(ahead):
    slug, people = approved(ahead)
    deliver(ahead)
    view, reviewing = ahead.draft(slug, "email"), ahead.pipeline.reviewing
    better = replace(view.revision.fields, preheader="Ce qui a été corrigé")
    with pytest.raises(DecisionError, match="stop it on its result page first"):
        reviewing.edit_draft(view.draft.id, view.draft.revision, better, ahead.officer)
    ahead.pipeline.stopping.stop(slug, Decision.WITHDRAWN, ahead.officer)
    reviewing.edit_draft(view.draft.id, view.draft.revision, better, ahead.officer)
    ahead.approve(slug, "email")
    assert_once(ahead, slug, people)
    left = {mail["message_id"] for mail in ahead.sandbox.read("mails")}
    texts = [m for m in ahead.sandbox.read("messages") if "Ce qui a été corrigé" in m["content"][1]["value"]]
    assert len(texts) == len(left)


@on_sqlite
def test_stopped_too_late_it_is_said_to_be_out(ahead):
    slug, people = approved(ahead)
    deliver(ahead)
    move(ahead, minutes=9)
    (going,) = ahead.pipeline.stopping.look(slug)
    assert going.kept[0].until < ahead.clock()
    assert ahead.pipeline.stopping.stop(slug, Decision.CANCELLED, ahead.officer) == 0
    (stopped,) = ahead.pipeline.stopping.look(slug)
    assert (stopped.out, stopped.left) == (people, 0)
    move(ahead, minutes=30)
    assert (len(mails(ahead)), count(ahead, slug)) == (people, {"sent": people})
    with pytest.raises(DecisionError):
        ahead.pipeline.stopping.stop(slug, Decision.CANCELLED, ahead.officer)


def test_a_person_pauses_mail_and_what_was_handed_over_waits_for_them(ahead):
    slug, people = approved(ahead)
    deliver(ahead)
    ahead.pipeline.stopping.pause_channel(ChannelName.EMAIL, "the circular has a mistake", ahead.officer)
    assert count(ahead, slug) == {"pending": people}
    move(ahead, minutes=40)
    deliver(ahead)
    assert mails(ahead) == {}
    assert ahead.draft(slug, "email").draft.state is DraftState.APPROVED
    ahead.pipeline.stopping.resume_channel(ChannelName.EMAIL, ahead.officer)
    assert_once(ahead, slug, people)


@on_sqlite
def test_who_leaves_after_the_hand_over_is_known_to_sendgrid_before_it_sends(ahead):
    slug, _ = approved(ahead)
    deliver(ahead)
    row = next(row for row in ahead.pipeline.reviewing.who(slug) if row.state is DeliveryState.SENT)
    ahead.pipeline.measuring.unsubscribe(sign_delivery(row.id, ahead.pipeline.measuring._key))
    deliver(ahead)
    assert [each["email"] for each in ahead.sandbox.read("suppressions")] == [row.address]


def test_a_worker_that_dies_before_the_batch_has_sent_nothing(ahead):
    slug, people = approved(ahead)
    ahead.pipeline.delivering._planning.plan_all()
    at = ahead.clock()
    assert ahead.pipeline.store.exchange_mailings((), 1, 3, "dead+", at, until=at + LEAD)
    move(ahead, minutes=4)
    deliver(ahead)
    assert count(ahead, slug) == {"sent": people}, "without a batch there is nothing to ask SendGrid about"
    assert_once(ahead, slug, people)


@on_sqlite
def test_what_was_claimed_ahead_by_a_worker_that_died_waits_for_its_time_also_without_handing_over(ahead, house):
    slug, later = ahead.open_campaign(), ahead.clock().replace(microsecond=0) + timedelta(minutes=50)
    view = ahead.draft(slug, "email")
    ahead.pipeline.reviewing.edit_draft(view.draft.id, 1, view.revision.fields, ahead.officer, send_at=later)
    ahead.approve(slug, "email")
    assert ahead.pipeline.store.exchange_mailings((), 1, 3, "dead+", ahead.clock(), until=later)
    move(ahead, minutes=4)
    deliver(house)
    assert mails(house) == {}
    move(ahead, minutes=50)
    deliver(house)
    assert set(count(house, slug)) == {"sent"}


def test_a_worker_that_was_taken_for_lost_sends_nothing_when_it_wakes(ahead):
    slug, people = approved(ahead)
    ahead.pipeline.delivering._planning.plan_all()
    at = ahead.clock()
    (mailing,) = ahead.pipeline.store.exchange_mailings((), 1, 3, "asleep+", at, until=at + LEAD)
    move(ahead, minutes=4)
    deliver(ahead)
    room = ahead.pipeline.delivering._mail_room()
    content, _ = room.approved.content(mailing)
    assert room.handing.join(mailing, content) is None
    assert_once(ahead, slug, people)


def test_nothing_is_called_back_while_a_request_of_it_is_on_its_way(ahead):
    slug, people = approved(ahead)
    ahead.pipeline.delivering._planning.plan_all()
    room, at = ahead.pipeline.delivering._mail_room(), ahead.clock()
    (mailing,) = ahead.pipeline.store.exchange_mailings((), 1, 3, "worker+", at, until=at + LEAD)
    batch = room.handing.join(mailing, room.approved.content(mailing)[0])
    pause = partial(ahead.pipeline.stopping.pause_channel, ChannelName.EMAIL, "wait", ahead.officer)
    pause()
    assert batches(ahead) == {"cancelling": 1}
    assert ahead.sandbox.read("called_back") == []
    sent = Outcome("", DeliveryState.SENT, leaves_at=batch.leaves_at)
    ahead.pipeline.store.exchange_mailings([(mailing, sent)], 0, 3, "worker+", at)
    pause()
    assert batches(ahead) == {"returned": 1}
    assert count(ahead, slug) == {"pending": people}


@on_sqlite
def test_a_pass_that_takes_long_calls_back_while_it_goes_on(ahead):
    """A minute for every request: the first is unknown, and is called back before the last has left."""
    slug, people = approved(ahead)
    keeper = ahead.pipeline.delivering._channels[ChannelName.EMAIL]
    send, states = keeper.send, []

    def send_slowly(shipment):
        ahead.clock.forward(seconds=40)
        states.append(set(batches(ahead)))
        return send(shipment)

    keeper.send = send_slowly
    ahead.sandbox.set_fault("sendgrid", "drop_after_accept")
    deliver(ahead)
    assert any("returned" in each for each in states), states
    assert_once(ahead, slug, people)


def test_a_restored_backup_calls_nothing_back_and_hands_nothing_over(ahead):
    slug, people = approved(ahead)
    ahead.sandbox.set_fault("sendgrid", "drop_after_accept")
    deliver(ahead)
    ahead.pipeline.store.hold_everything("held: restored", ahead.clock())
    deliver(ahead)
    assert count(ahead, slug) == {"sent": people - 3, "held": 3}
    assert ahead.pipeline.stopping.look(slug)[0].kept[0].is_too_late
    move(ahead, minutes=40)
    assert len(mails(ahead)) == people


@on_sqlite
def test_where_hours_count_they_are_those_of_leaving(house):
    rule = SendWindowRule.model_validate({"from": "08:00", "to": "19:00"})
    zone = ZoneInfo(house.settings.network.time_zone)
    today = house.clock.at.astimezone(zone).date()
    friday = today + timedelta(days=(4 - today.weekday()) % 7 or 7)
    house.clock.at = datetime.combine(friday, time(18, 30), zone)
    for ahead in with_email(house, handover_minutes=600, send_window=rule, batch_size=30, in_flight=1):
        move(ahead)
        slug, people = approved(ahead)
        ahead.pipeline.delivering._planning.plan_all()
        move(ahead, minutes=15)
        deliver(ahead)
        assert count(ahead, slug) == {"pending": people}, "handed over now it would leave at five past seven"
        monday = datetime.combine(friday + timedelta(days=3), time(8), zone)
        assert {row.due_at for row in ahead.pipeline.reviewing.who(slug) if row.state == "pending"} == {monday}
        ahead.clock.at = monday - timedelta(minutes=15)
        move(ahead)
        deliver(ahead)
        (kept,) = ahead.pipeline.stopping.look(slug)[0].kept
        assert kept.leaves_at == monday + timedelta(minutes=5)
