"""Lay an item's sections out as a newsletter's paragraphs: the source's order, nothing said twice.

What stands elsewhere in the mail (the call beside its button, the "Label: value" lines at a glance) is left out here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pregon.drafts.context import DraftContext
from pregon.drafts.inline import mark_link
from pregon.drafts.links import LinkIndex, modernise, publish_url
from pregon.drafts.sentences import split_sentences
from pregon.drafts.words import set_type
from pregon.types import Block, Item, Link, MailSection, Span

_LABELLED = re.compile(r"(?P<label>[^\W\d][^\n:.]{1,28}?)[ \u00a0]?:\s+(?P<value>\S[^\n]{0,118})")


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """A `Label: value` line of the source, as it labels it."""

    label: str
    value: str
    span: Span


def find_labelled_lines(item: Item) -> tuple[LabelledLine, ...]:
    """The `Label: value` paragraphs of an item: what practices and meetings state of themselves.

    A circular has sentences that look alike ("The towns decide: ..."), so only short lines of other kinds count.
    """
    if not _is_structured(item):
        return ()
    blocks = [block for section in item.sections for block in section.blocks if block.type == "paragraph"]
    return tuple(line for block in blocks for line in _read_labelled(block))


def _read_labelled(block: Block) -> list[LabelledLine]:
    """The block's lines when every one of them is a short `Label: value`, else none."""
    matches = [_LABELLED.fullmatch(" ".join(line.split())) for line in block.text.splitlines()]
    lines = [LabelledLine(match["label"], match["value"], block.span) for match in matches if match]
    is_whole = len(lines) == len(matches) and not any(split_sentences(line.value)[1:] for line in lines)
    return lines if is_whole else []


def lay_out(item: Item, context: DraftContext, language: str) -> tuple[str, tuple[MailSection, ...]]:
    """The lead (the first paragraph before any heading) and the sections."""
    taken = {_fold(sentence) for call in item.calls[:1] for sentence in split_sentences(call.text)}
    labelled = {line.span for line in find_labelled_lines(item)}
    index = LinkIndex(item.links)
    lead = ""
    sections: list[MailSection] = []
    for section in item.sections:
        kept = [block for block in section.blocks if block.span not in labelled]
        paragraphs = [line for block in kept for line in _write_block(block, taken, index, context, language)]
        if (
            not sections
            and not lead
            and section.heading is None
            and paragraphs
            and paragraphs[0][:2] not in {"- ", "> "}
        ):
            lead = paragraphs.pop(0)
        if paragraphs or (section.heading and not section.blocks):
            sections.append(MailSection(tidy(section.heading or "", language), tuple(paragraphs)))
    return lead, _drop_bare_ends(sections)


def prepare_text(text: str, links: Iterable[Link], context: DraftContext, language: str) -> str:
    """A piece of the source with its links put back where their words stand."""
    text = modernise(" ".join(text.split()))
    for link in links:
        label, url = " ".join(link.text.split()), publish_url(link, context)
        if url and label and not label.startswith(("http", "www.")) and "@" not in label:
            text = mark_link(text, label, url)
    return tidy(text, language)


def tidy(text: str, language: str) -> str:
    """A piece of the source with the spaces of its language, and no other change."""
    return set_type(text.strip(), language, adding=False)


def _is_structured(item: Item) -> bool:
    return item.practice is not None or item.study is not None or bool(item.events)


def _write_block(block: Block, taken: set[str], index: LinkIndex, context: DraftContext, language: str) -> list[str]:
    mark = {"list": "- ", "quote": "> "}.get(block.type, "")
    lines = block.text.splitlines() if block.type == "list" else [block.text]
    links = index.list_within(block.span)
    kept = [_without(line.removeprefix("- "), taken) for line in lines]
    return [mark + prepare_text(line, links, context, language) for line in kept if line]


def _without(text: str, taken: set[str]) -> str:
    """The sentences that do not stand elsewhere already."""
    return " ".join(sentence for sentence in split_sentences(text) if _fold(sentence) not in taken)


def _fold(sentence: str) -> str:
    return " ".join(sentence.split()).casefold()


def _drop_bare_ends(sections: list[MailSection]) -> tuple[MailSection, ...]:
    """Headings at the end with nothing below them say nothing."""
    while sections and not sections[-1].paragraphs:
        sections.pop()
    return tuple(sections)
