"""People who leave and come back, and accounts at the sign-in provider that are linked to known people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient
from tests.web.builders import ORIGIN, PASSWORD, Browser, Place, build_desk, make_settings, open_place
from tests.web.provider import CLIENT, SECRET, OpenIdProvider, running_provider

from pregon.errors import DecisionError, NotAllowedError
from pregon.settings import OpenId
from pregon.types import Role

Browse = Callable[[str], Browser]


def test_who_is_deactivated_is_out_at_once_and_comes_back(place: Place, browse: Browse) -> None:
    editor, admin = browse("editor"), browse("admin")
    page = editor.post("/account/tokens", 200, name="a program", role="viewer", days="30")
    token = {"Authorization": f"Bearer {re.search(r'<code>(pregon_[^<]+)</code>', page)[1]}"}
    assert editor.http.get("/api/campaigns", headers=token).status_code == 200
    editor.post("/people/access", 403, name="viewer", word="deactivated")
    assert admin.post("/people/access", name="editor", word="deactivated") == "/people?said=deactivated"
    assert editor.http.get("/").status_code == 303
    assert editor.http.get("/api/campaigns", headers=token).status_code == 401
    refused = editor.http.post("/sign-in", data={"name": "editor", "password": PASSWORD, "next": "/"})
    assert refused.status_code == 403
    with pytest.raises(NotAllowedError, match="deactivated"):
        place.pipeline.people.user("editor")
    assert "reactivate them first" in admin.post("/people", 400, name="editor", role="editor", password=PASSWORD)
    assert "editor" not in [user.name for user in place.pipeline.store.list_users()]
    admin.post("/people/access", name="editor", word="reactivated")
    assert editor.sign_in("editor").get("/")
    assert editor.http.get("/api/campaigns", headers=token).status_code == 401, "tokens stay ended"
    told = [entry.detail for entry in place.pipeline.store.list_audit() if entry.subject == "editor"]
    assert told[:2] == ["reactivated", "deactivated; sessions and tokens ended"]


def test_an_admin_is_always_left(place: Place, browse: Browse) -> None:
    people, admin = place.pipeline.people, browse("admin")
    assert "yourself" in admin.post("/people/access", 400, name="admin", word="deactivated")
    assert "Choose" in admin.post("/people/access", 400, name="editor", word="banished")
    people.add_user("second", PASSWORD, Role.ADMIN)
    people.access.deactivate("admin", people.user("second"))
    person = place.pipeline.store.read_user("admin")[0]
    with pytest.raises(DecisionError, match="last admin"):
        people.access.deactivate("second", person)
    assert people.user("second").role is Role.ADMIN


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with running_provider() as running:
        running.claims = {"groups": ["press"], "preferred_username": "Ed"}
        yield running


@pytest.fixture
def provided(tmp_path: Path, prepared_home: Path, provider: OpenIdProvider) -> Iterator[Place]:
    roles = {"press": Role.EDITOR, "staff": Role.VIEWER}
    openid = OpenId(issuer=provider.issuer, client_id=CLIENT, roles=roles, label="the city", link_by_email=True)
    settings = make_settings(tmp_path, prepared=prepared_home)
    desk = settings.desk.model_copy(update={"openid": openid})
    secrets = settings.secrets.model_copy(update={"openid_secret": SECRET})
    with open_place(settings.model_copy(update={"desk": desk, "secrets": secrets})) as opened:
        yield opened


def open_browser(place: Place) -> Browser:
    http = TestClient(build_desk(place), base_url=ORIGIN, follow_redirects=False)
    return Browser(http)


def go_to(browser: Browser, provider: OpenIdProvider, path: str):
    back = provider.authorize(browser.http.get(path).headers["location"])
    return browser.http.get(f"/sign-in/provider?{urlencode(back)}")


def test_an_account_is_linked_after_a_second_yes(provided: Place, provider: OpenIdProvider) -> None:
    editor, stranger = open_browser(provided).sign_in("editor"), open_browser(provided)
    asked = go_to(editor, provider, "/account/provider")
    assert "knows you as “Ed”" in asked.text
    assert provided.pipeline.store.user_by_subject(f"{provider.issuer} person-7") is None, "not before the yes"
    assert editor.post("/account/provider") == "/account?said=linked"
    assert go_to(stranger, provider, "/sign-in/leave").headers["location"] == "/"
    assert "editor" in stranger.get("/account")
    other = open_browser(provided).sign_in("viewer")
    go_to(other, provider, "/account/provider")
    assert "somebody else here already" in other.post("/account/provider", 409)
    editor.post("/account/provider/end")
    assert provided.pipeline.people.access.ways_in(provided.pipeline.people.user("editor")) == (True, False)


def test_nobody_links_for_somebody_else(provided: Place, provider: OpenIdProvider) -> None:
    editor = open_browser(provided).sign_in("editor")
    go_to(editor, provider, "/account/provider")
    editor.sign_in("viewer")
    editor.post("/account/provider", 403)
    assert provided.pipeline.store.user_by_subject(f"{provider.issuer} person-7") is None


@pytest.mark.parametrize(("verified", "linked"), [(True, True), (False, False), ("true", False)])
def test_only_a_verified_address_links(
    provided: Place, provider: OpenIdProvider, verified: object, linked: bool
) -> None:
    provided.pipeline.store.set_email("viewer", "ed@city.example")
    provider.claims |= {"email": "Ed@City.example", "email_verified": verified}
    browser = open_browser(provided)
    assert go_to(browser, provider, "/sign-in/leave").status_code == 303
    found = provided.pipeline.store.user_by_subject(f"{provider.issuer} person-7")
    assert (found.name, found.role) == (("viewer", Role.EDITOR) if linked else ("Ed", Role.EDITOR))
    provided.pipeline.people.access.deactivate(found.name, provided.pipeline.people.user("admin"))
    assert "deactivated you" in go_to(open_browser(provided), provider, "/sign-in/leave").text


def test_the_provider_does_not_take_the_last_admin(provided: Place, provider: OpenIdProvider) -> None:
    people = provided.pipeline.people
    people.access.link(people.user("admin"), f"{provider.issuer} person-7")
    go_to(open_browser(provided), provider, "/sign-in/leave")
    assert people.user("admin").role is Role.ADMIN
    people.add_user("second", PASSWORD, Role.ADMIN)
    go_to(open_browser(provided), provider, "/sign-in/leave")
    assert people.user("admin").role is Role.EDITOR
