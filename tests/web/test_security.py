"""Who may do what, and what a browser is told. Every refusal is tried by a direct request, not only by a hidden button."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.web.builders import PASSWORD, Browser, Place, make_settings, open_place

from pregon.types import DraftState
from pregon.web.app import build_app
from pregon.web.pages_session import safe_path

Browse = Callable[[str], Browser]
# Readers' pages and webhooks have keys of their own, or none (the public form); signing in has no session yet.
OPEN_POSTS = {
    "/sign-in",
    "/sign-in/code",
    "/webhooks/{provider}",
    "/sources/{source_id}",
    "/websub/{token}",
    "/unsubscribe/{token}",
    "/subscribe/{language}",
    "/confirm/{token}",
    "/preferences/{token}",
    "/preferences/{token}/data",
    "/data/{token}",
}
NEUTRAL = {
    "duty_id": 1,
    "draft_id": "1",
    "slug": "2026-circular-13",
    "name": "email",
    "person": "viewer",
    "contact_id": "1",
    "token_id": "1",
    "hook_id": "1",
}


def posts(app: object) -> list[str]:
    found = []
    for route in _flatten(app.routes):
        if "POST" in (route.methods or ()) and route.path not in OPEN_POSTS:
            found.append(route.path.format(**NEUTRAL))
    return found


def _flatten(routes: list[object]) -> list[Route]:
    flat: list[Route] = []
    for route in routes:
        inner = getattr(route, "original_router", None)
        flat += _flatten(inner.routes) if inner is not None else [route] if isinstance(route, Route) else []
    return flat


def test_every_form_wants_a_session_and_its_token(place: Place, browse: Browse) -> None:
    app = build_app(place.pipeline)
    # Which language a browser is shown needs no session: see the tests of the language.
    paths = [path for path in posts(app) if path != "/language"]
    assert len(paths) >= 9
    stranger, admin = browse(""), browse("admin")
    for path in paths:
        assert stranger.http.post(path, data={"csrf": "x"}).headers["location"].startswith("/sign-in"), path
        for token in ("", "guess", admin.csrf + "x"):
            assert admin.http.post(path, data={"csrf": token}).status_code == 403, path
        for headers in ({"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            assert admin.http.post(path, data={"csrf": admin.csrf}, headers=headers).status_code == 403, (path, headers)
    states = {d.state for row in place.pipeline.reviewing.list_campaigns() for d in row.drafts}
    assert states == {DraftState.IN_REVIEW}


@pytest.mark.parametrize("path", ["/", "/dashboard", "/campaigns/2026-circular-13", "/drafts/1/preview", "/contacts"])
def test_without_a_session_there_is_only_the_sign_in_page(browse: Browse, path: str) -> None:
    stranger = browse("")
    for cookie in (None, "forged", "a" * 4000):
        if cookie:
            stranger.http.cookies.set("pregon", cookie)
        answer = stranger.http.get(path)
        assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in")


def test_a_viewer_and_an_editor_are_refused_what_is_not_theirs(place: Place, browse: Browse) -> None:
    slug = place.campaign()
    view = place.pipeline.reviewing.show_campaign(slug).drafts[0]
    path, digest = f"/drafts/{view.draft.id}", view.revision.digest
    viewer, editor = browse("viewer"), browse("editor")
    for decision in ("approved", "cancelled", "withdrawn"):
        for person in (viewer, editor):
            page = person.post(f"{path}/decision", 403, decision=decision, digest=digest)
            assert "does not include this decision" in page
    viewer.post(f"{path}/decision", 403, decision="needs_changes", digest=digest)
    viewer.post(f"{path}/edit", 403, base="1", subject="Mine")
    viewer.post(f"{path}/check", 403, subject="Mine")
    viewer.post("/sources/check", 403)
    viewer.post("/measure", 403)
    viewer.post(f"/campaigns/{slug}/approve", 403, digest=[digest])
    place.send(slug)
    row = place.pipeline.reviewing.who(slug)[0]
    editor.post(f"/campaigns/{slug}/deliveries", 403, word="released", delivery=row.id)
    assert "Approve…" not in viewer.get(f"/campaigns/{place.campaign('study')}")


def test_signing_in(place: Place, browse: Browse) -> None:
    browser = browse("")
    wrong = browser.http.post("/sign-in", data={"name": "viewer", "password": "wrong", "next": "/"})
    unknown = browser.http.post("/sign-in", data={"name": "nobody", "password": "wrong", "next": "/"})
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text.replace("viewer", "nobody") == unknown.text
    browser.sign_in("viewer")
    cookie = browser.http.post("/sign-in", data={"name": "viewer", "password": PASSWORD}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    token = browser.http.cookies["pregon"]
    browser.sign_in("viewer")
    browser.post("/sign-out")
    browser.http.cookies.set("pregon", token)
    for _ in range(5):
        browser.http.post("/sign-in", data={"name": "editor", "password": "wrong"})
    late = browser.http.post("/sign-in", data={"name": "editor", "password": PASSWORD})
    assert late.status_code == 403
    assert "wait a quarter of an hour" in late.text


def test_signing_out_ends_the_session_on_the_server(browse: Browse) -> None:
    browser = browse("viewer")
    token = browser.http.cookies["pregon"]
    browser.post("/sign-out")
    browser.http.cookies.set("pregon", token)
    assert browser.http.get("/").status_code == 303


def test_with_tls_the_cookie_is_bound_to_this_host(tmp_path: Path, prepared_home: Path) -> None:
    with open_place(make_settings(tmp_path, "https://desk.test", prepared_home)) as place:
        http = TestClient(build_app(place.pipeline), base_url="https://desk.test", follow_redirects=False)
        answer = http.post("/sign-in", data={"name": "viewer", "password": PASSWORD})
        assert answer.headers["set-cookie"].startswith("__Host-pregon=")
        assert "Secure" in answer.headers["set-cookie"]
        assert http.get("/").status_code == 200


@pytest.mark.parametrize(
    ("path", "onward"),
    [
        ("/dashboard?x=1", "/dashboard?x=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_nowhere_else(path: str, onward: str) -> None:
    assert safe_path(path) == onward


def test_every_page_forbids_what_it_does_not_need(place: Place, browse: Browse) -> None:
    admin = browse("admin")
    for path in ("/", "/sign-in", "/campaigns/2026-circular-13", "/nothing", "/unsubscribe/x", "/static/desk.css"):
        headers = admin.http.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
    for path in ("/", "/campaigns/2026-circular-13", "/drafts/1/edit", "/dashboard", "/contacts"):
        page = admin.get(path)
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
        assert page.count("<script") == page.count('<script type="module" src="/static/')


def test_a_mail_preview_may_do_nothing(place: Place, browse: Browse) -> None:
    draft = place.draft_ids(place.campaign())["email"]
    answer = browse("viewer").http.get(f"/drafts/{draft}/preview")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "script-src" not in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "-unsubscribe_url-" not in answer.text


SCRIPT = "<script>alert(1)</script>"


def test_script_in_a_title_a_name_and_a_file_name_is_shown_as_text(place: Place, browse: Browse) -> None:
    pipeline = place.pipeline
    text = f'Circular 77\n\nPortamar, 3 November 2026\n\nSubject: Tide {SCRIPT} "><img src=x onerror=alert(1)>\n\nDear members,\n\nBring {SCRIPT} to 12 towns.\n'
    (pipeline.settings.home / "inbox" / "a'<img src=x onerror=alert(1)>.en.txt").write_text(text, encoding="utf-8")
    members = f'email,name,language,lists,organisation\nmallory@x.example,"{SCRIPT}",en,members,"<b onclick=a>"\n'
    pipeline.contacts.import_text(members)
    pipeline.watching.watch(force=True)
    pipeline.drafting.sweep()
    pipeline.people.add_user(SCRIPT, PASSWORD, pipeline.people.user("editor").role)
    editor = browse(SCRIPT)
    rows = pipeline.reviewing.list_campaigns()
    slug = next(row.campaign.slug for row in rows if "77" in row.campaign.slug or "alert" in row.campaign.title)
    draft = place.draft_ids(slug)["x"]
    paths = ("/", f"/campaigns/{slug}", f"/drafts/{draft}/edit", f"/drafts/{draft}/history", "/contacts", "/dashboard")
    for path in (
        *paths,
        f"/contacts?q={SCRIPT}",
        f"/campaigns/{slug}/result?state={SCRIPT}",
        f"/sign-in?next={SCRIPT}",
    ):
        page = editor.get(path)
        assert "<script>" not in page, path
        assert "<img" not in page, path
        assert "<b onclick" not in page, path
    assert "&lt;script&gt;" in editor.get("/contacts")


def test_a_forged_sentence_is_not_shown(browse: Browse) -> None:
    assert "pay now" not in browse("viewer").get("/?said=pay+now")
