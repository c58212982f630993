"""Make the pictures of the newsletters in docs/screenshots: each sample on a light desktop and a dark phone.

Run from the checkout: `PYTHONPATH=src python docs/make_mail_screenshots.py [NAME ...]`. Needs Chromium.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL, DraftContext, campaign_slug, compose_drafts, substitute
from pregon.items import identify_item, load_document, read_item
from pregon.settings import Settings, load_settings
from pregon.types import MailBody

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "src" / "pregon" / "sandbox" / "sample" / "inbox"
PICTURES = ROOT / "docs" / "screenshots"
# Every view is checked for its width; the documents keep the two that differ most.
KEPT = {("desktop", "light"), ("phone", "dark")}
VIEWS = (("desktop", 800, "light"), ("desktop", 800, "dark"), ("phone", 375, "light"), ("phone", 375, "dark"))


def render_sample(path: Path, settings: Settings, templates: dict[str, str]) -> str:
    """The newsletter of one sample document as HTML."""
    document = load_document(path.read_bytes(), name=path.name)
    item = read_item(document, network=settings.network)
    playbook = settings.playbooks[item.kind]
    if playbook.email:
        playbook = playbook.model_copy(
            update={"email": playbook.email.model_copy(update={"template": item.kind.value})}
        )
    context = DraftContext(
        network=settings.network,
        playbook=playbook,
        templates=templates,
        campaign=campaign_slug(item, str(identify_item(item, document))),
        account=settings.channels.x.account,
    )
    body = next(
        draft.content.body for draft in compose_drafts(item, context) if isinstance(draft.content.body, MailBody)
    )
    return substitute(body.html, {UNSUBSCRIBE_URL: "https://desk.example/u", VIEW_URL: "https://desk.example/v"})


def take_pictures(browser: Browser, name: str, html: str) -> None:
    """One picture for each view of a newsletter."""
    for device, width, scheme in VIEWS:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.set_content(html)
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if overflow > 0:
            raise SystemExit(f"{name} is {overflow} pixels wider than a {device}")
        if (device, scheme) in KEPT:
            page.screenshot(path=PICTURES / f"mail-{name}-{device}-{scheme}.png", full_page=True)
        page.close()


def main() -> None:
    """Take the pictures of the named samples, or of every one."""
    settings = load_settings(ROOT, {})
    folder = ROOT / "templates"
    templates = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        for path in sorted(SAMPLES.iterdir()):
            name = path.name.split(".")[0]
            if not sys.argv[1:] or name in sys.argv[1:]:
                take_pictures(browser, name, render_sample(path, settings, templates))
        browser.close()


if __name__ == "__main__":
    main()
