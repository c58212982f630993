"""The API: the desk's actions for programs, by token and role, with the same rules as the pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.web.builders import ORIGIN, Place, build_desk

from pregon.types import Role


@dataclass
class Program:
    """A client with the token of one role."""

    http: TestClient
    token: str

    def ask(self, method: str, path: str, status: int = 200, **values: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.http.request(method, f"/api{path}", headers=headers, **values)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-800:])
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.text

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        return self.ask("GET", path, status, params=query)

    def post(self, path: str, status: int = 200, /, **body: Any) -> Any:
        return self.ask("POST", path, status, json=body)


Programs = Callable[[Role], Program]


@pytest.fixture
def program(place: Place) -> Programs:
    app = build_desk(place)

    def make(role: Role) -> Program:
        people = place.pipeline.people
        text, _ = people.tokens.create(people.user(role.value), "tests", role, 1)
        return Program(TestClient(app, base_url=ORIGIN, raise_server_exceptions=False), text)

    return make


def operations(http: TestClient) -> list[tuple[str, str, dict[str, Any]]]:
    paths = http.get("/api/openapi.json").json()["paths"]
    return [(method.upper(), path, what) for path, methods in paths.items() for method, what in methods.items()]


def test_every_operation_wants_a_token_and_the_role_it_says(place: Place, program: Programs) -> None:
    viewer, editor = program(Role.VIEWER), program(Role.EDITOR)
    found = operations(viewer.http)
    assert len(found) >= 34
    values = {"slug": place.campaign(), "draft_id": "1", "number": "1", "contact_id": "1", "name": "email"}
    for method, path, what in found:
        address = "/api" + path.format(**values)
        for headers in ({}, {"Authorization": "Bearer pregon_guess"}, {"Authorization": "Basic YTpi"}):
            refused = viewer.http.request(method, address, headers=headers, json={})
            assert refused.status_code == 401, (method, path)
            assert refused.json()["error"]["id"] == "no-token"
            assert "Bearer" in refused.headers["www-authenticate"]
        for who, role in ((viewer, Role.VIEWER), (editor, Role.EDITOR)):
            answer = who.http.request(method, address, headers={"Authorization": f"Bearer {who.token}"}, json={})
            assert (answer.status_code == 403) is not role.includes(Role(what["x-role"])), (method, path, answer.text)
    assert {what["x-role"] for _, _, what in found} == {"viewer", "editor", "approver"}


def test_a_cookie_opens_no_api_and_a_token_no_page(place: Place, program: Programs) -> None:
    approver = program(Role.APPROVER)
    page = approver.http.get("/", headers={"Authorization": f"Bearer {approver.token}"}, follow_redirects=False)
    assert page.headers["location"].startswith("/sign-in")
    approver.http.post("/sign-in", data={"name": "approver", "password": "correct horse battery"})
    assert approver.http.get("/").status_code == 200
    assert approver.http.get("/api/me").status_code == 401


def test_a_token_ends_and_never_does_more_than_its_person(place: Place, program: Programs) -> None:
    approver, people = program(Role.APPROVER), place.pipeline.people
    assert approver.get("/me") == {"name": "approver", "role": "approver"}
    people.add_user("approver", "another password", Role.EDITOR)
    assert approver.get("/me") == {"name": "approver", "role": "editor"}
    user = people.user("approver")
    people.tokens.revoke(people.tokens.list_own(user)[0].id, user)
    approver.get("/me", 401)


def test_from_the_list_to_the_figures(place: Place, program: Programs) -> None:
    approver, slug = program(Role.APPROVER), place.campaign()
    page = approver.get("/campaigns", waiting=True, kind="circular")
    assert slug in [each["slug"] for each in page["campaigns"]]
    assert len(approver.get("/campaigns", limit=1)["campaigns"]) == 1
    campaign = approver.get(f"/campaigns/{slug}")
    assert campaign["sources"][0]["text"]
    digests = [draft["digest"] for draft in campaign["drafts"]]
    assert approver.post(f"/campaigns/{slug}/approve", 409, digests=["sha256:0"])["error"]["id"] == "not-now"
    done = approver.post(f"/campaigns/{slug}/approve", digests=digests)
    assert {each["state"] for each in done} == {"approved"}
    assert ("pregon.draft.approved", f"pregon.draft.{done[0]['draft_id']}") in place.hints
    place.pipeline.delivering.deliver()
    first = approver.get(f"/campaigns/{slug}/deliveries", limit=2)
    again = approver.get(f"/campaigns/{slug}/deliveries", limit=2, offset=2)
    assert first["count"] > 2
    assert not {each["id"] for each in first["deliveries"]} & {each["id"] for each in again["deliveries"]}
    sent = sum(each["sent"] for each in approver.get(f"/campaigns/{slug}/result")["funnels"])
    assert sent == approver.get(f"/campaigns/{slug}/deliveries", state="sent")["count"]
    assert approver.get("/report")["campaigns"][0]["campaign"] == slug
    assert approver.post(f"/campaigns/{slug}/deliveries/retry") == {"changed": 0}
    approver.post(f"/campaigns/{slug}/deliveries/resolve", 404, ids=["nothing"], state="sent")
    assert approver.post(f"/campaigns/{slug}/deliveries/resolve", ids=[first["deliveries"][0]["id"]], state="sent")


def test_a_draft_is_edited_decided_and_withdrawn(place: Place, program: Programs) -> None:
    approver, drafts = program(Role.APPROVER), place.draft_ids(place.campaign())
    for draft_id in drafts.values():
        before = approver.get(f"/drafts/{draft_id}")
        same = approver.post(f"/drafts/{draft_id}/revisions", 201, base=1, fields=before["newest"]["fields"])
        assert same["digest"] == before["digest"], "what was read can be saved as it is"
    mail = f"/drafts/{drafts['email']}"
    fields = approver.get(mail)["newest"]["fields"] | {"subject": "Ours"}
    stale = approver.post(f"{mail}/revisions", 409, base=1, fields=fields)["error"]
    assert (stale["id"], stale["current"]) == ("stale-revision", 2)
    assert "Subject: Ours" in stale["yours"]
    assert "Subject: Ours" not in stale["theirs"]
    saved = approver.post(f"{mail}/revisions", 201, base=2, fields=fields, send_at="2100-01-01T09:00:00+01:00")
    assert saved["content"]["subject"] == "Ours"
    assert saved["content"]["send_at"] == "2100-01-01T08:00:00Z"
    other = approver.get(f"/drafts/{drafts['x']}")["newest"]["fields"]
    assert "of the type mail" in approver.post(f"{mail}/revisions", 400, base=3, fields=other)["error"]["message"]
    assert [each["number"] for each in approver.get(f"{mail}/revisions")] == [1, 2, 3]
    assert approver.get(f"{mail}/revisions/3")["digest"] == saved["digest"]
    approver.get(f"{mail}/revisions/9", 404)
    decide = f"{mail}/decisions"
    assert approver.post(decide, 409, decision="approved", digest="sha256:0")["error"]["id"] == "stale-revision"
    assert (
        approver.post(decide, 201, decision="approved", digest=saved["digest"], comment="Good")["state"] == "approved"
    )
    assert approver.post(decide, 201, decision="withdrawn", digest=saved["digest"])["state"] == "in_review"
    assert [each["comment"] for each in approver.get(mail)["decisions"]] == ["Good", ""]
    assert approver.post(f"{mail}/confirm", 201, base=3)["number"] == 4
    editor = program(Role.EDITOR)
    assert editor.post(decide, 403, decision="approved", digest=saved["digest"])["error"]["id"] == "not-allowed"


def test_a_question_is_answered(place: Place, program: Programs) -> None:
    editor = program(Role.EDITOR)
    rows = [each for each in editor.get("/campaigns")["campaigns"] if each["questions"]]
    campaign = editor.get(f"/campaigns/{rows[0]['slug']}")
    question = campaign["questions"][0]
    asked = {"question": question["id"], "span_start": question["span_start"], "item_id": question["item_id"]}
    after = editor.post(f"/campaigns/{campaign['slug']}/answers", **asked, answer="-")
    assert len(after["questions"]) == len(campaign["questions"]) - 1
    assert after["answers"][0]["answered_by"] == "editor"
    editor.post(f"/campaigns/{campaign['slug']}/answers", 404, **asked, answer="-")


def test_a_picture_is_added_kept_and_named(place: Place, program: Programs) -> None:
    editor, draft = program(Role.EDITOR), place.draft_ids(place.campaign())["x"]
    fields = editor.get(f"/drafts/{draft}")["newest"]["fields"]
    picture = {"name": "a.png", "media_type": "image/png", "alt_text": "A quay", "data": "iVBORw0KGgo="}
    saved = editor.post(f"/drafts/{draft}/revisions", 201, base=1, fields=fields | {"media": [[picture]]})
    kept = saved["fields"]["media"][0][0]
    assert kept["data"] is None
    again = editor.post(f"/drafts/{draft}/revisions", 201, base=2, fields=saved["fields"])
    assert again["digest"] == saved["digest"]
    unknown = saved["fields"] | {"media": [[kept | {"sha256": "0" * 64}]]}
    assert (
        "no such picture" in editor.post(f"/drafts/{draft}/revisions", 400, base=3, fields=unknown)["error"]["message"]
    )
    broken = fields | {"media": [[picture | {"data": "not base64!"}]]}
    editor.post(f"/drafts/{draft}/revisions", 400, base=3, fields=broken)


def test_contacts_by_the_rules_of_an_import(place: Place, program: Programs) -> None:
    approver = program(Role.APPROVER)
    made = approver.post("/contacts", address="Ada@Town.example", name="Ada", lists=["members"], city="Town")
    path = f"/contacts/{made['id']}"
    assert approver.post("/contacts", address="ada@town.example", name="Ada L.")["id"] == made["id"]
    assert approver.get("/contacts", q="ada@town.example")["contacts"][0]["name"] == "Ada L."
    assert approver.post("/contacts", address="ada@town.example", language="fr")["language"] == "fr"
    assert approver.post("/contacts", address="ada@town.example", name="Ada L.")["language"] == "fr"
    far = approver.post("/contacts", address="Info@Bücher.example")
    assert far["address"] == "info@xn--bcher-kva.example"
    approver.post("/suppressions", address="info@BÜCHER.example")
    approver.post("/suppressions/release", address="info@BÜCHER.example")
    assert approver.ask("PATCH", path, json={"city": "Port"})["city"] == "Port"
    assert "how the answer came" in approver.ask("PATCH", path, 400, json={"clicks": "granted"})["error"]["message"]
    mended = approver.ask("PATCH", path, json={"clicks": "granted", "how": "a letter of 3 November"})
    assert mended["click_tracking"] == "granted"
    assert approver.get(f"{path}/export")["address"] == "ada@town.example"
    assert approver.post("/suppressions", address="ada@town.example", detail="asked by telephone") == {"changed": 1}
    assert approver.get("/suppressions", prefix="ada@")["suppressions"][0]["reason"] == "manual"
    assert approver.post("/suppressions/release", address="ada@town.example") == {"changed": 1}
    approver.post("/suppressions/release", 404, address="ada@town.example")
    approver.post("/contacts", 400, address="no address")
    assert approver.ask("DELETE", path) == {"changed": 1}
    approver.get(path, 404)
    approver.post("/contacts", 400, address="ada@town.example")
    file = {"file": ("m.csv", b"email,language\nbo@town.example,en\nnobody,en\n", "text/csv")}
    looked = approver.ask("POST", "/contacts/import", files=file)
    assert (looked["accepted"], looked["rejected_count"], looked["rejected"][0]["line"]) == (1, 1, 3)
    assert approver.get("/contacts", q="bo@town.example")["contacts"] == []
    assert approver.ask("POST", "/contacts/import?dry_run=false", files=file)["added"] == 1
    assert {each["name"] for each in approver.get("/segments")} == set(place.pipeline.settings.segments)


def test_sources_channels_calendar_and_the_log(place: Place, program: Programs) -> None:
    approver = program(Role.APPROVER)
    assert approver.get("/sources")[0]["id"] == "inbox"
    assert approver.post("/sources/check", 202) == {"done": False}
    assert place.hints[-1][0] == "pregon.source.changed"
    assert approver.get("/channels/x/account") == {"name": "@tidalcities", "problem": ""}
    program(Role.VIEWER).get("/channels/x/account", 403)
    assert "election" in approver.post("/channels/x/pause", reason="Until the election")["paused"]
    assert [each["name"] for each in approver.get("/channels") if each["paused"]] == ["x"]
    assert {each["name"] for each in approver.get("/channels") if each["mode"] == "off"} == {
        "mastodon",
        "bluesky",
        "discourse",
    }
    assert approver.post("/channels/x/resume")["paused"] is None
    approver.post("/channels/fax/resume", 422)
    calendar = approver.get("/calendar", start="2031-01-01", end="2031-12-31")
    assert calendar["days"]
    approver.get("/calendar", 400, start="2026-02-01", end="2026-01-01")
    lines = [json.loads(line) for line in approver.get("/audit").splitlines()]
    assert [line["action"] for line in lines if line["subject"] == "x"] == ["pause", "resume"]
    assert approver.get("/audit", since="2199-01-01") == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"digest": "\\ud800", "decision": "approved"}',
        b'{"digest": "\\u0000", "decision": "approved"}',
        b'{"digest": "x", "decision": "approved", "extra": 1}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_makes_no_sense_is_refused_in_a_sentence(place: Place, program: Programs, body: bytes) -> None:
    approver = program(Role.APPROVER)
    headers = {"Content-Type": "application/json"}
    answer = approver.http.post(
        "/api/drafts/1/decisions", content=body, headers=headers | {"Authorization": f"Bearer {approver.token}"}
    )
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"]["message"]


def test_what_does_not_exist_and_what_is_too_large(program: Programs) -> None:
    viewer, approver = program(Role.VIEWER), program(Role.APPROVER)
    assert viewer.get("/nothing", 404)["error"]["id"] == "not-found"
    assert viewer.ask("PUT", "/campaigns", 405)["error"]["id"] == "bad-method"
    assert viewer.get("/campaigns/nothing", 404)["error"]["id"] == "not-found"
    assert viewer.get("/campaigns/a%0Ab", 404)["error"]["id"] == "not-found"
    assert viewer.get("/drafts/99999", 404)["error"]["id"] == "not-found"
    large = approver.http.post(
        "/api/contacts", content=b" " * (26 * 1024 * 1024), headers={"Authorization": f"Bearer {approver.token}"}
    )
    assert (large.status_code, large.json()["error"]["id"]) == (413, "too-large")


def test_tokens_are_made_shown_once_listed_and_revoked_on_the_page(place: Place, browse: Callable[[str], Any]) -> None:
    editor = browse("editor")
    page = editor.post("/account/tokens", 200, name="Calendar", role="viewer", days="30")
    text = next(
        word
        for word in page.replace("<", " ").replace(">", " ").split()
        if len(word) > 40 and word.startswith("pregon_")
    )
    assert text not in editor.get("/account")
    assert text[:11] in editor.get("/account")
    assert place.pipeline.people.tokens.person(text).role is Role.VIEWER
    assert "cannot do more than you" in editor.post("/account/tokens", 403, name="x", role="admin", days="30")
    assert "1 to 366 days" in editor.post("/account/tokens", 400, name="x", role="viewer", days="9999")
    token = place.pipeline.people.tokens.list_own(place.pipeline.people.user("editor"))[0]
    assert token.expires_at - token.created_at == timedelta(days=30)
    browse("viewer").post(f"/account/tokens/{token.id}/revoke", 404)
    assert "Calendar" in browse("admin").get("/people")
    editor.post(f"/account/tokens/{token.id}/revoke")
    assert place.pipeline.people.tokens.person(text) is None
    actions = [(e.action, e.detail) for e in place.pipeline.store.list_audit() if e.action == "token"]
    assert actions == [("token", "revoked"), ("token", "created with role viewer for 30 days")]
