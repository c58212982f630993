"""The officer's way through the desk by plain forms, as it works without any script."""

from __future__ import annotations

from collections.abc import Callable

from tests.web.builders import Browser, Place

from pregon.types import DeliveryState, DraftState


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
