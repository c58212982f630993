"""What stands against sending without being in the text: embargo, reserve period, dead links, differing versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from drafts.builders import build_circular, build_context
from pregon.drafts import compose_drafts, propose
from pregon.settings import ReservePeriod
from pregon.types import Kind


def checks_of(item, context, send_at=None):
    (first, *_) = compose_drafts(item, context)
    proposal = propose(first.channel, first.language, first.fields, item, context, send_at=send_at)
    return {check.id: check for check in proposal.checks}


@pytest.mark.parametrize(
    ("embargo", "send_at", "is_early"),
    [
        ("2027-01-12", None, True),
        ("2026-11-23", None, False),
        ("2027-01-12", datetime(2027, 1, 12, 8, tzinfo=UTC), False),
        ("2027-01-12", datetime(2027, 1, 11, 22, tzinfo=UTC), True),
        ("2027-01-12T10:00+00:00", datetime(2027, 1, 12, 9, 59, tzinfo=UTC), True),
        ("2027-01-12T10:00+00:00", datetime(2027, 1, 12, 10, 0, tzinfo=UTC), False),
        # Without a zone it is the network's: 10:00 in Madrid is 09:00 UTC in winter.
        ("2027-01-12T10:00", datetime(2027, 1, 12, 9, 0, tzinfo=UTC), False),
        ("2027-01-12T10:00", datetime(2027, 1, 12, 8, 59, tzinfo=UTC), True),
        # Without a time of sending it may go out at any hour of the day.
        ("2026-11-23T10:00", None, True),
        ("2026-11-22T10:00", None, False),
    ],
)
def test_nothing_goes_out_before_an_embargo_ends(embargo, send_at, is_early):
    context = replace(build_context(), today=date(2026, 11, 23))
    found = checks_of(replace(build_circular(), embargo=embargo), context, send_at)
    assert ("embargo" in found) is is_early
    assert not is_early or found["embargo"].level == "error"


def test_a_place_in_its_reserve_period_is_named():
    item = build_circular()
    place = item.place or ""
    assert place
    period = ReservePeriod(
        name="municipal elections", start="2027-03-30", end="2027-05-23", places=(place,), kinds=(item.kind,)
    )
    context = build_context()
    network = context.network.model_copy(update={"reserve_periods": (period,)})
    within = replace(context, network=network, today=date(2027, 4, 1))
    found = checks_of(item, within)
    assert found["reserve-period"].level == "error"
    assert place in found["reserve-period"].message
    assert "reserve-period" not in checks_of(item, replace(within, today=date(2027, 3, 29)))
    assert "reserve-period" in checks_of(item, within, datetime(2027, 5, 23, 9, tzinfo=UTC))
    assert "reserve-period" not in checks_of(item, within, datetime(2027, 5, 24, 9, tzinfo=UTC))
    part = network.model_copy(update={"reserve_periods": (period.model_copy(update={"places": (place[:-1],)}),)})
    assert "reserve-period" not in checks_of(item, replace(within, network=part))
    other = network.model_copy(update={"reserve_periods": (period.model_copy(update={"kinds": (Kind.STUDY,)}),)})
    assert "reserve-period" not in checks_of(item, replace(within, network=other))


def test_a_dead_link_is_found_whatever_parameters_it_carries():
    item = build_circular()
    url = next(link.url for link in item.links if link.problem is None and link.url.startswith("http"))
    context = replace(build_context(), links={url: ("error", "there is no such page (404)")})
    found = checks_of(item, context)
    assert found["link.dead"].level == "error"
    assert "404" in found["link.dead"].message
    assert url in found["link.dead"].message
    assert "link.dead" not in checks_of(item, build_context())
