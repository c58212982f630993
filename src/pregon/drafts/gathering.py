"""Several items as one newsletter: the digest of a period. One section for each item, calls that end soonest first.

The items are joined into one for tracing, so that a digest's facts are held to the same rule as any draft's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pregon.drafts.context import DraftContext
from pregon.drafts.facts import list_deadlines, list_facts
from pregon.drafts.layout import tidy
from pregon.drafts.links import find_main_link, host_of, modernise
from pregon.drafts.naming import write_subject, write_title
from pregon.drafts.sentences import take_sentences
from pregon.drafts.summary import summarise
from pregon.drafts.words import Words, read_words
from pregon.types import Item, Kind, Link, MailFields, MailSection, Span

TEASER_ROOM = 240
_BREAK = "\n\n"


def compose_digest(
    items: Sequence[Item], language: str, context: DraftContext, *, minimum: int = 3
) -> MailFields | None:
    """The digest's fields in one language; None when fewer than `minimum` items have text in it."""
    own = sorted((item for item in items if item.language == language), key=_urgency)
    if len(own) < minimum:
        return None
    words = read_words(context.templates, language)
    name = context.network.name[language]
    return MailFields(
        subject=words.text("digest.subject", name=name, topic=write_title(own[0], words)),
        preheader=" · ".join(write_title(item, words) for item in own[1:3]),
        title=words.text("digest.title", name=name),
        lead="",
        sections=tuple(_write_section(item, words, context) for item in own),
    )


def join_items(items: Sequence[Item]) -> Item:
    """One item that states what all of them state: their texts one after the other, their facts at the new places."""
    joined = Item(Kind.NEWS, items[0].language if items else None, None, "")
    for item in items:
        joined = _append(joined, item)
    return joined


def _urgency(item: Item) -> tuple[date, bool]:
    deadlines = list_deadlines(item)
    return (min(deadlines) if deadlines else date.max, not item.calls)


def _write_section(item: Item, words: Words, context: DraftContext) -> MailSection:
    url = find_main_link(item, context, words.language)
    teaser = modernise(take_sentences(" ".join(summarise(item, 2)), TEASER_ROOM))
    facts = [f"- {words.text('pair', label=label, value=value)}" for label, value in _choose_facts(item, words)]
    link = f"[{words.text('buttons.read', host=host_of(url))}]({url})"
    paragraphs = [tidy(teaser, words.language), *facts, link]
    return MailSection(write_subject(item, words), tuple(text for text in paragraphs if text))


def _choose_facts(item: Item, words: Words) -> tuple[tuple[str, str], ...]:
    return list_facts(item, words)[:3] if item.events or item.calls else ()


def _append(joined: Item, item: Item) -> Item:
    offset = len(joined.text) + len(_BREAK)

    def move(span: Span) -> Span:
        return span[0] + offset, span[1] + offset

    return replace(
        joined,
        text=f"{joined.text}{_BREAK}{item.text}",
        calls=(*joined.calls, *(replace(call, span=move(call.span)) for call in item.calls)),
        events=(*joined.events, *(replace(event, span=move(event.span)) for event in item.events)),
        deadlines=(*joined.deadlines, *(replace(deadline, span=move(deadline.span)) for deadline in item.deadlines)),
        links=(*joined.links, *(replace(link, span=move(link.span)) for link in _list_links(item))),
        videos=(*joined.videos, *(replace(video, span=move(video.span)) for video in item.videos)),
        contacts=tuple(dict.fromkeys((*joined.contacts, *item.contacts))),
        handles=tuple(dict.fromkeys((*joined.handles, *item.handles))),
    )


def _list_links(item: Item) -> tuple[Link, ...]:
    """The item's links, and its own page as one that stands where its title does."""
    page = item.canonical_url
    title = item.spans.get("title", (0, 0))
    return (*item.links, Link(item.title or "", page, None, title)) if page else item.links
