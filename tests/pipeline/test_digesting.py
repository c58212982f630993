"""A digest gathers what was announced in a whole period, once, and only when there is enough of it."""

from __future__ import annotations

from datetime import date

import pytest

from pregon.pipeline.digesting import last_period
from pregon.settings import AudienceConfig, DigestRule, MailRule
from pregon.types import Decision

RULE = DigestRule(email=MailRule(template="digest", audience=AudienceConfig(name="All", lists=("public",))))
TITLES = ("Quays for everyone", "A bridge of reeds", "Night ferries return")


def document(title: str, closing: str = "The first results are expected in spring.") -> str:
    body = f"The network reports that {title.lower()} has been discussed by twelve cities this year."
    return f"# {title}\n\n{body} {closing}\n\nRead more: https://tidalcities.example/en/{title.lower().replace(' ', '-')}\n"


def announce(house, titles):
    for number, title in enumerate(titles):
        house.drop(f"{number}.en.md", document(title))
    slugs = house.watch()
    for slug in slugs:
        house.approve(slug, "x")
    return slugs


def test_a_week_with_enough_items_makes_one_digest(house):
    announce(house, TITLES)
    house.clock.forward(days=7)
    result = house.pipeline.digesting.gather()
    assert result.campaign is not None, result.reason
    view = house.pipeline.reviewing.show_campaign(result.campaign.slug)
    (draft,) = view.drafts
    assert [section.heading.partition("· ")[2] or section.heading for section in draft.revision.fields.sections]
    shown = str(draft.revision.fields.sections)
    assert all(title in shown for title in TITLES)
    assert [check for check in draft.revision.checks if check.level == "error"] == []
    assert draft.obstacles == ()
    again = house.pipeline.digesting.gather()
    assert again.campaign is None
    assert "already" in again.reason
    # A sweep takes it for no item of its own.
    assert house.pipeline.drafting.sweep().opened == ()
    house.approve(result.campaign.slug, "email")
    house.pipeline.delivering.deliver()
    assert {mail["subject"] for mail in house.sandbox.read("mails")} == {draft.revision.fields.subject}


def test_too_few_items_or_nothing_approved_make_none(house):
    announce(house, TITLES[:2])
    house.drop("unapproved.en.md", document(TITLES[2]))
    house.watch()
    house.clock.forward(days=7)
    result = house.pipeline.digesting.gather()
    assert result.campaign is None
    assert "Fewer than 3" in result.reason


def test_a_withdrawn_item_is_not_told_of(house):
    slugs = announce(house, TITLES)
    view = house.draft(slugs[0], "x")
    house.pipeline.reviewing.decide(view.draft.id, Decision.CANCELLED, view.revision.digest, house.officer)
    house.clock.forward(days=7)
    assert house.pipeline.digesting.gather().campaign is None


def test_an_item_that_changes_marks_the_digest(house):
    announce(house, TITLES)
    house.clock.forward(days=7)
    campaign = house.pipeline.digesting.gather().campaign
    house.drop("0.en.md", document(TITLES[0], "The first results are expected in autumn."))
    house.watch()
    (draft,) = house.pipeline.reviewing.show_campaign(campaign.slug).drafts
    assert TITLES[0] in draft.stale


@pytest.mark.parametrize(
    ("every", "today", "start", "end", "name"),
    [
        ("week", date(2026, 11, 23), date(2026, 11, 16), date(2026, 11, 23), "2026-digest-w47"),
        ("week", date(2026, 11, 29), date(2026, 11, 16), date(2026, 11, 23), "2026-digest-w47"),
        ("week", date(2027, 1, 4), date(2026, 12, 28), date(2027, 1, 4), "2026-digest-w53"),
        ("month", date(2026, 11, 23), date(2026, 10, 1), date(2026, 11, 1), "2026-digest-10"),
        ("month", date(2027, 1, 1), date(2026, 12, 1), date(2027, 1, 1), "2026-digest-12"),
    ],
)
def test_periods_are_whole_weeks_or_months(every, today, start, end, name):
    period = last_period(RULE.model_copy(update={"every": every}), today)
    assert (period.start, period.end, period.name) == (start, end, name)
