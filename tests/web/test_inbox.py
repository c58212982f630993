"""The inbox: what waits comes first, is found by what people know of it, and never falls off the end of the list."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.web.builders import Browser, Place

from pregon.types import CampaignSearch, Decision

Browse = Callable[[str], Browser]


def titles(page: str) -> list[str]:
    return re.findall(r'<h3><a href="/campaigns/([^"]+)"', page)


def test_filters_and_search(place: Place, browse: Browse) -> None:
    viewer = browse("viewer")
    assert len(titles(viewer.get("/"))) == 8
    assert titles(viewer.get("/?q=13")) == ["2026-circular-13"]
    assert titles(viewer.get("/?q=GUIDE+des+quais")) == ["2026-circular-13"]
    assert titles(viewer.get("/?q=%25")) == []
    assert len(titles(viewer.get("/?kind=practice"))) == 2
    assert len(titles(viewer.get("/?kind=practice&language=es"))) == 1
    assert len(titles(viewer.get("/?channel=youtube"))) == 8
    for odd in ("?page=0", "?page=x", "?page=999999", "?page=²", "?kind=none", "?q=" + "9" * 200):
        viewer.get(f"/{odd}")


def test_what_waits_is_said(place: Place, browse: Browse) -> None:
    page = browse("viewer").get("/?q=12")
    assert "2 open questions" in page
    assert "1 point to mend" in page
    assert "about $0.215" in page
    assert "Circular 12 · English" in page.replace("circular 12", "Circular 12")


def test_an_old_campaign_that_waits_is_never_lost(place: Place, browse: Browse) -> None:
    pipeline = place.pipeline
    rows = pipeline.inbox.search(CampaignSearch(waiting=True, limit=2))
    assert (len(rows.rows), rows.count) == (2, 8)
    person = pipeline.people.user("approver")
    newest = pipeline.inbox.search(CampaignSearch(waiting=None, limit=7)).rows
    for row in newest:
        for draft in row.drafts:
            view = pipeline.reviewing.show_draft(draft.id)[1]
            pipeline.reviewing.decide(draft.id, Decision.CANCELLED, view.revision.digest, person)
    waiting = pipeline.inbox.search(CampaignSearch(waiting=True, limit=1))
    assert waiting.count == 1
    assert waiting.rows[0].campaign.slug not in {row.campaign.slug for row in newest}
    for draft in waiting.rows[0].drafts:
        view = pipeline.reviewing.show_draft(draft.id)[1]
        pipeline.reviewing.decide(draft.id, Decision.CANCELLED, view.revision.digest, person)
    assert "All caught up" in browse("viewer").get("/")


def test_what_is_out_is_called_sent_and_only_ways_in_use_are_offered(place: Place, browse: Browse) -> None:
    slug, viewer = place.campaign(), browse("viewer")
    assert "state-sent" not in viewer.get("/")
    assert "no change on YouTube" in browse("approver").get(f"/campaigns/{slug}")
    place.send(slug)
    # By the figures that were counted last, as each pass of delivering does: a page does not count a million mails.
    assert "state-sent" not in viewer.get("/?q=13")
    place.pipeline.measuring.refresh_figures()
    assert "state-sent" in viewer.get("/?q=13")
    for page in (viewer.get("/"), viewer.get("/calendar")):
        assert "YouTube" in page
        assert "Mastodon" not in page
