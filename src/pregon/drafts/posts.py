"""An item as a post or thread, each part within what its channel takes. Sentences stay the source's own.

The link stands in the first part only: it is the part that people see and share, a post with a link costs
thirteen times one without, and if a later part is lost the link is out already. A thread is made only of a call,
whose sentences belong together; everything else is one idea in one post.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pregon.drafts.context import DraftContext
from pregon.drafts.corrections import compare_facts
from pregon.drafts.facts import list_facts
from pregon.drafts.handles import write_handles
from pregon.drafts.hashtags import choose_hashtags
from pregon.drafts.inline import strip_links
from pregon.drafts.layout import tidy
from pregon.drafts.links import find_main_link, modernise
from pregon.drafts.missing import mark_missing
from pregon.drafts.naming import write_subject
from pregon.drafts.post_rules import X_RULES, PostRules, rules_of
from pregon.drafts.sentences import split_sentences
from pregon.drafts.shapes import fill_template
from pregon.drafts.summary import rank_sentences
from pregon.drafts.weight import find_urls
from pregon.drafts.words import Words, read_words
from pregon.types import ChannelName, Item, PostFields

# X, pricing since April 2026: a post, a post that holds a link, and the alt text of a picture (US dollars).
POST_PRICE = 0.015
ALT_TEXT_PRICE = 0.005
LINK_PRICE = 0.20
SENTENCES_MARK = "..."
_NUMBERING_ROOM = 6


def compose_post(item: Item, language: str, context: DraftContext, channel: ChannelName = ChannelName.X) -> PostFields:
    """The parts of the post in one language; more than one only for a call, up to the playbook's `max_parts`."""
    context, rules = speak_for(context, channel), rules_of(channel)
    words = read_words(context.templates, language)
    rule = getattr(context.playbook, channel.value)
    link = find_main_link(item, context, language)
    is_source = not item.language or language == item.language
    if context.previous:
        return _compose_correction(item, context.previous, words, context, rules)
    sentences = _choose_sentences(item, context, rules) if is_source else [mark_missing(words, item.language or "")]
    values: dict[str, object] = {
        "head": _write_head(item, words, context),
        "link": link,
        "hashtags": choose_hashtags(item, language, context),
        "facts": _choose_facts(item, words, " ".join(sentences)),
        "words": words,
    }
    frame = fill_template(context.templates, f"social/{rule.template if rule else 'circular'}.txt.j2", values)
    max_parts = rule.max_parts if rule and item.calls else 1
    tidied = [tidy(text, language) for text in sentences]
    return PostFields(split_thread(tidied, frame=frame, max_parts=max_parts, rules=rules))


def speak_for(context: DraftContext, channel: ChannelName) -> DraftContext:
    """The context for a channel: handles are those of X, so elsewhere partners are named by their names."""
    if channel is ChannelName.X:
        return context
    partners = tuple(partner.model_copy(update={"handles": {}}) for partner in context.network.partners)
    return replace(context, network=context.network.model_copy(update={"partners": partners}))


def _write_head(item: Item, words: Words, context: DraftContext) -> str:
    """What the post is about: the source's title where the source has this language, else the kind of item."""
    if item.language and words.language != item.language:
        return words.text(f"kinds.{item.kind.value}")
    return write_handles(write_subject(item, words, "post_head"), context)


def _compose_correction(
    item: Item, previous: Item, words: Words, context: DraftContext, rules: PostRules
) -> PostFields:
    """One post: what it is about, and each fact that has changed as it now is."""
    head = _write_head(item, words, context)
    facts = [
        words.text("pair", label=label, value=now) for label, _, now in compare_facts(previous, item, words) if now
    ]
    lines = "\n".join(fact for fact in facts if rules.measure(fact) < rules.limit // 3)
    tags, link = choose_hashtags(item, words.language, context), find_main_link(item, context, words.language)
    frame = "\n".join([words.text("correction.subject", subject=head), "", SENTENCES_MARK, "", link, tags])
    return PostFields(split_thread([lines] if lines else [], frame=frame, max_parts=1, rules=rules))


def split_thread(
    sentences: Sequence[str], *, frame: str, max_parts: int, rules: PostRules = X_RULES
) -> tuple[str, ...]:
    """The frame with as many whole sentences as fit, then further parts with the rest.

    `frame` is the first part, with one line `...` where the sentences go. A sentence that fits into no part of its
    own is left out, never cut. Parts are numbered only when there is more than one.
    """
    before, _, after = (_squeeze(piece) for piece in frame.partition(f"\n{SENTENCES_MARK}\n"))
    fitting = [sentence for sentence in sentences if rules.measure(sentence) <= rules.limit - _NUMBERING_ROOM]
    whole = _join(before, " ".join(fitting), after)
    if rules.measure(whole) <= rules.limit:
        return (whole,)
    room = _NUMBERING_ROOM if max_parts > 1 else 0
    used = rules.measure(_join(before, after)) + 2 + room
    if max_parts == 1:
        fitting = [sentence for sentence in fitting if used + rules.measure(sentence) <= rules.limit]
    first, rest = _fill(fitting, used, rules)
    parts = [_join(before, " ".join(first), after)]
    while rest and len(parts) < max_parts:
        taken, rest = _fill(rest, _NUMBERING_ROOM, rules)
        parts.append(" ".join(taken))
    return _number(parts)


def price_thread(parts: Sequence[str], pictures: int = 0) -> float:
    """What the parts, and the descriptions of their pictures, cost in US dollars at X's published prices."""
    posts = sum(LINK_PRICE if find_urls(part) else POST_PRICE for part in parts)
    return round(posts + pictures * ALT_TEXT_PRICE, 3)


def _choose_sentences(item: Item, context: DraftContext, rules: PostRules) -> list[str]:
    """What the post says after its head: the call if there is one, else the two most telling sentences."""
    call = [sentence for call in item.calls[:1] for sentence in _split(call.text, context)]
    if usable := [sentence for sentence in call if _is_usable(sentence, item, rules)]:
        return usable
    ranked = [
        replace(each, text=write_handles(strip_links(modernise(each.text)), context)) for each in rank_sentences(item)
    ]
    best = [each for each in ranked if _is_usable(each.text, item, rules)][:2]
    return [each.text for each in sorted(best, key=lambda each: each.position)]


def _split(text: str, context: DraftContext) -> list[str]:
    return [write_handles(strip_links(modernise(sentence)), context) for sentence in split_sentences(text)]


def _is_usable(sentence: str, item: Item, rules: PostRules) -> bool:
    """Not the title again, no link (the post has its own), and short enough for a part."""
    is_title = sentence.rstrip(". ") == (item.title or "").rstrip(". ")
    return not is_title and not find_urls(sentence) and rules.measure(sentence) <= rules.limit - _NUMBERING_ROOM


def _choose_facts(item: Item, words: Words, said: str) -> tuple[tuple[str, str], ...]:
    """When, where, until when and how many, unless a sentence says it already."""
    if item.practice or item.study:
        return ()
    said = said.replace("\u00a0", " ")
    return tuple((label, value) for label, value in list_facts(item, words) if value not in said and len(value) < 60)


def _fill(sentences: list[str], used: int, rules: PostRules) -> tuple[list[str], list[str]]:
    taken: list[str] = []
    for sentence in sentences:
        if used + rules.measure(" ".join([*taken, sentence])) > rules.limit:
            break
        taken.append(sentence)
    return taken, sentences[len(taken) :]


def _join(*pieces: str) -> str:
    return "\n\n".join(piece.strip() for piece in pieces if piece.strip())


def _squeeze(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text.strip())


def _number(parts: list[str]) -> tuple[str, ...]:
    if len(parts) == 1:
        return tuple(parts)
    return tuple(f"{part}\n{position}/{len(parts)}" for position, part in enumerate(parts, 1))
