"""A campaign that is going out is stopped in the middle: what is out stays out, the rest waits or never leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pregon.errors import DecisionError, NotAllowedError
from pregon.pipeline import pausing
from pregon.types import ChannelName, Decision, DeliveryState, DraftState, Fields, Outcome, Role, User


def claim_one(store, at) -> str:
    """The id of one mail that a worker takes."""
    ((row,),) = (mailing.rows for mailing in store.exchange_mailings((), 1, 1, "worker", at))
    return row[0]


def send_one(house, slug: str) -> str:
    """One mail of the campaign goes out, as a worker between two batches leaves it."""
    house.approve(slug, "email")
    mail = claim_one(house.pipeline.store, house.clock())
    house.pipeline.store.record_outcomes([(Outcome(mail, DeliveryState.SENT, "one"), None)], "send", house.clock())
    return mail


def test_the_rest_waits_and_goes_out_once(house):
    slug = house.open_campaign()
    first = send_one(house, slug)
    stopping = house.pipeline.stopping
    (going,) = stopping.look(slug)
    before = house.states(slug, "email")
    assert (going.out, going.left, going.stopped) == (1, before.count("pending"), None)
    with pytest.raises(NotAllowedError):
        stopping.stop(slug, Decision.WITHDRAWN, User(9, "e", Role.EDITOR))
    assert stopping.stop(slug, Decision.WITHDRAWN, house.officer) == going.left > 0
    house.pipeline.delivering.deliver()
    assert house.states(slug, "email").count("sent") == 1
    (stopped,) = stopping.look(slug)
    assert (stopped.out, stopped.left, stopped.can_go_on) == (1, going.left, True)
    with pytest.raises(DecisionError, match="Nothing of this campaign"):
        stopping.stop(slug, Decision.CANCELLED, house.officer)
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    assert house.states(slug, "email").count("sent") == going.left + 1
    addresses = [mail["to_email"] for mail in house.sandbox.read("mails")]
    assert len(addresses) == len(set(addresses)) == going.left
    assert house.pipeline.store.read_delivery(first).provider_id == "one"
    assert stopping.look(slug) == ()


def test_stopped_for_good_it_never_goes_on_and_nobody_edits_it(house):
    slug = house.open_campaign()
    send_one(house, slug)
    house.pipeline.stopping.stop(slug, Decision.CANCELLED, house.officer)
    view = house.draft(slug, "email")
    assert view.draft.state is DraftState.CANCELLED
    with pytest.raises(DecisionError):
        house.approve(slug, "email")
    fields: Fields = view.revision.fields
    with pytest.raises(DecisionError):
        house.pipeline.reviewing.edit_draft(view.draft.id, view.revision.number, fields, house.officer)
    reasons = {row.reason for row in house.pipeline.reviewing.who(slug) if row.state is DeliveryState.SUPPRESSED}
    assert "stopped by officer" in reasons


def test_what_a_provider_puts_off_while_it_is_stopped_is_stopped_too_and_goes_on_with_the_rest(house):
    slug = house.open_campaign()
    send_one(house, slug)
    mail = claim_one(house.pipeline.store, house.clock())
    house.pipeline.stopping.stop(slug, Decision.WITHDRAWN, house.officer)
    put_off = Outcome(mail, DeliveryState.PENDING, detail="the provider is busy")
    house.pipeline.store.record_outcomes([(put_off, house.clock())], "send", house.clock())
    house.pipeline.delivering.deliver()
    row = house.pipeline.store.read_delivery(mail)
    assert (row.state, row.reason) == (DeliveryState.SUPPRESSED, "stopped by officer")
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    assert house.pipeline.store.read_delivery(mail).state is DeliveryState.SENT


def test_what_a_person_pauses_meanwhile_stays_paused(house, monkeypatch):
    """A provider says that the quota is used up; before that is written, somebody pauses the channel for good."""
    store, email = house.pipeline.store, ChannelName.EMAIL
    house.pipeline.stopping.pause_channel(email, "the circular has a mistake", house.officer)
    with monkeypatch.context() as before:
        before.setattr(type(store), "read_pause", lambda *_: None)
        pausing.pause_channel(store, email, "quota", "all of today", house.clock(), house.clock() + timedelta(hours=1))
    house.clock.forward(hours=2)
    store.end_pauses(house.clock())
    assert store.read_pause(email) == "paused by officer: the circular has a mistake"
    house.pipeline.stopping.resume_channel(email, house.officer)
    pausing.pause_channel(store, email, "quota", "all of today", house.clock(), house.clock() + timedelta(hours=1))
    assert store.read_pause(email) == "quota: all of today"
