"""Machines apart from people, each label with the rule that gave it."""

from datetime import UTC, datetime, timedelta

import pytest

from pregon.metrics import add_funnels, click_rate, label_clicks, label_event
from pregon.types import ChannelName, EventType, Funnel, Label, ProviderEvent

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def event(kind, **values):
    return ProviderEvent("sendgrid", "k", kind, NOON, "d", "a@b.example", **values)


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (event(EventType.OPENED, machine_open=True), Label.MACHINE),
        (event(EventType.OPENED), Label.UNKNOWN),
        (event(EventType.CLICKED), Label.HUMAN),
        (event(EventType.CLICKED, user_agent="Mozilla/5.0 (compatible; SafeLinks)"), Label.SCANNER),
        (event(EventType.DELIVERED), Label.UNKNOWN),
    ],
)
def test_an_event_s_own_fields(given, label):
    found, rule = label_event(given)
    assert found is label
    assert rule


def clicks(*seconds):
    return [(f"k{n}", NOON + timedelta(seconds=second), f"https://a.example/{n}") for n, second in enumerate(seconds)]


def labels(seconds, delivered=NOON):
    given = {key: (Label.HUMAN, "click") for key, _, _ in clicks(*seconds)}
    return [label_clicks(clicks(*seconds), delivered, given)[f"k{n}"][0] for n in range(len(seconds))]


def test_a_click_within_ten_seconds_of_delivery_is_a_scanner_s():
    assert labels([9.9, 10, 600]) == [Label.SCANNER, Label.HUMAN, Label.HUMAN]


def test_three_different_links_within_two_seconds_are_a_scanner_s_and_a_later_one_is_not():
    assert labels([100, 101, 102, 500]) == [Label.SCANNER] * 3 + [Label.HUMAN]


def test_two_links_in_a_moment_are_still_a_person_s():
    assert labels([100, 101]) == [Label.HUMAN, Label.HUMAN]


def test_without_a_delivery_time_only_the_burst_rule_speaks():
    assert labels([1], delivered=None) == [Label.HUMAN]


def test_sums_and_the_rate_with_its_denominator():
    rows = [
        Funnel(ChannelName.EMAIL, "fr", sent=10, trackable=4, clickers=1, samples={"views": 3}),
        Funnel(ChannelName.EMAIL, "en", sent=20, trackable=4, clickers=1, samples={"views": 4}),
    ]
    total = add_funnels(rows, ChannelName.EMAIL)
    assert (total.sent, total.trackable, total.samples) == (30, 8, {"views": 7})
    assert click_rate(total) == 0.25
    assert click_rate(Funnel(ChannelName.EMAIL, "fr")) is None
