"""Planning names rows by what they are; links cannot be forged; retries end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.audiences import select_recipients
from pregon.deliveries import (
    leaving_time,
    name_delivery,
    next_attempt,
    plan_deliveries,
    read_token,
    sign_deliveries,
    sign_delivery,
)
from pregon.errors import SignatureError
from pregon.types import (
    Audience,
    ChannelName,
    Contact,
    ContactState,
    Content,
    DeliveryState,
    Outcome,
    PostPart,
    SuppressionReason,
    ThreadBody,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
AUDIENCE = Audience("Members", ("members",), ("fr", "es"))
THREAD = Content(ChannelName.X, "fr", "c", ThreadBody((PostPart("a", 1), PostPart("b", 1)), 0.03), account="@a")


def contact(number, **changes):
    base = Contact(number, f"c{number}@a.example", "", "fr", ContactState.SUBSCRIBED, ("members",))
    return replace(base, **changes)


def test_everybody_selected_is_planned_or_left_out_with_the_reason():
    people = [
        contact(1),
        contact(2, language="en"),
        contact(3, lists=("public",)),
        contact(4, state=ContactState.PENDING),
        contact(5, address="C5@A.example"),
        contact(6, address="c1@A.EXAMPLE"),
    ]
    recipients = select_recipients(AUDIENCE, people, {"c5@a.example": SuppressionReason.BOUNCED})
    reasons = {recipient.contact.id: recipient.excluded for recipient in recipients}
    assert reasons == {
        1: None,
        4: "not subscribed: pending",
        5: "suppressed: bounced",
        6: "the address is already in this audience",
    }


def test_planning_twice_names_the_same_rows_and_another_digest_names_others():
    first, again = (plan_deliveries(THREAD, "sha256:x", 1) for _ in range(2))
    other = plan_deliveries(THREAD, "sha256:y", 1)
    assert first == again
    assert [row.position for row in first] == [0, 1]
    assert not {row.id for row in first} & {row.id for row in other}
    assert {row.state for row in first} == {DeliveryState.PENDING}


@given(st.text(min_size=1, max_size=40), st.binary(min_size=1, max_size=64))
def test_a_token_is_read_back_and_no_changed_one_is(target, key):
    token = sign_delivery(name_delivery("sha256:x", 1, target), key)
    assert read_token(token, key) == name_delivery("sha256:x", 1, target)
    for forged in (token[:-1], "0" + token[1:] if token[0] != "0" else "1" + token[1:], token + "0", "", "é.é"):
        with pytest.raises(SignatureError):
            read_token(forged, key)
    with pytest.raises(SignatureError):
        read_token(token, key + b"!")


@given(st.lists(st.text(st.characters(codec="ascii"), min_size=1, max_size=40)), st.binary(min_size=1, max_size=100))
def test_many_tokens_at_once_are_the_same_tokens(ids, key):
    assert sign_deliveries(ids, key) == [sign_delivery(each, key) for each in ids]


def test_waits_grow_obey_the_provider_and_end():
    refused = Outcome("d", DeliveryState.PENDING)
    waits = [next_attempt(refused, attempts, 5, NOW) - NOW for attempts in range(1, 5)]
    assert waits == sorted(waits)
    assert waits[0] > timedelta(0)
    assert next_attempt(replace(refused, retry_after=9000), 1, 5, NOW) == NOW + timedelta(seconds=9000)
    assert next_attempt(refused, 5, 5, NOW) is None
    for endless in (1e12, float("inf")):  # a reset in milliseconds; a number of 400 digits
        assert next_attempt(replace(refused, retry_after=endless), 1, 5, NOW) == NOW + timedelta(days=1)


def test_what_is_handed_over_leaves_when_it_is_due_and_can_be_called_back_until_then():
    now = datetime(2026, 11, 23, 8, 0, 30, tzinfo=UTC)
    nine = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert leaving_time(nine, now) == nine
    assert leaving_time(now, now) == datetime(2026, 11, 23, 8, 21, tzinfo=UTC)
    assert leaving_time(nine + timedelta(microseconds=1), now) == nine + timedelta(minutes=1)
