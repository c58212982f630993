"""Photograph every page of the desk on sample data, on a desktop and a phone, light and dark.

Run from the project's root: `python docs/make_screenshots.py` makes the pictures that the documents show;
`python docs/make_screenshots.py FOLDER` makes all of them, in FOLDER. Needs Playwright and Chromium ($PREGON_CHROMIUM).
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import httpx
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from pregon.bootstrap import build_pipeline, running_stand_ins
from pregon.pipeline import EVENTS, Pipeline
from pregon.sandbox import Sandbox
from pregon.settings import load_settings
from pregon.types import ChannelName, Decision, DeliveryState, Outcome, PostFields, Role, User
from pregon.web.app import build_app

ROOT = Path(__file__).parents[1]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "a password for pictures"
# What the documents show: every page once, and the two that are used most as a phone and a dark screen show them.
ALSO_SHOWN = {
    ("part-way", "phone", "light"),
    ("campaign", "phone", "light"),
    ("inbox", "phone", "light"),
    ("campaign", "desktop", "dark"),
    ("dashboard", "desktop", "dark"),
}
# The two other languages of the desk, on one page each.
SPOKEN = {"fr": "campaign", "es": "inbox"}
SIZES = {"desktop": (1280, 900), "phone": (375, 812)}
# Pictures in documents end here, by their width.
TALLEST = {1280: 1250, 375: 1100}


@dataclass
class Sights:
    """What there is to see: addresses by the name of their picture."""

    waiting: str
    sent: str
    part_way: str = ""
    readers: dict[str, str] = field(default_factory=dict)


@contextmanager
def serve_desk() -> Iterator[tuple[str, Sights]]:
    """A desk with a morning's work on it: some campaigns wait, one is edited, one has gone out and was read."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = load_settings(ROOT, {"PREGON_HOME": folder, "PREGON_BASE_URL": address})
        with running_stand_ins(settings) as sandbox:
            pipeline = build_pipeline(settings, sandbox)
            server = uvicorn.Server(uvicorn.Config(build_app(pipeline), log_level="warning"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            sights = prepare(pipeline)
            assert sandbox is not None
            sandbox.react()
            pipeline.measuring.measure()
            stop_half_way(pipeline, sights.part_way)
            sights.readers.update(find_readers_pages(address, pipeline, sandbox))
            yield address, sights
            server.should_exit = True
            thread.join(10)
            pipeline.store.close()


def prepare(pipeline: Pipeline) -> Sights:
    """Sample documents, members, an officer; two campaigns approved and delivered."""
    sample = resources.files("pregon.sandbox") / "sample"
    inbox = pipeline.settings.home / "inbox"
    inbox.mkdir(parents=True)
    for document in (sample / "inbox").iterdir():
        (inbox / document.name).write_bytes(document.read_bytes())
    pipeline.contacts.import_text((sample / "members.csv").read_text(encoding="utf-8"))
    pipeline.people.add_user("Marisol", PASSWORD, Role.ADMIN)
    officer = pipeline.people.user("Marisol")
    add_colleagues(pipeline, officer)
    pipeline.watching.watch(force=True)
    pipeline.drafting.sweep()
    rows = pipeline.reviewing.list_campaigns()
    clear = [row for row in rows if not row.questions and row.campaign.kind in ("circular", "video")]
    for row in (clear[0], clear[-1]):
        for view in pipeline.reviewing.show_campaign(row.campaign.slug).drafts:
            pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, officer)
    pipeline.delivering.deliver()
    pipeline.notifying.add_hook("https://hooks.example/pregon", EVENTS[:2], officer)
    asked = next(row for row in rows if row.questions)
    edit_posts(pipeline, asked.drafts[1].id, officer)
    part_way = next(row for row in rows if row not in (clear[0], clear[-1], asked) and not row.questions)
    return Sights(asked.campaign.slug, clear[0].campaign.slug, part_way.campaign.slug)


def add_colleagues(pipeline: Pipeline, admin: User) -> None:
    """An editor, an approver with a token, and a viewer who has left."""
    people = pipeline.people
    for name, role in (("Bruno", Role.EDITOR), ("Ines", Role.APPROVER), ("Tess", Role.VIEWER)):
        people.add_user(name, PASSWORD, role)
    pipeline.trying.set_address("Ines", "ines@tidalcities.example", admin)
    people.tokens.create(admin, "the web site", Role.VIEWER, 90)
    people.access.deactivate("Tess", admin)


def stop_half_way(pipeline: Pipeline, slug: str) -> None:
    """A newsletter of which a part is out, and a channel that somebody has paused."""
    officer, store = pipeline.people.user("Ines"), pipeline.store
    view = next(d for d in pipeline.reviewing.show_campaign(slug).drafts if d.draft.channel is ChannelName.EMAIL)
    pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, officer)
    now = datetime.now(UTC)
    claimed = store.claim_due(ChannelName.EMAIL, 7, "worker", now)
    store.record_outcomes([(Outcome(row.id, DeliveryState.SENT, "accepted"), None) for row in claimed], "send", now)
    pipeline.stopping.pause_channel(ChannelName.YOUTUBE, "the channel moves to its new account today", officer)


def find_readers_pages(address: str, pipeline: Pipeline, sandbox: Sandbox) -> dict[str, str]:
    """The pages of people who are not of the desk, by the links that their mails have."""
    token = sandbox.read("mails")[0]["substitutions"]["-unsubscribe_url-"].rsplit("/", 1)[1]
    with httpx.Client(base_url=address) as http:
        http.post(
            "/subscribe/en", data={"address": "ana@new.example", "name": "Ana", "topic": "public", "language": "en"}
        )
        http.post(f"/preferences/{token}/data")
    pipeline.noticing.send_due()
    texts = json.dumps(sandbox.read("messages")[-2:])
    mailed = {name: re.search(rf"/{name}/[0-9a-f]+\.[0-9a-f]+", texts) for name in ("confirm", "data")}
    fixed = {
        "subscribe": "/subscribe/en",
        "preferences": f"/preferences/{token}",
        "unsubscribe": f"/unsubscribe/{token}",
    }
    return fixed | {name: found[0] for name, found in mailed.items() if found}


def edit_posts(pipeline: Pipeline, draft_id: int, person: User) -> None:
    """An officer's small change to a post, so that there is a history to see."""
    _, view = pipeline.reviewing.show_draft(draft_id)
    if isinstance(view.revision.fields, PostFields):
        first, *others = view.revision.fields.parts
        parts = (first.replace("We would like to form", "We are forming"), *others)
        pipeline.reviewing.edit_draft(draft_id, view.revision.number, PostFields(parts), person)


def list_pages(pipeline_sights: Sights) -> dict[str, str]:
    """Picture names and paths."""
    waiting, sent = pipeline_sights.waiting, pipeline_sights.sent
    return {
        "inbox": "/",
        "campaign": f"/campaigns/{waiting}",
        "approved": f"/campaigns/{sent}",
        "result": f"/campaigns/{sent}/result",
        "part-way": f"/campaigns/{pipeline_sights.part_way}/result",
        "edit-mail": "/drafts/4/edit",
        "edit-posts": "/drafts/5/edit",
        "history": "/drafts/5/history",
        "calendar": "/calendar",
        "dashboard": "/dashboard",
        "sources": "/sources",
        "contacts": "/contacts",
        "channels": "/channels",
        "contact": "/contacts/1",
        "segments": "/segments",
        "suppressions": "/suppressions",
        "people": "/people",
        "hooks": "/hooks",
        "account": "/account",
        "second-step": "/account/second-step",
        "log": "/audit",
        "problem": "/campaigns/nothing-here",
        **pipeline_sights.readers,
    }


def sign_in(page: Page, address: str) -> None:
    """Sign the officer in, in whatever language the page is."""
    page.goto(f"{address}/sign-in")
    page.locator("#name").fill("Marisol")
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/sign-in'] button").click()
    page.wait_for_url(f"{address}/")


def is_shown(name: str, size: str, scheme: str) -> bool:
    """Whether the documents show this picture."""
    return (size, scheme) == ("desktop", "light") or (name, size, scheme) in ALSO_SHOWN


def photograph(browser: Browser, address: str, sights: Sights, folder: Path, *, everything: bool) -> None:
    """Every page in every size and colour scheme."""
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            page.goto(f"{address}/sign-in")
            if everything or is_shown("sign-in", size, scheme):
                page.screenshot(path=folder / f"desk-sign-in-{size}-{scheme}.png")
            sign_in(page, address)
            for name, path in list_pages(sights).items():
                if not (everything or is_shown(name, size, scheme)):
                    continue
                page.set_viewport_size({"width": width, "height": height})
                page.goto(address + path, wait_until="networkidle")
                too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if too_wide > 0:
                    print(f"{name} is {too_wide} px too wide at {width} px")
                if page.locator("iframe").count():
                    show_whole(page, width)
                take_picture(page, folder / f"desk-{name}-{size}-{scheme}.png", everything=everything)
            context.close()


def photograph_languages(browser: Browser, address: str, sights: Sights, folder: Path) -> None:
    """One page in each of the other languages."""
    width, height = SIZES["desktop"]
    for code, name in SPOKEN.items():
        context = browser.new_context(viewport={"width": width, "height": height}, locale=code)
        page = context.new_page()
        sign_in(page, address)
        page.goto(address + list_pages(sights)[name], wait_until="networkidle")
        if page.locator("iframe").count():
            show_whole(page, width)
        take_picture(page, folder / f"desk-{name}-{code}-desktop-light.png")
        context.close()


def take_picture(page: Page, path: Path, *, everything: bool = False) -> None:
    """The page as a file: whole to be looked at, else as much of it as a document has place for."""
    size = page.viewport_size
    height = page.evaluate("document.documentElement.scrollHeight")
    shown = height if everything else min(height, TALLEST[size["width"]])
    page.set_viewport_size({"width": size["width"], "height": shown})
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)


def show_whole(page: Page, width: int) -> None:
    """Make the window as tall as the page: a browser paints no frame that was never in view."""
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_load_state("networkidle")


def main() -> None:
    """Make all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with serve_desk() as (address, sights), sync_playwright() as playwright:
        path = os.environ.get("PREGON_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        photograph(browser, address, sights, folder, everything=len(sys.argv) > 1)
        photograph_languages(browser, address, sights, folder)
        browser.close()


if __name__ == "__main__":
    main()
