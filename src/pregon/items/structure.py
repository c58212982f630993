"""The shape of a document: its blocks, its header before the salutation, its sections, its signature.

Works on plain text with or without Markdown marks. Every block keeps the span of its raw text; only `clean_inline`
makes text for people out of it. Decides no facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pregon.items.texts import clean_inline, fold
from pregon.types import Block, Section, Span

_LIST = re.compile(r"(?:[-*•‣▪–—]|\d{1,2}[.)]|[a-z]\))[ \t\u00a0]+\S")
_MARK = re.compile(r"(?:[-*•‣▪–—]|\d{1,2}[.)]|[a-z]\))[ \t\u00a0]+")
_HASHES = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*$")
_NUMBERED = re.compile(r"\d{1,2}(?:\.\d{1,2})?[.)][ \t\u00a0]+\S")
# "Label: value", with a short label: a fact, never a heading.
_LABELLED = re.compile(r"[^\W\d_][\w '’-]{1,30}?\s?:\s?\S")
_RULE = re.compile(r"(?:[-*_=][ \t]*){3,}$")
_BOLD_LINE = re.compile(r"\*\*[^*\n]{2,160}\*\*:?$")
SALUTATION = re.compile(
    r"(?:chers?|cheres?|dear|estimad[oa]s?|querid[oa]s?|mesdames|madame|monsieur|a todos|a todas|to all)\b[^.!?]{0,90}[,:;]?$"
)
CLOSING = re.compile(
    r"(?:(?:tres |bien )?cordialement|(?:bien |sinceres |avec nos |meilleures )?salutations|bien a vous|"
    r"(?:nous vous prions|veuillez) .{0,120}|(?:yours )?(?:sincerely|faithfully)|yours (?:sincerely|faithfully|truly)|"
    r"(?:with )?(?:kind|best|warm|warmest) (?:regards|wishes)|regards|atentamente|(?:muy )?cordialmente|"
    r"(?:reciban? )?(?:un|nuestro) (?:muy )?(?:cordial|afectuoso|atento) saludo|saludos(?: cordiales)?|"
    r"(?:un )?cordial saludo|reciban? .{0,80}saludos?.{0,40}|fraternellement)\s?[,.!]?$"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its surrounding blanks."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive lines that belong together. `type` is heading, paragraph, list or quote; `level` 1 to 6 for headings."""

    type: str
    lines: tuple[Line, ...]
    level: int = 0

    @property
    def span(self) -> Span:
        """From the first character to the last, marks included."""
        return (self.lines[0].span[0], self.lines[-1].span[1])

    @property
    def text(self) -> str:
        """As a reader sees it: no marks, wrapped lines joined, list entries one a line."""
        if self.type == "list":
            return "\n".join(_entries(self.lines))
        cleaned = clean_inline("\n".join(_without_mark(self.type, line.text) for line in self.lines))
        return _unwrap(cleaned)


@dataclass(frozen=True, slots=True)
class Layout:
    """A document taken apart. `header` stands before the salutation, `signature` after the closing words."""

    header: tuple[Passage, ...] = ()
    salutation: Line | None = None
    body: tuple[Passage, ...] = ()
    closing: Line | None = None
    signature: tuple[Line, ...] = ()
    sections: tuple[Section, ...] = field(default=())


def read_layout(text: str) -> Layout:
    """Take `text` apart."""
    passages = _merge_lists(list(_passages(text)))
    at = _find_line(passages[:60], SALUTATION)
    header = tuple(passages[:at]) if at is not None else ()
    rest = passages[at + 1 :] if at is not None else passages
    salutation = passages[at].lines[0] if at is not None else None
    if at is not None and len(passages[at].lines) > 1:
        rest.insert(0, Passage("paragraph", passages[at].lines[1:]))
    rest, closing, signature = _split_closing(rest)
    body = tuple(_mark_headings(rest))
    return Layout(header, salutation, body, closing, signature, build_sections(body))


def build_sections(passages: tuple[Passage, ...]) -> tuple[Section, ...]:
    """Group passages under their headings; a section without heading holds what comes before the first."""
    sections: list[tuple[str | None, list[Block]]] = [(None, [])]
    for passage in passages:
        if passage.type == "heading":
            sections.append((passage.text, []))
        elif passage.text:
            sections[-1][1].append(Block(passage.type, passage.text, passage.span))
    return tuple(Section(heading, tuple(blocks)) for heading, blocks in sections if heading or blocks)


def is_capitals(text: str) -> bool:
    """Whether a line is set in capitals (a heading, when it stands alone)."""
    letters = [char for char in text if char.isalpha()]
    return len(letters) >= 4 and len(text) <= 160 and sum(map(str.isupper, letters)) >= 0.9 * len(letters)


def _lines(text: str) -> Iterator[Line]:
    position = 0
    for raw in text.split("\n"):
        stripped = raw.strip()
        start = position + (len(raw) - len(raw.lstrip()) if stripped else 0)
        yield Line(stripped, (start, start + len(stripped)))
        position += len(raw) + 1


def _passages(text: str) -> Iterator[Passage]:
    group: list[Line] = []
    for line in _lines(text):
        if not line.text or _RULE.match(line.text):
            if line.text and group and set(line.text) <= {"=", "-"} and len(group) == 1:
                yield Passage("heading", tuple(group), 1 if "=" in line.text else 2)  # Markdown's underlined heading
            else:
                yield from _split_group(group)
            group = []
        elif _HASHES.match(line.text):
            yield from _split_group(group)
            yield Passage("heading", (line,), len(_HASHES.match(line.text)[1]))  # type: ignore[index]
            group = []
        else:
            group.append(line)
    yield from _split_group(group)


def _split_group(group: list[Line]) -> Iterator[Passage]:
    part: list[Line] = []
    kind = "paragraph"
    for line in group:
        now = _line_type(line.text, kind)
        greeted = bool(part) and _is_salutation(part[-1].text)
        if part and (now != kind or greeted or _is_salutation(line.text)):
            yield Passage(kind, tuple(part))
            part = []
        kind = now
        part.append(line)
    if part:
        yield Passage(kind, tuple(part))


def _is_salutation(text: str) -> bool:
    return len(text) <= 110 and text[-1] in ",:" and bool(SALUTATION.match(fold(clean_inline(text))))


def _line_type(text: str, before: str) -> str:
    if text.startswith(">"):
        return "quote"
    if _LIST.match(text):
        return "list"
    return before if before == "list" else "paragraph"


def _merge_lists(passages: list[Passage]) -> list[Passage]:
    merged: list[Passage] = []
    run: list[Line] = []
    for passage in passages:
        if run and not (passage.type == "list" and _numbered(passage) == _is_numbered(run[0])):
            merged.append(Passage("list", tuple(run)))
            run = []
        if passage.type == "list":
            run.extend(passage.lines)
        else:
            merged.append(passage)
    return [*merged, Passage("list", tuple(run))] if run else merged


def _is_numbered(line: Line) -> bool:
    return bool(_NUMBERED.match(line.text))


def _numbered(passage: Passage) -> bool:
    return _is_numbered(passage.lines[0])


def _find_line(passages: list[Passage], pattern: re.Pattern[str]) -> int | None:
    for index, passage in enumerate(passages):
        if passage.type == "paragraph" and pattern.match(fold(clean_inline(passage.lines[0].text))[:200]):
            return index
    return None


def _split_closing(passages: list[Passage]) -> tuple[list[Passage], Line | None, tuple[Line, ...]]:
    for index in range(len(passages) - 1, max(-1, len(passages) - 40), -1):
        for position, line in enumerate(passages[index].lines):
            if CLOSING.match(fold(clean_inline(line.text))[:200]):
                rest = passages[index].lines[position + 1 :]
                after = rest + tuple(line for passage in passages[index + 1 :] for line in passage.lines)
                kept = passages[:index]
                if position:
                    kept.append(Passage(passages[index].type, passages[index].lines[:position]))
                return kept, line, after
    return passages, None, ()


def _mark_headings(passages: list[Passage]) -> Iterator[Passage]:
    for index, passage in enumerate(passages):
        following = passages[index + 1] if index + 1 < len(passages) else None
        if passage.type in {"paragraph", "list"} and _is_heading(passage, following):
            yield Passage("heading", passage.lines, 3 if _numbered(passage) else 2)
        else:
            yield passage


def _is_heading(passage: Passage, following: Passage | None) -> bool:
    if len(passage.lines) != 1 or following is None:
        return False
    raw = passage.lines[0].text
    shown = clean_inline(raw)
    if passage.type == "list":
        return bool(_NUMBERED.match(raw)) and len(shown) <= 100 and shown[-1:] not in ".;," and following.type != "list"
    if is_capitals(shown) or (_BOLD_LINE.match(raw) and shown[-1:] != "."):
        return True
    if _LABELLED.match(shown):
        return False
    plain = 3 <= len(shown) <= 100 and shown[-1] not in ".,;:!?…)" and (shown[0].isupper() or shown[0] in '¿¡«"“')
    long_after = following.type == "paragraph" and len(following.text) >= 150
    return plain and long_after and "@" not in shown and "://" not in shown


def _without_mark(kind: str, line: str) -> str:
    if kind == "quote":
        return line.lstrip("> \t")
    if kind == "heading":
        hashes = _HASHES.match(line)
        return hashes[2] if hashes else line
    return line


def _entries(lines: tuple[Line, ...]) -> Iterator[str]:
    entry = ""
    for line in lines:
        mark = _MARK.match(line.text)
        if mark and entry:
            yield clean_inline(entry)
            entry = ""
        entry = f"{entry} {line.text[mark.end() if mark else 0 :]}".strip()
    if entry:
        yield clean_inline(entry)


def _unwrap(text: str) -> str:
    joined: list[str] = []
    for line in text.split("\n"):
        if joined and (len(joined[-1].rpartition("\n")[2]) >= 60 or line[:1].islower()):
            joined.append(" " + line)
        else:
            joined.append(("\n" if joined else "") + line)
    return "".join(joined)
