"""The officer's way through the desk by plain forms, as it works without any script."""

from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient
from tests.web.builders import ORIGIN, SAMPLE, Browser, Place

from pregon.types import ChannelName, DeliveryState, DraftState, Funnel
from pregon.web.app import build_app
from pregon.web.pages_results import total_figures


def test_every_page_answers(place: Place, browse: Callable[[str], Browser]) -> None:
    admin = browse("admin")
    for row in place.pipeline.reviewing.list_campaigns():
        assert row.campaign.title[:20] in admin.get(f"/campaigns/{row.campaign.slug}").replace("&#39;", "'")
        admin.get(f"/campaigns/{row.campaign.slug}/result")
        for draft in row.drafts:
            admin.get(f"/drafts/{draft.id}/edit")
            admin.get(f"/drafts/{draft.id}/history")
    for path in ("/", "/dashboard", "/sources", "/contacts", "/contacts?q=portamar", "/channels"):
        page = admin.get(path)
        assert "nothing leaves this machine" in page, path
    assert admin.get("/healthz") == "ok"


def test_from_yes_to_figures(place: Place, browse: Callable[[str], Browser]) -> None:
    approver, slug = browse("approver"), place.campaign()
    view = place.pipeline.reviewing.show_campaign(slug)
    assert "48 mails in French" in approver.get(f"/campaigns/{slug}")
    digests = [each.revision.digest for each in view.drafts]
    approver.post(f"/campaigns/{slug}/approve", digest=digests)
    states = {each.draft.state for each in place.pipeline.reviewing.show_campaign(slug).drafts}
    assert states == {DraftState.APPROVED}
    place.pipeline.delivering.deliver()
    sent = [row for row in place.pipeline.reviewing.who(slug) if row.state is DeliveryState.SENT]
    assert len(sent) == 49
    result = approver.get(f"/campaigns/{slug}/result")
    assert all(row.address in result for row in sent)
    assert "not subscribed" in result or "suppressed" in result
    assert "48" in approver.get("/dashboard")
    assert len(approver.get(f"/campaigns/{slug}/who.csv").splitlines()) == 1 + len(place.pipeline.reviewing.who(slug))


def test_the_dashboard_counts_each_way_out_apart() -> None:
    ways = (ChannelName.X, ChannelName.YOUTUBE, ChannelName.MASTODON, ChannelName.BLUESKY, ChannelName.DISCOURSE)
    totals = total_figures([Funnel(channel, "en", sent=10**place) for place, channel in enumerate(ways)])
    assert (totals["posts"], totals["changes"], totals["elsewhere"]) == (1, 10, 11_100)


def test_the_engine_is_told_of_work(place: Place, browse: Callable[[str], Browser]) -> None:
    approver, slug = browse("approver"), place.campaign()
    draft = place.draft_ids(slug)["x"]
    _, view = place.pipeline.reviewing.show_draft(draft)
    approver.post(f"/drafts/{draft}/decision", decision="approved", digest=view.revision.digest)
    assert place.hints == [("pregon.draft.approved", f"pregon.draft.{draft}")]
    assert approver.post("/sources/check") == "/sources?said=checking"
    assert approver.post("/measure") == "/dashboard?said=measuring"
    assert place.hints[1:] == [
        ("pregon.source.changed", "pregon.source.asked"),
        ("pregon.metrics.asked", "pregon.metrics.asked"),
    ]
    assert {row.state for row in place.pipeline.reviewing.who(slug)} == {DeliveryState.PENDING}


def test_without_an_engine_the_desk_does_the_work(place: Place) -> None:
    http = TestClient(build_app(place.pipeline), base_url=ORIGIN, follow_redirects=False)
    approver, slug = Browser(http).sign_in("approver"), place.campaign("video", "en")
    digests = [each.revision.digest for each in place.pipeline.reviewing.show_campaign(slug).drafts]
    approver.post(f"/campaigns/{slug}/approve", digest=digests)
    states = {row.state for row in place.pipeline.reviewing.who(slug)}
    assert states == {DeliveryState.SENT, DeliveryState.SUPPRESSED}
    assert approver.post("/measure") == "/dashboard?said=measured"
    assert "impressions" in approver.get("/dashboard")
    name = "meeting-another.en.txt"
    sample = (SAMPLE / "inbox" / "meeting-learning-session.en.txt").read_text(encoding="utf-8")
    (place.pipeline.settings.home / "inbox" / name).write_text(sample.replace("schools", "gardens"), encoding="utf-8")
    assert approver.post("/sources/check") == "/sources?said=checked"
    assert "gardens that read the tide" in approver.get("/")


def test_what_is_held_waits_for_a_persons_word(place: Place, browse: Callable[[str], Browser]) -> None:
    approver, slug = browse("approver"), place.campaign()
    draft = place.draft_ids(slug)["x"]
    _, view = place.pipeline.reviewing.show_draft(draft)
    approver.post(f"/drafts/{draft}/decision", decision="approved", digest=view.revision.digest)
    place.pipeline.store.hold_draft(draft, view.revision.number, "held: the machine slept too long")
    page = approver.get(f"/campaigns/{slug}/result")
    assert "1 delivery needs your word" in page
    assert "slept too long" in page
    (row,) = place.pipeline.reviewing.who(slug)
    assert "Choose" in approver.post(f"/campaigns/{slug}/deliveries", 409, word="burn", delivery=row.id)
    approver.post(f"/campaigns/{place.campaign('study')}/deliveries", word="settled", delivery=row.id)
    assert place.pipeline.reviewing.who(slug)[0].state is DeliveryState.HELD
    approver.post(f"/campaigns/{slug}/deliveries", word="released", delivery=row.id)
    place.pipeline.delivering.deliver()
    assert place.pipeline.reviewing.who(slug)[0].state is DeliveryState.SENT
    page = approver.get(f"/campaigns/{slug}")
    assert "1 of 1 sent" in page
