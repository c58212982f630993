"""The source text with its facts marked, drafts with links to them, and word differences. Pure; returns safe markup.

A fact of a draft points to `#at-ITEM-START`, the offset in that item's text: that works without any script.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from markupsafe import Markup, escape

from pregon.types import Question, Span, Trace

_SENTENCE_END = re.compile(r"(?<=[.!?…:»”])[ \t]+(?=\S)|\n+")
# Signs of Markdown: they stay, since facts are counted in characters, but step back behind the words.
_SIGN = re.compile(r"^#{1,6}(?= )|\*\*", re.MULTILINE)
_HEADING = re.compile(r"#{1,6} \S")
_TOKEN = re.compile(r"\s+|[\w’'-]+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class _Mark:
    span: Span
    css: str


def mark_source(text: str, traces: Iterable[Trace], questions: Iterable[Question], item_id: int) -> Markup:
    """An item's text with every traced fact and every open question marked, sentence by sentence."""
    facts = {_Mark(trace.span, "fact") for trace in traces if trace.span}
    asked = {_Mark(question.span, "asked") for question in questions}
    marks = sorted(facts | asked, key=lambda mark: mark.span)
    pieces = (_mark_sentence(text, start, end, marks, item_id) for start, end in split_sentences(text))
    return Markup("").join(pieces)


def split_sentences(text: str) -> Iterator[Span]:
    """Spans of the sentences and of what stands between them; together they are the whole text."""
    position = 0
    for match in _SENTENCE_END.finditer(text):
        if match.start() > position:
            yield position, match.start()
        yield match.span()
        position = match.end()
    if position < len(text):
        yield position, len(text)


def _mark_sentence(text: str, start: int, end: int, marks: list[_Mark], item_id: int) -> Markup:
    here = [mark for mark in marks if mark.span[0] < end and mark.span[1] > start]
    css = "heading" if _HEADING.match(text, start, end) else ""
    if not here:
        return Markup('<span class="{}">{}</span>').format(css, _dim(text[start:end])) if css else _dim(text[start:end])
    cuts = {start, end, *(offset for mark in here for offset in mark.span if start < offset < end)}
    edges = sorted(cuts)
    pieces = (_mark_piece(text, a, b, here, item_id) for a, b in pairwise(edges))
    return Markup('<span class="{}">{}</span>').format(f"sentence {css}".strip(), Markup("").join(pieces))


def _dim(text: str) -> Markup:
    """The text with the signs of its markup in the background."""
    position, pieces = 0, list[Markup]()
    for match in _SIGN.finditer(text):
        pieces += [escape(text[position : match.start()]), Markup('<span class="sign">{}</span>').format(match.group())]
        position = match.end()
    return Markup("").join([*pieces, escape(text[position:])])


def _mark_piece(text: str, start: int, end: int, marks: list[_Mark], item_id: int) -> Markup:
    covering = [mark for mark in marks if mark.span[0] <= start and mark.span[1] >= end]
    if not covering:
        return _dim(text[start:end])
    css = " ".join(sorted({mark.css for mark in covering}))
    begins = any(mark.span[0] == start for mark in covering)
    name = Markup(' id="at-{}-{}" tabindex="-1"').format(item_id, start) if begins else Markup("")
    return Markup('<mark class="{}"{}>{}</mark>').format(css, name, text[start:end])


def link_facts(text: str, traces: Iterable[Trace], item_id: int) -> Markup:
    """A draft's text with each traced fact linked to its place in the source."""
    places = {trace.text: trace.span[0] for trace in traces if trace.span and trace.text.strip()}
    if not places:
        return escape(text)
    longest_first = sorted(places, key=len, reverse=True)
    facts = "|".join(map(re.escape, longest_first))
    # An address is one fact or none: a number inside it, e.g. in its campaign tag, says nothing.
    pattern = re.compile(rf"(?P<address>https?://\S+)|(?<!\w)(?:{facts})(?!\w)")
    pieces, position = [], 0
    for match in pattern.finditer(text):
        fact = match.group()
        start = _place_of_address(fact, longest_first, places) if match["address"] else places[fact]
        pieces.append(escape(text[position : match.start()]))
        link = Markup('<a class="fact" href="#at-{}-{}">{}</a>')
        pieces.append(escape(fact) if start is None else link.format(item_id, start, fact))
        position = match.end()
    return Markup("").join([*pieces, escape(text[position:])])


def mark_passages(text: str, traces: Iterable[Trace], item_id: int, passages: Sequence[tuple[str, str]]) -> Markup:
    """A draft's text with its facts linked and each commented passage marked; `passages` are (name, pattern)."""
    facts = tuple(traces)
    for name, pattern in passages:
        if match := re.search(pattern, text):
            before, after = text[: match.start()], text[match.end() :]
            inside = link_facts(match.group(), facts, item_id)
            marked = Markup('<mark class="passage" id="{}" tabindex="-1">{}</mark>').format(name, inside)
            # Further passages are looked for on both sides: two marks never overlap.
            rest = [each for each in passages if each[0] != name]
            return mark_passages(before, facts, item_id, rest) + marked + mark_passages(after, facts, item_id, rest)
    return link_facts(text, facts, item_id)


def _place_of_address(address: str, longest_first: list[str], places: dict[str, int]) -> int | None:
    """Where an address, which may carry a campaign's tags, stands in the source."""
    return next((places[fact] for fact in longest_first if "://" in fact and address.startswith(fact)), None)


def diff_words(before: str, after: str) -> Markup:
    """The words of both texts in reading order: what went is `del`, what came is `ins`."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    pieces = []
    for operation, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            pieces.append(escape("".join(old[a:b])))
            continue
        pieces += [Markup("<del>{}</del>").format("".join(old[a:b]))] if b > a else []
        pieces += [Markup("<ins>{}</ins>").format("".join(new[c:d]))] if d > c else []
    return Markup("").join(pieces)
