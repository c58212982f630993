"""The report of a period: its campaigns, its sums, and no small number by which somebody could be recognised."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from conftest import CLEAN  # type: ignore[import-not-found]

from pregon.errors import PregonError
from pregon.web.report import render_report


def test_a_period_holds_its_own_campaigns_and_their_sums(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.approve(slug, "x")
    house.pipeline.delivering.deliver()
    today = house.settings.network.day_of(house.clock())
    made = house.pipeline.reporting.build(today - timedelta(days=1), today + timedelta(days=1))
    assert [each.campaign.slug for each in made.campaigns] == [slug]
    mails = [f for f in made.totals if f.channel == "email"]
    assert [f.sent for f in mails] == [len(house.sandbox.read("mails"))]
    assert [f.language for f in made.languages] == ["fr"]
    for start, end in ((today + timedelta(days=1), today + timedelta(days=2)), (None, today - timedelta(days=1))):
        assert house.pipeline.reporting.build(start, end).campaigns == ()
    with pytest.raises(PregonError, match="ends before it starts"):
        house.pipeline.reporting.build(date(2027, 1, 2), date(2027, 1, 1))


def test_few_people_are_not_counted_out_and_titles_are_text(house):
    house.drop(
        "a.en.md", "# <script>alert(1)</script> quays\n\nThe network tells its members that the quays are open again.\n"
    )
    (slug,) = house.watch()
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    made = house.pipeline.reporting.build()
    few = next(f for f in made.totals if f.channel == "email")
    html = render_report(made, house.settings.network)
    assert "<script>alert" not in html
    assert f">{few.sent}<" in html
    one = replace(few, delivered=40, trackable=30, clickers=3, unsubscribed=2)
    shown = render_report(
        replace(made, totals=(one,), languages=(one,), campaigns=made.campaigns), house.settings.network
    )
    assert shown.count("fewer than 5") == 2
    assert ">3<" not in shown


@pytest.mark.parametrize(
    ("clickers", "trackable", "rate"), [(2, 21, None), (5, 21, "23.8%"), (0, 21, "0%"), (3, 4, None)]
)
def test_no_rate_and_no_bar_tells_a_count_that_is_not_told(house, clickers, trackable, rate):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    made = house.pipeline.reporting.build()
    (mails,) = made.languages
    row = replace(mails, planned=40, sent=40, delivered=40, clickers=clickers, trackable=trackable, unsubscribed=3)
    campaigns = (replace(made.campaigns[0], rows=(row,)),)
    html = render_report(
        replace(made, totals=(row,), languages=(row, replace(row, language="es")), campaigns=campaigns),
        house.settings.network,
    )
    assert re.findall(r"\d+(?:\.\d)?%(?=<)", html) == [rate] * 3 * (rate is not None)
    widths = re.findall(r'width: ([\d.]+)%"', html)
    told = [
        100 * trackable / 40 if trackable >= 5 else 0,
        *([100 * clickers / trackable if clickers >= 5 else 0] * (clickers > 0)),
    ]
    assert [float(width) for width in widths][-1 - len(told) :] == [
        *(pytest.approx(share, abs=0.1) for share in told),
        0,
    ]
    assert f">of {trackable}<" not in html or trackable >= 5
