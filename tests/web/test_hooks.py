"""Hooks on the desk: only for an admin, the secret once, a test with its result, off and gone."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.web.builders import Browser, Place

Browse = Callable[[str], Browser]


def test_an_admin_adds_tests_switches_and_removes_a_hook(place: Place, browse: Browse) -> None:
    admin = browse("admin")
    assert "Nobody is told yet" in admin.get("/hooks")
    # Port 9 (discard) of this machine: refused before anything is sent, since it is not public.
    page = admin.post("/hooks", 200, url="https://127.0.0.1:9/hook", event=["campaign.sent", "draft.approved"])
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{44}", page).group(0)
    assert secret not in admin.get("/hooks")
    (view,) = place.pipeline.notifying.list_hooks(place.pipeline.people.user("admin"))
    assert view.hook.events == ("campaign.sent", "draft.approved")
    admin.post(f"/hooks/{view.hook.id}/test")
    assert "on a private network" in admin.get("/hooks")
    admin.post(f"/hooks/{view.hook.id}/switch", word="off")
    assert "Switch it on" in admin.get("/hooks")
    admin.post(f"/hooks/{view.hook.id}/remove")
    assert "Nobody is told yet" in admin.get("/hooks")
    admin.post("/hooks/99/test", 404)
    details = [entry.detail for entry in place.pipeline.store.list_audit() if entry.action == "hook"]
    assert details == ["removed", "switched off", "added for campaign.sent, draft.approved"]


def test_others_see_and_do_nothing(place: Place, browse: Browse) -> None:
    approver, admin = browse("approver"), browse("admin")
    approver.get("/hooks", 403)
    approver.post("/hooks", 403, url="https://example.org/", event="campaign.sent")
    approver.post("/hooks/1/test", 403)
    assert "starts with https" in admin.post("/hooks", 400, url="http://example.org/", event="campaign.sent")
    assert "at least one of the events" in admin.post("/hooks", 400, url="https://example.org/")
    assert "<script>" not in admin.post("/hooks", 400, url='"><script>', event="campaign.sent")
