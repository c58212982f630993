"""Run axe-core over every page of the desk in its three languages, light and dark, desktop and phone; print violations.

Run from the project's root: `PREGON_AXE=/path/to/axe.min.js python docs/check_accessibility.py`. The file comes with
the npm package axe-core, which is not part of this project. Exit status 1 when anything is found.
"""

from __future__ import annotations

import os
import sys
from itertools import product
from pathlib import Path

from make_screenshots import ARGUMENTS, SIZES, Sights, list_pages, serve_desk, sign_in
from playwright.sync_api import Browser, Page, sync_playwright

from pregon.web.language import LANGUAGES

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Pages that nobody is signed in for.
OUTSIDE = {"sign-in": "/sign-in", "unsubscribe": "/unsubscribe/wrong", "subscribe": "/subscribe/en"}


def check_page(page: Page, axe: str) -> list[str]:
    """One line for each violation of this page."""
    # A window as tall as the page: what sticks to its edge covers nothing then.
    size = page.viewport_size
    page.set_viewport_size({"width": size["width"], "height": page.evaluate("document.documentElement.scrollHeight")})
    page.evaluate(axe)
    # The mail in its frame is held to the rules of mail by the drafts' own tests.
    run = "tags => axe.run({exclude: [['iframe']]}, {runOnly: tags, resultTypes: ['violations'], iframes: false})"
    found = page.evaluate(run, RULES)["violations"]
    page.set_viewport_size(size)
    return [
        f"{each['id']}: {node['html'][:160]} | {node['failureSummary']}" for each in found for node in each["nodes"]
    ]


def check_all(browser: Browser, address: str, sights: Sights, axe: str) -> tuple[int, int]:
    """Every page in every language, size and scheme; returns how many pages and how many violations there were."""
    pages = count = 0
    for language, (size, box), scheme in product(LANGUAGES, SIZES.items(), ("light", "dark")):
        context = browser.new_context(
            viewport={"width": box[0], "height": box[1]}, color_scheme=scheme, locale=language, reduced_motion="reduce"
        )
        found = check_desk(context.new_page(), address, sights, axe)
        context.close()
        pages, count = pages + len(found), count + sum(map(len, found.values()))
        print(f"{language} {size} {scheme}: {len(found)} pages, {sum(map(len, found.values()))} violations", flush=True)
        for name, lines in found.items():
            for line in lines:
                print(f"  {name}: {line}")
    return pages, count


def check_desk(page: Page, address: str, sights: Sights, axe: str) -> dict[str, list[str]]:
    """The violations of each page as this browser shows it."""
    found = {}
    for name, path in OUTSIDE.items():
        page.goto(address + path)
        found[name] = check_page(page, axe)
    sign_in(page, address)
    for name, path in list_pages(sights).items():
        answer = page.goto(address + path)
        failed = ["the page fails"] if answer is None or answer.status >= 500 else []
        spoken = page.locator("html").get_attribute("lang")
        # Readers' pages speak as the mail, the form or the person does.
        is_right = name in sights.readers or spoken == page.evaluate("navigator.language")
        wrong = [] if is_right else [f"the page speaks {spoken}"]
        too_wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        found[name] = [*failed, *wrong, *(["wider than the window"] if too_wide else []), *check_page(page, axe)]
    return found


def main() -> int:
    """Check, print the count, and fail when it is not zero."""
    axe = Path(os.environ["PREGON_AXE"]).read_text(encoding="utf-8")
    with serve_desk() as (address, sights), sync_playwright() as playwright:
        path = os.environ.get("PREGON_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        pages, count = check_all(browser, address, sights, axe)
        browser.close()
    print(f"{pages} pages, {count} violations")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
