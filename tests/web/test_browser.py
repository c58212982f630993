"""The desk's own scripts in Chromium under its strict policy; tests/test_whole_way.py tells the whole story."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.web.builders import PASSWORD, Place, build_desk, make_settings, open_place

from pregon.types import DraftState

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("PREGON_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ARGUMENTS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture
def served(tmp_path: Path, prepared_home: Path) -> Iterator[tuple[Place, str]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with open_place(make_settings(tmp_path, address, prepared_home)) as place:
            server = uvicorn.Server(uvicorn.Config(build_desk(place), log_level="warning"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            yield place, address
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """One Chromium for all tests here; each has a context of its own, with nothing in it."""
    if shutil.which(CHROMIUM) is None and not os.environ.get("PREGON_REQUIRE_BROWSER"):
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(served: tuple[Place, str], chromium: object) -> Iterator[object]:
    with chromium.new_context(base_url=served[1]) as context:
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        problems: list[str] = []
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        yield tab
    # A refused style or script is reported here: the policy and the pages must fit one another.
    assert [p for p in problems if "409" not in p] == []


def sign_in(page: object, name: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def test_unsaved_words_are_offered_again(served: tuple[Place, str], page: object) -> None:
    from playwright.sync_api import expect

    draft = served[0].draft_ids(served[0].campaign())["email"]
    sign_in(page, "editor")
    page.goto(f"/drafts/{draft}/edit")
    page.get_by_label("Subject").fill("Half a thought")
    page.goto("/")
    page.goto(f"/drafts/{draft}/edit")
    expect(page.get_by_text("what you had not saved")).to_be_visible()
    expect(page.get_by_label("Subject")).to_have_value("Half a thought")
    page.get_by_role("button", name="Save as a new revision").click()
    page.goto(f"/drafts/{draft}/edit")
    expect(page.get_by_label("Subject")).to_have_value("Half a thought")
    expect(page.get_by_text("what you had not saved")).to_have_count(0)


def test_a_reader_unsubscribes_with_one_button(served: tuple[Place, str], page: object) -> None:
    from playwright.sync_api import expect

    place, _ = served
    place.send(place.campaign())
    link = place.sandbox.read("mails")[0]["substitutions"]["-unsubscribe_url-"]
    page.goto(link)
    page.get_by_role("button", name="Me désabonner").click()
    expect(page.get_by_role("status")).to_contain_text("ne vous enverra plus")
    assert page.context.cookies() == []


def test_posts_are_split_moved_and_joined(served: tuple[Place, str], page: object) -> None:
    from playwright.sync_api import expect

    place, _ = served
    draft = place.draft_ids(place.campaign())["x"]
    sign_in(page, "editor")
    page.goto(f"/drafts/{draft}/edit")
    first = page.get_by_label("Text").first
    first.fill("One.Two.")
    first.evaluate("field => field.setSelectionRange(4, 4)")
    page.get_by_role("group", name="Post 1").get_by_role("button", name="Split").click()
    expect(page.get_by_role("group", name="Post 2").get_by_label("Text")).to_have_value("Two.")
    page.get_by_role("group", name="Another post").get_by_label("Text").fill("Three.")
    page.get_by_role("group", name="Another post").get_by_role("button", name="Add it").click()
    page.get_by_role("group", name="Post 3").get_by_role("button", name="Move up").click()
    page.get_by_role("group", name="Post 1").get_by_role("button", name="Join").click()
    expect(page.get_by_role("group", name="Post 3")).to_have_count(0)
    page.goto("/")
    page.goto(f"/drafts/{draft}/edit")
    expect(page.get_by_role("group", name="Post 1").get_by_label("Text")).to_have_value("One.\n\nThree.")
    page.get_by_role("button", name="Save as a new revision").click()
    page.wait_for_url("**/campaigns/**")
    assert place.pipeline.reviewing.show_draft(draft)[1].revision.fields.parts == ("One.\n\nThree.", "Two.")


def test_keys_move_and_show_but_never_decide(served: tuple[Place, str], page: object) -> None:
    from playwright.sync_api import expect

    place, _ = served
    sign_in(page, "approver")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator(".campaign-row h3 a").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(f".campaign-row h3 a[href$='{place.campaign()}']").focus()
    page.keyboard.press("a")
    page.wait_for_url("**#approve")
    expect(page.get_by_role("button", name="Yes, approve").first).to_be_focused()
    states = {d.draft.state for d in place.pipeline.reviewing.show_campaign(place.campaign()).drafts}
    assert states == {DraftState.IN_REVIEW}


def test_a_comment_is_about_the_selected_words(served: tuple[Place, str], page: object) -> None:
    from playwright.sync_api import expect

    place, _ = served
    sign_in(page, "editor")
    page.goto(f"/campaigns/{place.campaign()}")
    post = page.get_by_role("article", name="X French")
    post.locator(".post-text").first.evaluate(
        "text => { const node = document.createTreeWalker(text, NodeFilter.SHOW_TEXT).nextNode();"
        " document.getSelection().setBaseAndExtent(node, 0, node, 9); }"
    )
    post.get_by_text("Ask for changes…").click()
    quote = post.get_by_label("About these words")
    expect(quote).not_to_have_value("")
    words = quote.input_value()
    post.get_by_label("What should change").fill("Say it shorter")
    post.get_by_role("button", name="Send back").click()
    expect(post.get_by_text("Say it shorter")).to_be_visible()
    expect(post.locator("mark.passage")).to_have_text(words)
    post.get_by_role("link", name="Show the passage").click()
    expect(post.locator("mark.passage")).to_be_in_viewport()


def test_a_picture_is_attached_and_seen(served: tuple[Place, str], page: object) -> None:
    from playwright.sync_api import expect

    place, _ = served
    draft = place.draft_ids(place.campaign())["x"]
    sign_in(page, "editor")
    page.goto(f"/drafts/{draft}/edit")
    page.get_by_text("Attach a picture").first.click()
    page.get_by_label("Picture for post 1").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": DOT})
    page.get_by_role("button", name="Attach it").first.click()
    page.get_by_label("What the picture a.png shows").fill("A dot")
    page.get_by_role("button", name="Save as a new revision").click()
    picture = page.get_by_role("article", name="X French").get_by_role("img", name="A dot")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
