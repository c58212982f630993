"""A draft that corrects one that went out: what has changed first, each with what it was before, then the message anew.

What changed is found by writing the facts and paragraphs of both versions and comparing them; nothing is worded freely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pregon.drafts.context import DraftContext
from pregon.drafts.facts import list_facts
from pregon.drafts.inline import strip_links
from pregon.drafts.layout import lay_out
from pregon.drafts.naming import write_dateline, write_title
from pregon.drafts.words import Words
from pregon.types import Item, MailFields, MailSection

Change = tuple[str, str, str]
_LONGEST_PASSAGE = 240
_MOST_PASSAGES = 3


def correct_mail(fields: MailFields, item: Item, words: Words, context: DraftContext) -> MailFields:
    """The fields of a newsletter as a correction of the one that went out with the item's earlier version."""
    lines = [f"- {line}" for line in list_changes(item, words, context)]
    rest = MailSection(words.text("correction.rest"), tuple(filter(None, (fields.lead,))))
    return replace(
        fields,
        subject=words.text("correction.subject", subject=fields.subject),
        eyebrow=" · ".join(filter(None, (words.text("correction.eyebrow"), fields.eyebrow))),
        preheader=strip_links(lines[0][2:]) if lines else fields.preheader,
        lead=words.text("correction.lead"),
        sections=(MailSection(words.text("correction.changes"), tuple(lines)), rest, *fields.sections),
    )


def list_changes(item: Item, words: Words, context: DraftContext) -> tuple[str, ...]:
    """What has changed since the earlier version, one line each, in the words' language."""
    previous = context.previous
    if previous is None:
        return ()
    lines = [_write(change, words) for change in compare_facts(previous, item, words)]
    if not item.language or words.language == item.language:
        lines += _new_passages(previous, item, words.language, context)
    return tuple(lines)


def compare_facts(before: Item, after: Item, words: Words) -> tuple[Change, ...]:
    """(label, before, after) of every fact that differs; "" where a version does not state it."""
    old, new = _group(before, words), _group(after, words)
    changes = ((label, " · ".join(old.get(label, ())), " · ".join(new.get(label, ()))) for label in {**old, **new})
    return tuple(change for change in changes if change[1] != change[2])


def _group(item: Item, words: Words) -> dict[str, tuple[str, ...]]:
    own = not item.language or words.language == item.language
    pairs = [(words.text("facts.date"), write_dateline(item, words)), *list_facts(item, words)]
    if own:
        pairs.insert(0, (words.text("facts.subject"), write_title(item, words)))
    grouped: dict[str, tuple[str, ...]] = {}
    for label, value in pairs:
        if value:
            grouped[label] = (*grouped.get(label, ()), value)
    return grouped


def _write(change: Change, words: Words) -> str:
    label, before, after = change
    key = "changed" if before and after else "new" if after else "gone"
    return words.text(f"correction.{key}", label=label, before=before, after=after)


def _new_passages(before: Item, after: Item, language: str, context: DraftContext) -> list[str]:
    old, new = (set(_passages(before, language, context)), dict.fromkeys(_passages(after, language, context)))
    fresh = [text for text in new if text not in old and len(text) <= _LONGEST_PASSAGE]
    return fresh[:_MOST_PASSAGES]


def _passages(item: Item, language: str, context: DraftContext) -> Iterator[str]:
    lead, sections = lay_out(item, context, language)
    yield from (text.lstrip("->• ").strip() for text in (lead, *(p for s in sections for p in s.paragraphs)) if text)
