"""Run axe-core over every page of the desk, light and dark, desktop and phone, and print each violation.

Run from the project's root: `PREGON_AXE=/path/to/axe.min.js python docs/check_accessibility.py`. The file comes with
the npm package axe-core, which is not part of this project. Exit status 1 when anything is found.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from make_screenshots import ARGUMENTS, SIZES, Sights, list_pages, serve_desk, sign_in
from playwright.sync_api import Browser, Page, sync_playwright

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def check_page(page: Page, axe: str) -> list[str]:
    """One line for each violation of this page."""
    page.evaluate(axe)
    # The mail in its frame is held to the rules of mail by the drafts' own tests.
    run = "tags => axe.run({exclude: [['iframe']]}, {runOnly: tags, resultTypes: ['violations'], iframes: false})"
    found = page.evaluate(run, RULES)["violations"]
    return [
        f"{each['id']}: {node['html'][:160]} | {node['failureSummary']}" for each in found for node in each["nodes"]
    ]


def check_all(browser: Browser, address: str, sights: Sights, axe: str) -> int:
    """Every page in every size and scheme; returns how many violations there were."""
    count = 0
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            page.goto(f"{address}/sign-in")
            lines = [("sign-in", line) for line in check_page(page, axe)]
            page.goto(f"{address}/unsubscribe/wrong")
            lines += [("unsubscribe", line) for line in check_page(page, axe)]
            sign_in(page, address)
            for name, path in list_pages(sights).items():
                answer = page.goto(address + path)
                if answer is None or answer.status >= 500:
                    lines.append((name, "the page fails"))
                lines += [(name, line) for line in check_page(page, axe)]
            count += len(lines)
            for name, line in lines:
                print(f"{name} {size} {scheme}: {line}")
            context.close()
    return count


def main() -> int:
    """Check, print the count, and fail when it is not zero."""
    axe = Path(os.environ["PREGON_AXE"]).read_text(encoding="utf-8")
    with serve_desk() as (address, sights), sync_playwright() as playwright:
        path = os.environ.get("PREGON_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        count = check_all(browser, address, sights, axe)
        browser.close()
    print(f"{count} violations")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
