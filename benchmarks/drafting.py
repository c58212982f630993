"""One item to all its drafts in three languages, rendered and checked; and MJML here beside npm's `mjml`.

The whole is the public way (`compose_drafts`); its parts are the same stages called one by one, and the sum of the
parts must give the same contents. Both MJML compilers get the same document, the one that a Jinja2 template became:
what their HTML says and links to must be equal. npm's package is installed into a temporary folder and compiles in
one process that has been warmed up, so no start of Node.js is counted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from lxml import html as lxml_html

from pregon.bootstrap import load_settings, read_templates
from pregon.drafts import DraftContext, campaign_slug, compose_drafts, render_content
from pregon.drafts.checks import check_draft
from pregon.drafts.compose import compose_fields
from pregon.drafts.mail import compile_mjml
from pregon.drafts.trace import trace_draft
from pregon.items import identify_item, load_document, read_item
from pregon.settings import Network
from pregon.types import ChannelName, Item, MailBody, Proposal

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "src/pregon/sandbox/sample/inbox/circular-12-2026.en.md"
EXPECTED_RATIO = 20
NODE = """
const mjml = require('mjml'), compile = mjml.default || mjml;
const text = require('fs').readFileSync(process.argv[2], 'utf8'), rounds = Number(process.argv[3]);
(async () => {
  let html = '';
  for (let round = 0; round < 10; round++) html = (await compile(text, {fonts: {}})).html;
  const seconds = [];
  for (let round = 0; round < rounds; round++) {
    const started = process.hrtime.bigint();
    html = (await compile(text, {fonts: {}})).html;
    seconds.push(Number(process.hrtime.bigint() - started) / 1e9);
  }
  process.stdout.write(JSON.stringify({html, seconds}));
})();
"""


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="400 rounds instead of 60")
    rounds = 400 if parser.parse_args().full else 60
    item, context = prepare()
    print(f"{SAMPLE.name} to its drafts in {', '.join(context.playbook.languages)}, {rounds} times ...")
    whole, proposals = measure(lambda: compose_drafts(item, context), rounds)
    parts = measure_parts(item, context, proposals, rounds)
    mail = next(p.content.body for p in proposals if isinstance(p.content.body, MailBody))
    here, html = measure(lambda: compile_mjml(mail.mjml), rounds)
    figures = {
        "rounds": rounds,
        "drafts": len(proposals),
        "item_to_drafts_ms": to_ms(whole),
        "read_document_ms": to_ms(measure(read_sample, rounds)[0]),
        **{f"{name}_ms": to_ms(seconds) for name, seconds in parts.items()},
        "mjml_bytes": len(mail.mjml.encode()),
        "mjml_ms": to_ms(here),
        **measure_npm(mail.mjml, html, here, rounds),
    }
    print(json.dumps(figures))


def prepare() -> tuple[Item, DraftContext]:
    """The sample and what its drafts depend on, in all three languages of the network."""
    settings = load_settings(ROOT, {})
    item = read_sample()
    document = load_document(SAMPLE.read_bytes(), name=SAMPLE.name)
    playbook = settings.playbooks[item.kind].model_copy(update={"languages": ("en", "fr", "es")})
    context = DraftContext(
        network=settings.network,
        playbook=playbook,
        templates=read_templates(ROOT),
        campaign=campaign_slug(item, str(identify_item(item, document))),
        account=settings.channels.x.account,
    )
    return item, context


def read_sample() -> Item:
    """The sample document as an item."""
    return read_item(load_document(SAMPLE.read_bytes(), name=SAMPLE.name), network=load_network())


@cache
def load_network() -> Network:
    """The network's settings, read once: they are no part of reading a document."""
    return load_settings(ROOT, {}).network


def measure(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Median seconds of `rounds` calls after three to warm up, and what the last call gave."""
    for _ in range(3):
        result = work()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), result


def measure_parts(item: Item, context: DraftContext, proposals: tuple[Proposal, ...], rounds: int) -> dict[str, float]:
    """Median seconds of each stage over all drafts; the stages together must give the same contents."""

    def keys(proposal: Proposal) -> tuple[ChannelName, str | None]:
        return proposal.channel, proposal.language

    def compose() -> list[Any]:
        return [compose_fields(p.channel, item, p.language or item.language or "en", context) for p in proposals]

    def render() -> list[Any]:
        return [render_content(*keys(p), p.fields, context) for p in proposals]

    def trace() -> list[Any]:
        return [trace_draft(p.content, item, context) for p in proposals]

    def check() -> list[Any]:
        return [
            check_draft(p.content, item, context, untraced) for p, (_, untraced) in zip(proposals, traced, strict=True)
        ]

    mails = [p.content.body for p in proposals if isinstance(p.content.body, MailBody)]
    parts: dict[str, float] = {}
    parts["compose"], _ = measure(compose, rounds)
    parts["render"], contents = measure(render, rounds)
    parts["render_mjml_only"], _ = measure(lambda: [compile_mjml(mail.mjml) for mail in mails], rounds)
    parts["trace"], traced = measure(trace, rounds)
    parts["check"], checks = measure(check, rounds)
    if contents != [p.content for p in proposals] or checks != [p.checks for p in proposals]:
        raise SystemExit("The stages one by one gave other drafts than the whole.")
    return parts


def measure_npm(mjml: str, html: str, here: float, rounds: int) -> dict[str, Any]:
    """npm's `mjml` on the same document, or a line that says why not."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        print("npm or node is not installed: the comparison with npm's mjml is skipped.")
        return {"npm": "skipped: npm or node is not installed"}
    print(f"The same MJML document, {rounds} times by npm's mjml ...")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", "mjml"]
        if subprocess.run(install, cwd=folder, check=False, capture_output=True).returncode:
            print("npm could not install mjml: the comparison with it is skipped.")
            return {"npm": "skipped: npm could not install mjml"}
        version = json.loads((folder / "node_modules/mjml/package.json").read_text())["version"]
        (folder / "mail.mjml").write_text(mjml, encoding="utf-8")
        (folder / "compile.cjs").write_text(NODE, encoding="utf-8")
        done = subprocess.run(
            [node, "compile.cjs", "mail.mjml", str(rounds)], cwd=folder, check=True, capture_output=True, text=True
        )
    theirs = json.loads(done.stdout)
    if read_page(theirs["html"]) != read_page(html):
        raise SystemExit("The two compilers gave mails that say different things.")
    there = statistics.median(theirs["seconds"])
    if there / here < EXPECTED_RATIO:
        print(f"Below the {EXPECTED_RATIO} times that are expected: another program may have used this machine.")
    return {"npm_mjml_version": version, "npm_mjml_ms": to_ms(there), "ratio_npm_to_here": round(there / here, 1)}


def read_page(html: str) -> tuple[list[str], list[str]]:
    """What a mail says and where it leads, whatever markup carries it."""
    body = lxml_html.document_fromstring(html).find("body")
    words = [" ".join(text.split()) for text in body.xpath(".//text()[not(parent::style)]")]
    return [text for text in words if text], [link.get("href") for link in body.iter("a")]


def to_ms(seconds: float) -> float:
    """Seconds as milliseconds, rounded for reading."""
    return round(seconds * 1000, 3)


if __name__ == "__main__":
    main()
