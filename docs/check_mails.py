"""Check every newsletter template in every language, on each sample document, as the people who read with tools do.

Run from the checkout: `PYTHONPATH=src python docs/check_mails.py [NAME ...]` (samples by name, else all of them). One
line for each mail. Ends with 1 on an error of html-validate's accessibility preset, on a serious or critical finding of
axe-core (light and dark), or on HTML over 90 KB. Needs npm and Chromium ($PREGON_CHROMIUM); the npm packages go into a
temporary folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from pregon.bootstrap import load_settings, read_templates
from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL, DraftContext, campaign_slug, compose_drafts, substitute
from pregon.drafts.notice import render_notice
from pregon.items import identify_item, load_document, read_item
from pregon.settings import Settings
from pregon.types import Item, MailBody

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "src" / "pregon" / "sandbox" / "sample" / "inbox"
LANGUAGES = ("en", "fr", "es")
MAX_BYTES = 90_000
GRAVE = ("serious", "critical")
PACKAGES = ("html-validate@10", "axe-core@4")
ADDRESSES = {UNSUBSCRIBE_URL: "https://desk.example/u/t", VIEW_URL: "https://desk.example/v/t"}


def main() -> None:
    """Check the mails of the named samples, or of all of them."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed: install Node.js, then run this again.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", name, *PACKAGES]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        mails = {key: html for path in choose_samples() for key, html in render_sample(path)}
        mails |= dict(render_notices())
        if not mails:
            raise SystemExit("No sample has such a name.")
        problems = validate(mails, folder)
        findings = run_axe(mails, (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8"))
    bad = sum(report(key, html, problems.get(key, []), findings[key]) for key, html in mails.items())
    print(f"{len(mails)} mails, {bad} with a problem.")
    sys.exit(1 if bad else 0)


def choose_samples() -> list[Path]:
    """The sample documents that were asked for."""
    wanted = sys.argv[1:]
    return [path for path in sorted(SAMPLES.iterdir()) if not wanted or path.name.split(".")[0] in wanted]


def render_sample(path: Path) -> Iterator[tuple[str, str]]:
    """A name and the HTML of each mail that the document can become: every template, every language."""
    settings = load_settings(ROOT, {})
    document = load_document(path.read_bytes(), name=path.name)
    item = read_item(document, network=settings.network)
    campaign = campaign_slug(item, str(identify_item(item, document)))
    for template in list_templates():
        context = build_context(settings, item, template, campaign)
        # The same mail as a correction of one that went out with another title and place.
        earlier = replace(item, title=f"Not yet: {item.title}", place="Elsewhere")
        for suffix, each in (("", context), ("-correction", replace(context, previous=earlier))):
            for draft in compose_drafts(item, each):
                if isinstance(draft.content.body, MailBody):
                    key = f"{path.name.split('.')[0]}-{template}-{draft.language}{suffix}"
                    yield key, substitute(draft.content.body.html, ADDRESSES)


def render_notices() -> Iterator[tuple[str, str]]:
    """The mails that people ask for themselves: to confirm an address, to see what is kept of them."""
    network, templates = load_settings(ROOT, {}).network, read_templates(ROOT)
    for kind in ("confirm", "access"):
        for language in LANGUAGES:
            body = render_notice(templates, network, kind, language, "https://desk.example/x/t", ["Members"])
            yield f"notice-{kind}-{language}", body.html


def list_templates() -> list[str]:
    """The kinds of mail that templates/email has."""
    names = (path.name.removesuffix(".mjml.j2") for path in (ROOT / "templates/email").glob("*.mjml.j2"))
    return sorted(name for name in names if name not in ("base", "parts", "notice"))


def build_context(settings: Settings, item: Item, template: str, campaign: str) -> DraftContext:
    """What the drafts depend on: the item's own playbook, with this template, in every language."""
    playbook = settings.playbooks[item.kind]
    rule = playbook.email or next(other.email for other in settings.playbooks.values() if other.email)
    changes = {
        "email": rule.model_copy(update={"template": template}),
        "languages": LANGUAGES,
        "x": None,
        "youtube": None,
    }
    return DraftContext(
        network=settings.network,
        playbook=playbook.model_copy(update=changes),
        templates=read_templates(ROOT),
        campaign=campaign,
        account=settings.channels.x.account,
    )


def validate(mails: dict[str, str], folder: Path) -> dict[str, list[str]]:
    """The errors of html-validate's accessibility preset, by mail."""
    pages = folder / "pages"
    pages.mkdir()
    for key, html in mails.items():
        (pages / f"{key}.html").write_text(html, encoding="utf-8")
    (pages / ".htmlvalidate.json").write_text('{"root": true, "extends": ["html-validate:a11y"]}', encoding="utf-8")
    command = [folder / "node_modules/.bin/html-validate", "--formatter", "json", "--ext", "html", "."]
    done = subprocess.run(command, cwd=pages, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or (done.returncode and not done.stdout.strip()):
        raise SystemExit(f"html-validate did not run: {done.stderr.strip() or done.stdout.strip()}")
    problems: dict[str, list[str]] = {}
    for page in json.loads(done.stdout or "[]"):
        messages = [f"{m['ruleId']}: {m['message']} (line {m['line']})" for m in page["messages"] if m["severity"] == 2]
        problems[Path(page["filePath"]).stem] = messages
    return problems


def run_axe(mails: dict[str, str], axe: str) -> dict[str, list[dict[str, Any]]]:
    """axe-core's findings for each mail, in light and in dark."""
    with sync_playwright() as playwright:
        path = os.environ.get("PREGON_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path)
        page = browser.new_page(viewport={"width": 800, "height": 900})
        page.route("**/*", lambda route: route.abort())
        findings = {
            key: [*examine(page, html, axe, "light"), *examine(page, html, axe, "dark")] for key, html in mails.items()
        }
        browser.close()
    return findings


def examine(page: Page, html: str, axe: str, scheme: str) -> Iterator[dict[str, Any]]:
    """One mail in one colour scheme: each finding as axe gives it, with the scheme."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_content(html)
    page.evaluate(axe)
    for finding in page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]:
        yield {**finding, "scheme": scheme}


def report(key: str, html: str, problems: list[str], findings: list[dict[str, Any]]) -> bool:
    """Print the mail's line, and below it what is wrong; returns whether something is."""
    size = len(html.encode())
    grave = [finding for finding in findings if finding["impact"] in GRAVE]
    wrong = [f"html-validate {problem}" for problem in problems]
    wrong += [f"axe, {f['scheme']}: {f['id']} ({f['impact']}): {f['nodes'][0]['html'][:160]}" for f in grave]
    wrong += [f"{size} bytes; {MAX_BYTES} at most"] if size > MAX_BYTES else []
    lesser = sorted({f["id"] for f in findings if f["impact"] not in GRAVE})
    rest = f", lesser: {', '.join(lesser)}" if lesser else ""
    print(f"{'BAD' if wrong else 'ok '} {key}: {size / 1000:.1f} KB, {len(problems)} errors, {len(grave)} grave{rest}")
    for line in wrong:
        print(f"    {line}")
    return bool(wrong)


if __name__ == "__main__":
    main()
