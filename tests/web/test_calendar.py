"""The calendar shows what went out, what is planned and the days to mind; nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tests.web.builders import Browser, Place

Browse = Callable[[str], Browser]


def test_what_went_out_and_what_is_planned_stand_on_their_days(place: Place, browse: Browse) -> None:
    viewer, slug = browse("viewer"), place.campaign()
    place.send(slug)
    today = place.pipeline.calendar.today()
    page = viewer.get("/calendar")
    assert page.count("· went out") == 4  # newsletter and post, in the table and in the list; no playlist changes
    assert f"/campaigns/{slug}#draft-" in page
    assert "· went out" not in viewer.get(f"/calendar?month={today + timedelta(days=70):%Y-%m}")
    assert viewer.get("/calendar?channel=x").count("· went out") == 2


def test_a_draft_that_is_meant_for_a_day_is_shown_before_it_is_approved(place: Place, browse: Browse) -> None:
    editor, slug = browse("approver"), place.campaign()
    draft = place.draft_ids(slug)["x"]
    editor.post(f"/drafts/{draft}/edit", base="1", part="On the day.", send_at="2031-03-04T09:30")
    assert "not approved yet" in editor.get("/calendar?month=2031-03")
    digest = place.pipeline.reviewing.show_draft(draft)[1].revision.digest
    for decision in ("approved", "withdrawn", "approved"):
        editor.post(f"/drafts/{draft}/decision", decision=decision, digest=digest)
    page = editor.get("/calendar?month=2031-03")
    assert "09:30 · planned" in page
    assert page.count("09:30") == 2


def test_deadlines_meetings_and_reserve_periods_are_shown(place: Place, browse: Browse) -> None:
    viewer = browse("viewer")
    items = [
        source.stored.item
        for row in place.pipeline.reviewing.list_campaigns()
        for source in place.pipeline.reviewing.show_campaign(row.campaign.slug).sources
    ]
    days = [each.date for item in items for each in item.deadlines]
    assert days
    assert "Deadline" in viewer.get(f"/calendar?month={days[0]:%Y-%m}")
    meeting = next(each for item in items for each in item.events)
    assert "Meeting" in viewer.get(f"/calendar?month={meeting.start[:7]}")


def test_a_month_that_is_none_is_said(browse: Browse) -> None:
    viewer = browse("viewer")
    for month in ("soon", "2027-13", "1999-01", "2027-1-1"):
        viewer.get(f"/calendar?month={month}", 404)
