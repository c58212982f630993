"""Unknown newsletters are settled one request at a time, so many in a pass, and a log that asks to wait is left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from conftest import CLEAN, on_sqlite  # type: ignore[import-not-found]
from test_handing import with_email  # type: ignore[import-not-found]

from pregon.pipeline import delivering
from pregon.types import Decision, DeliveryState

UNKNOWN, PENDING = DeliveryState.UNKNOWN, DeliveryState.PENDING
SIZE = 3


@pytest.fixture
def small(house) -> Iterator:
    """A house that sends in requests of three, one after another."""
    yield from with_email(house, batch_size=SIZE, in_flight=1)


def lose(house, accepted: int, never_sent: int, *, refused: int = 0) -> str:
    """A newsletter of which so many requests were accepted without an answer and so many claimed and never sent.

    When one is `refused` for now, the rest waits.
    """
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.pipeline.delivering._planning.plan_all()
    if never_sent:
        claimed = house.pipeline.store.exchange_mailings((), never_sent, SIZE, "a worker that dies", house.clock())
        assert len(claimed) == never_sent
    if accepted:
        house.sandbox.set_fault("sendgrid", "drop_after_accept", accepted)
        if refused:
            house.sandbox.set_fault("sendgrid", "429", refused)
        house.pipeline.delivering.deliver()
    house.clock.forward(minutes=4)
    house.pipeline.store.mark_lost_claims(house.clock(), house.clock())
    house.clock.forward(minutes=20)
    return slug


def count(house, slug: str) -> Counter[str]:
    return Counter(house.states(slug, "email"))


def mails(house) -> Counter[str]:
    return Counter(mail["to_email"] for mail in house.sandbox.read("mails"))


def searches(house) -> int:
    return house.sandbox.read("requests")["counts"].get("sendgrid POST /sendgrid/v3/logs", 0)


def settle(house) -> Counter[DeliveryState]:
    email = house.pipeline.delivering._channels["email"]
    return Counter(house.pipeline.delivering._settle_channel(email))


def test_each_request_is_judged_for_itself(small):
    slug = lose(small, accepted=2, never_sent=3)
    assert count(small, slug)["unknown"] == 5 * SIZE
    assert settle(small) == {DeliveryState.SENT: 2 * SIZE, PENDING: 3 * SIZE}
    counts = small.sandbox.read("requests")["counts"]
    reads = sum(number for name, number in counts.items() if "GET /sendgrid/v3/logs/" in name)
    assert (searches(small), reads) == (5, 2)
    small.clock.forward(hours=1)
    small.pipeline.delivering.deliver()
    assert set(count(small, slug)) == {"sent", "suppressed"}
    assert set(mails(small).values()) == {1}


@on_sqlite
def test_a_pass_settles_so_many_requests_and_the_next_goes_on(small, monkeypatch):
    monkeypatch.setattr(delivering, "_SETTLED_AT_ONCE", 2)
    lose(small, accepted=0, never_sent=5)
    small.sandbox.set_fault("sendgrid", "401", times=1000, on="read")
    for _ in range(3):
        settle(small)
    assert searches(small) == 5, "each was asked for once"
    small.clock.forward(minutes=3)
    settle(small)
    assert searches(small) == 7


@on_sqlite
def test_a_log_that_asks_to_wait_is_asked_nothing_until_then(small):
    slug = lose(small, accepted=1, never_sent=3)
    small.sandbox.set_fault("sendgrid", "429", times=2, on="read")
    assert settle(small) == {UNKNOWN: 4 * SIZE}
    assert settle(small) == {}
    assert searches(small) == 1
    reasons = {row.reason for row in small.pipeline.reviewing.who(slug) if row.state is UNKNOWN}
    assert reasons == {"SendGrid asks to wait before its log is read again"}
    small.clock.forward(minutes=2)
    settle(small)
    assert searches(small) == 2
    small.clock.forward(minutes=2)
    assert settle(small) == {DeliveryState.SENT: SIZE, PENDING: 3 * SIZE}


@on_sqlite
def test_a_log_that_does_not_answer_is_asked_once_a_pass(small):
    lose(small, accepted=0, never_sent=3)
    small.sandbox.set_fault("sendgrid", "502", times=2, on="read")
    assert [settle(small), settle(small)] == [{UNKNOWN: SIZE}, {UNKNOWN: SIZE}]
    assert searches(small) == 2
    assert settle(small) == {PENDING: SIZE}, "what was not asked for has its turn"


def test_what_was_stopped_meanwhile_is_settled_and_not_sent_again(small):
    slug = lose(small, accepted=1, never_sent=1, refused=1)
    assert count(small, slug)["pending"] > 0
    small.pipeline.stopping.stop(slug, Decision.WITHDRAWN, small.officer)
    before = mails(small)
    small.pipeline.delivering.deliver()
    small.clock.forward(minutes=20)
    small.pipeline.delivering.deliver()
    assert mails(small) == before
    found = count(small, slug)
    assert (found["sent"], found["unknown"], found["pending"]) == (sum(before.values()), 0, 0)
