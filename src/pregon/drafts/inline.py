"""The one piece of markup in a paragraph: `[text](address)`. Reads it, writes it, and shows text without it.

Addresses that stand bare in the text become links too. Only http, https and mailto are ever links.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pregon.drafts.utm import untag_link

_MARKED = (
    r"\[(?P<label>[^\[\]\n]{1,300})\]\((?P<target>(?:https?://|mailto:)[^\s()<>\"]+(?:\([^\s()<>\"]*\)[^\s()<>\"]*)*)\)"
)
_BARE = r"(?P<bare>https?://[^\s<>\"«»“”]+)"
_MAIL = r"(?P<mail>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)"
_LINK = re.compile(f"{_MARKED}|{_BARE}|{_MAIL}")
_TRAILING = ".,;:!?)]}'’"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text; `url` is None where it is only text."""

    text: str
    url: str | None = None

    @property
    def label(self) -> str:
        """The text for markup: an address shown as itself goes without its scheme."""
        return re.sub(r"^https?://", "", self.text).rstrip("/") if self.url else self.text


def parse_runs(text: str) -> tuple[Run, ...]:
    """The stretches of a paragraph in order."""
    runs: list[Run] = []
    position = 0
    for match in _LINK.finditer(text):
        if match.start() < position:
            continue
        shown, url, end = _read_link(match)
        if match.start() > position:
            runs.append(Run(text[position : match.start()]))
        runs.append(Run(shown, url))
        position = end
    return (*runs, Run(text[position:])) if position < len(text) or not runs else tuple(runs)


def strip_links(text: str) -> str:
    """The paragraph as a reader sees it."""
    return "".join(run.text for run in parse_runs(text))


def mark_link(text: str, label: str, url: str) -> str:
    """`text` with the first unmarked `label` made a link to `url`; unchanged when it is not there."""
    position = 0
    for match in [*re.finditer(_MARKED, text), None]:
        end = match.start() if match else len(text)
        found = text.find(label, position, end)
        if found >= 0:
            return f"{text[:found]}[{label}]({url}){text[found + len(label) :]}"
        position = match.end() if match else end
    return text


def spell_link(label: str, url: str) -> str:
    """A link in a plain-text mail: the text, then the address unless they say the same."""
    target = url.removeprefix("mailto:").partition("?")[0] if url.startswith("mailto:") else url
    return target if untag_link(target) == label else f"{label} <{target}>"


def _read_link(match: re.Match[str]) -> tuple[str, str, int]:
    if match["target"]:
        return match["label"], match["target"], match.end()
    if match["mail"]:
        return match["mail"], f"mailto:{match['mail']}", match.end()
    shown = match["bare"]
    while shown and shown[-1] in _TRAILING and not (shown[-1] == ")" and shown.count("(") >= shown.count(")")):
        shown = shown[:-1]
    return shown, shown, match.start() + len(shown)
