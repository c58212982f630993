"""Signing in: the second step, the throttle, sessions, and an OpenID provider over real HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient
from tests.web.builders import ORIGIN, PASSWORD, Browser, Place, build_desk, make_settings, open_place
from tests.web.provider import CLIENT, SECRET, OpenIdProvider, running_provider

from pregon.errors import NotAllowedError
from pregon.pipeline.people import Where
from pregon.settings import OpenId
from pregon.types import Role

Browse = Callable[[str], Browser]


def make_desk(tmp_path: Path, prepared: Path, **changes: object):
    settings = make_settings(tmp_path, prepared=prepared)
    return settings.model_copy(update={"desk": settings.desk.model_copy(update=changes)})


def open_browser(place: Place, address: str = "203.0.113.7") -> Browser:
    app = build_desk(place)
    http = TestClient(
        app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False, client=(address, 4711)
    )
    return Browser(http)


def set_up(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Turn the second step on; the app on the telephone, and the recovery codes."""
    page = browser.get("/account/second-step")
    secret = "".join(re.search(r"<code>([A-Z2-7 ]+)</code>", page).group(1).split())
    app = pyotp.TOTP(secret)
    # The step of time before, so that the present code is still good for signing in.
    shown = browser.post("/account/second-step", 200, code=app.at(time.time() - 30))
    return app, re.findall(r"<li><code>([a-z0-9-]+)</code></li>", shown)


def answer(browser: Browser, code: str, **fields: str):
    return browser.http.post("/sign-in/code", data={"code": code, "next": "/", **fields})


def give_password(browser: Browser, name: str = "editor", password: str = PASSWORD, **fields: str):
    return browser.http.post("/sign-in", data={"name": name, "password": password, "next": "/", **fields})


# --- the second step


def test_after_the_password_a_code_is_asked_and_taken_once(place: Place, browse: Browse) -> None:
    app, codes = set_up(browse("editor"))
    assert len(set(codes)) == 10
    browser, thief = browse(""), browse("")
    page = give_password(browser)
    assert page.status_code == 200
    assert "six digits" in page.text
    assert "pregon" not in browser.http.cookies
    assert browser.http.get("/").headers["location"].startswith("/sign-in")
    assert answer(browser, "000000").status_code == 403
    code = app.now()
    assert answer(browser, code, next="/dashboard").headers["location"] == "/dashboard"
    assert browser.http.get("/").status_code == 200
    give_password(thief)
    assert answer(thief, code).status_code == 403, "a code that was seen is worth nothing"
    assert answer(browse(""), app.now()).status_code == 403, "a code without a password, too"


def test_a_recovery_code_works_once_and_a_wrong_secret_is_not_turned_on(place: Place, browse: Browse) -> None:
    editor = browse("editor")
    assert "not right" in editor.post("/account/second-step", 400, code="123456")
    assert give_password(browse("")).status_code == 303
    _, codes = set_up(editor)
    browser = browse("")
    give_password(browser)
    assert answer(browser, codes[0].upper()).status_code == 303
    again = browse("")
    give_password(again)
    assert answer(again, codes[0]).status_code == 403
    assert "Recovery codes left: 9" in browser.get("/account")
    store = place.pipeline.store.engine.connect()
    kept = str(store.exec_driver_sql("SELECT * FROM users").all()) + str(
        store.exec_driver_sql("SELECT * FROM recovery_codes").all()
    )
    store.close()
    assert codes[1] not in kept
    assert codes[1].replace("-", "") not in kept


def test_five_wrong_codes_end_the_sign_in(place: Place, browse: Browse) -> None:
    app, codes = set_up(browse("editor"))
    browser = browse("")
    give_password(browser)
    for _ in range(5):
        answer(browser, "000000")
    assert answer(browser, app.now()).status_code == 403
    assert answer(browser, codes[0]).status_code == 403


def test_it_is_turned_off_with_a_code_or_by_an_admin(place: Place, browse: Browse) -> None:
    editor, admin = browse("editor"), browse("admin")
    _, codes = set_up(editor)
    assert "stays on" in editor.post("/account/second-step/off", 403, code="000000")
    editor.post("/account/second-step/off", code=codes[3])
    assert give_password(browse("")).status_code == 303
    set_up(editor)
    editor.post("/people/second-step", 403, name="editor")
    admin.post("/people/second-step", name="editor")
    assert editor.http.get("/").status_code == 303
    assert give_password(browse("")).status_code == 303
    details = [(e.person, e.subject, e.detail) for e in place.pipeline.store.list_audit() if e.action == "second step"]
    assert details[0] == ("admin", "editor", "turned off by an admin")
    assert ("editor", "editor", "used a recovery code") in details


def test_a_role_can_be_made_to_set_it_up(tmp_path: Path, prepared_home: Path) -> None:
    with open_place(make_desk(tmp_path, prepared_home, require_totp_for=(Role.APPROVER,))) as place:
        browser = open_browser(place)
        give_password(browser, "approver")
        for path in ("/", "/account", "/audit", "/campaigns/2026-circular-13"):
            assert browser.http.get(path).headers["location"] == "/account/second-step"
        page = browser.get("/account/second-step")
        browser.csrf = re.search(r'name="csrf" value="([^"]+)"', page).group(1)
        assert browser.http.post("/sources/check", data={"csrf": browser.csrf}).status_code == 303
        assert place.hints == []
        set_up(browser)
        assert browser.http.get("/").status_code == 200
        assert give_password(open_browser(place), "editor").headers["location"] == "/"


def test_the_picture_holds_the_secret_and_needs_no_style(browse: Browse) -> None:
    page = browse("editor").get("/account/second-step")
    assert page.count("<svg") == 1
    assert "style" not in page.split("<svg")[1].split("</svg>")[0]
    assert "<script" not in page.split("<svg")[1].split("</svg>")[0]


# --- the throttle


def test_a_stranger_who_guesses_does_not_lock_the_officer_out(place: Place) -> None:
    addresses = [f"198.51.100.{number}" for number in range(6)]
    officer, strangers = open_browser(place), [open_browser(place, address) for address in addresses]
    assert give_password(officer, "approver").status_code == 303
    for address in addresses * 5:
        place.pipeline.people.throttle.note("approver", address, succeeded=False)
    for stranger in strangers:
        assert give_password(stranger, "approver", "a guess").status_code == 403
    assert "wait a quarter" in give_password(strangers[0], "approver").text, (
        "the pair is locked, also for the right one"
    )
    assert give_password(officer, "approver").status_code == 303, "from where they sign in they still do"
    elsewhere = open_browser(place, "192.0.2.9")
    assert "wait a minute" in give_password(elsewhere, "approver").text
    assert give_password(elsewhere, "editor").status_code == 303


def test_one_address_cannot_try_many_names(place: Place) -> None:
    stranger, people = open_browser(place, "2001:db8::1"), place.pipeline.people
    for number in range(28):
        people.throttle.note(f"name {number}", "2001:db8::1", succeeded=False)
    for number in range(2):
        assert "not right" in give_password(stranger, f"another {number}", "a guess").text
    neighbour = open_browser(place, "2001:db8::2")
    assert "wait a quarter" in give_password(neighbour, "viewer").text, "one connection has a /64 to itself"
    assert people.sign_in("viewer", PASSWORD, Where("2001:db8:0:1::1")).token


def test_only_a_trusted_proxy_is_believed(tmp_path: Path, prepared_home: Path) -> None:
    def tries(place: Place, count: int) -> list[int]:
        browser, found = open_browser(place, "10.0.0.5"), []
        for number in range(count):
            headers = {"X-Forwarded-For": f"6.6.6.6, 198.51.100.{number}, 10.0.0.9"}
            data = {"name": "editor", "password": "wrong"}
            found.append(browser.http.post("/sign-in", data=data, headers=headers).text.count("wait a"))
        return found

    with open_place(make_desk(tmp_path / "a", prepared_home)) as place:
        assert sum(tries(place, 7)) == 2, "without one, everything comes from the proxy's own address"
    with open_place(make_desk(tmp_path / "b", prepared_home, trusted_proxies=("10.0.0.0/8",))) as place:
        assert sum(tries(place, 7)) == 0
        addresses = place.pipeline.store.engine.connect()
        rows = addresses.exec_driver_sql("SELECT DISTINCT address FROM login_attempts WHERE name = 'editor'").all()
        addresses.close()
        assert ("198.51.100.3",) in rows
        assert ("6.6.6.6",) not in rows


def test_an_unknown_name_takes_as_long_as_a_wrong_password(place: Place) -> None:
    people = place.pipeline.people
    people.add_user("viewer", PASSWORD, Role.VIEWER)  # with a hash at its full cost

    def measure(name: str, turn: int) -> float:
        began = time.perf_counter()
        with pytest.raises(NotAllowedError):
            people.sign_in(name, "a guess", Where(f"192.0.2.{turn}"))
        return time.perf_counter() - began

    measure("nobody", 200)
    known = sorted(measure("viewer", turn) for turn in range(5))[2]
    unknown = sorted(measure("nobody", turn) for turn in range(5))[2]
    assert 0.4 < unknown / known < 2.5


# --- sessions


def test_a_planted_session_is_not_taken_over(place: Place, browse: Browse) -> None:
    mallory, victim = browse("viewer"), browse("")
    planted = mallory.http.cookies["pregon"]
    victim.http.cookies.set("pregon", planted, domain="desk.test", path="/")
    assert give_password(victim, "approver").status_code == 303
    assert place.pipeline.people.session(planted) is None


def test_ones_own_sessions_are_listed_and_ended(place: Place, browse: Browse) -> None:
    here, there = browse("editor"), browse("editor")
    page = here.get("/account")
    ids = re.findall(r'name="session" value="([0-9a-f]+)"', page)
    assert len(ids) == 1
    browse("viewer").post("/account/sessions", 404, session=ids[0])
    assert there.http.get("/").status_code == 200
    here.post("/account/sessions", session=ids[0])
    assert there.http.get("/").status_code == 303
    assert here.http.get("/").status_code == 200


def test_no_header_is_written_by_what_somebody_sends(browse: Browse) -> None:
    browser = browse("")
    for bad in ("/%0d%0aSet-Cookie:%20a=b", "/\r\nSet-Cookie: a=b", "//evil.example/%0d%0a", "https://evil.example"):
        found = browser.http.post("/sign-in", data={"name": "viewer", "password": PASSWORD, "next": bad})
        assert "a=b" not in found.headers["set-cookie"]
        assert found.headers["location"].startswith("/")
        assert not found.headers["location"].startswith("//")
        assert "\n" not in found.headers["location"]
    headers = {"User-Agent": "a\x07<script>alert(1)</script>"}
    browser.http.post("/sign-in", data={"name": "viewer", "password": PASSWORD}, headers=headers)
    assert "<script>alert" not in browser.get("/account")


# --- the provider


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with running_provider() as running:
        running.claims = {"preferred_username": "maite", "groups": ["staff", "press"]}
        yield running


@pytest.fixture
def provided(tmp_path: Path, prepared_home: Path, provider: OpenIdProvider) -> Iterator[Place]:
    roles = {"press": Role.EDITOR, "head": Role.APPROVER}
    openid = OpenId(issuer=provider.issuer, client_id=CLIENT, roles=roles, label="City account")
    settings = make_desk(tmp_path, prepared_home, openid=openid, require_totp_for=(Role.EDITOR,))
    settings = settings.model_copy(update={"secrets": settings.secrets.model_copy(update={"openid_secret": SECRET})})
    with open_place(settings) as place:
        yield place


def go_there_and_back(browser: Browser, provider: OpenIdProvider, onward: str = "/", **changes: str):
    left = browser.http.get("/sign-in/leave", params={"next": onward})
    assert left.status_code == 303, left.text
    brought = provider.authorize(left.headers["location"]) | changes
    return browser.http.get("/sign-in/provider", params=brought)


def test_a_person_comes_in_by_the_provider(provided: Place, provider: OpenIdProvider) -> None:
    browser = open_browser(provided)
    assert "City account" in browser.get("/sign-in")
    back = go_there_and_back(browser, provider, "/dashboard")
    assert (back.status_code, back.headers["location"]) == (303, "/dashboard")
    assert browser.http.get("/").status_code == 200, "their provider has asked for their second step"
    assert provided.pipeline.people.user("maite").role is Role.EDITOR
    provider.claims["groups"] = "head"
    go_there_and_back(open_browser(provided), provider)
    assert provided.pipeline.people.user("maite").role is Role.APPROVER
    assert give_password(open_browser(provided), "maite", "").status_code == 403


def test_who_has_no_role_or_somebody_elses_name_is_refused(provided: Place, provider: OpenIdProvider) -> None:
    provider.claims["groups"] = ["staff", 7]
    assert "no role at this desk" in go_there_and_back(open_browser(provided), provider).text
    provider.claims |= {"groups": ["press"], "preferred_username": "admin"}
    refused = go_there_and_back(open_browser(provided), provider)
    assert refused.status_code == 403
    assert "Somebody else has that name" in refused.text
    assert provided.pipeline.people.user("admin").role is Role.ADMIN


def test_claims_may_come_with_the_user_info(provided: Place, provider: OpenIdProvider) -> None:
    provider.claims = {}
    provider.userinfo = {"sub": "person-7", "preferred_username": "maite", "groups": ["press"]}
    assert go_there_and_back(open_browser(provided), provider).status_code == 303
    provider.userinfo["sub"] = "person-8"
    assert go_there_and_back(open_browser(provided), provider).status_code == 403


def test_an_answer_fits_one_browser_one_state_and_one_time(provided: Place, provider: OpenIdProvider) -> None:
    browser = open_browser(provided)
    for changes in ({"state": "another"}, {"iss": "https://evil.example"}, {"code": "code-99"}, {"error": "denied"}):
        assert go_there_and_back(browser, provider, **changes).status_code == 403, changes
    left = browser.http.get("/sign-in/leave")
    brought = provider.authorize(left.headers["location"])
    assert open_browser(provided).http.get("/sign-in/provider", params=brought).status_code == 403, "another browser"
    assert browser.http.get("/sign-in/provider", params=brought).status_code == 303
    assert browser.http.get("/sign-in/provider", params=brought).status_code == 403, "a second time"


@pytest.mark.parametrize(
    "extra",
    [
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"sub": None},
        {"iat": 32_503_680_000},
    ],
)
def test_a_token_that_is_not_for_us_now_is_refused(provided: Place, provider: OpenIdProvider, extra: dict) -> None:
    provider.extra = extra
    assert go_there_and_back(open_browser(provided), provider).status_code == 403


def test_a_token_that_somebody_else_signed_is_refused(provided: Place, provider: OpenIdProvider) -> None:
    browser = open_browser(provided)
    provider.signer = RSAKey.generate_key(2048, {"kid": "one"})
    assert go_there_and_back(browser, provider).status_code == 403
    provider.signer, provider.header = provider.key.as_pem(private=False), {"alg": "HS256", "kid": "one"}
    assert go_there_and_back(browser, provider).status_code == 403, "the public key is no shared secret"
    provider.signer, provider.header = b"", {"alg": "none"}
    assert go_there_and_back(browser, provider).status_code == 403


def test_a_provider_that_is_away_costs_only_a_sentence(provided: Place, provider: OpenIdProvider) -> None:
    provider.is_down = True
    browser = open_browser(provided)
    page = browser.http.get("/sign-in/leave")
    assert page.status_code == 502
    assert "sign in with your password" in page.text
    assert give_password(browser, "viewer").status_code == 303


def test_without_a_provider_there_is_no_such_way(browse: Browse) -> None:
    assert browse("").http.get("/sign-in/leave").status_code == 502
    assert browse("").http.get("/sign-in/provider", params={"code": "x", "state": "y"}).status_code in (403, 502)
