"""An item as a post or thread for X, at most 280 weighted characters a part. Sentences stay the source's own.

The link stands in the first part only: it is the part that people see and share, a post with a link costs
thirteen times one without (one link is one such cost), and if a later part is lost the link is out already.
"""

from __future__ import annotations

from pregon.drafts.context import DraftContext
from pregon.drafts.inline import strip_links
from pregon.drafts.links import find_main_link, modernise
from pregon.drafts.newsletter import write_label
from pregon.drafts.sentences import split_sentences
from pregon.drafts.shapes import fill_template
from pregon.drafts.weight import LIMIT, find_urls, weighted_length
from pregon.drafts.words import Words, read_words, set_type
from pregon.types import Item, PostFields

# X, pricing since April 2026: a post, and a post that holds a link (US dollars).
POST_PRICE = 0.015
LINK_PRICE = 0.20
_NUMBERING_ROOM = 8


def compose_post(item: Item, language: str, context: DraftContext) -> PostFields:
    """The parts of the post in one language; one part unless the playbook's template asks for more."""
    words = read_words(context.templates, language)
    rule = context.playbook.x
    head = _write_head(item, words)
    link = find_main_link(item, context, language)
    sentences = _choose_sentences(item, link)
    if any(link in sentence for sentence in sentences):
        link = ""
    hashtag = " ".join(tags[language] for tags in context.network.hashtags.values() if language in tags)
    frame = fill_template(
        context.templates,
        f"social/{rule.template if rule else 'circular'}.txt.j2",
        {"head": head, "link": link, "hashtags": hashtag, "contact": _contact(item), "words": words},
    )
    body = [set_type(sentence, language, adding=False) for sentence in sentences]
    return PostFields(split_thread(body, frame=frame, max_parts=rule.max_parts if rule else 1))


def split_thread(sentences: list[str], *, frame: str, max_parts: int) -> tuple[str, ...]:
    """The frame with as many whole sentences as fit, then further parts with the rest.

    `frame` is the first part with one line `...` where the sentences go. A sentence that fits into no part of its own
    is left out, never cut. Parts are numbered only when there is more than one.
    """
    before, _, after = frame.partition("\n...\n")
    first, rest = _fill(sentences, weighted_length(_join(before, after)) + 4, LIMIT)
    parts = [_join(before, " ".join(first), after)]
    while rest and len(parts) < max_parts:
        taken, rest = _fill(rest, 0, LIMIT - _NUMBERING_ROOM)
        if not taken:
            rest = rest[1:]
            continue
        parts.append(" ".join(taken))
    return _number(parts)


def price_thread(parts: tuple[str, ...]) -> float:
    """What the parts cost in US dollars at X's published prices."""
    return round(sum(LINK_PRICE if find_urls(part) else POST_PRICE for part in parts), 3)


def _write_head(item: Item, words: Words) -> str:
    label = write_label(item, words)
    topic = (item.title or "").split(" — ")[-1].strip()
    return set_type(words.text("post_head", label=label, topic=topic) if topic else label, words.language, adding=False)


def _choose_sentences(item: Item, link: str) -> list[str]:
    """What the post says after its head: the call if there is one, else the first sentences of the source.

    A sentence with another link than the post's own stays out: one link a thread.
    """
    if item.calls:
        return _usable_sentences(item.calls[0].text, item, link)
    for section in item.sections:
        for block in section.blocks:
            if block.type == "paragraph" and (usable := _usable_sentences(block.text, item, link)):
                return usable[:2]
    return []


def _usable_sentences(text: str, item: Item, link: str) -> list[str]:
    sentences = [strip_links(modernise(sentence)) for sentence in split_sentences(text)]
    return [
        sentence
        for sentence in sentences
        if sentence.rstrip(".") != (item.title or "").rstrip(".")
        and all(sentence[start:end].rstrip("/") == link.rstrip("/") for start, end in find_urls(sentence))
    ]


def _contact(item: Item) -> str:
    contact = item.calls[0].contact if item.calls else None
    return contact if contact and contact not in item.calls[0].text else ""


def _fill(sentences: list[str], used: int, limit: int) -> tuple[list[str], list[str]]:
    taken: list[str] = []
    for sentence in sentences:
        if used + weighted_length(" ".join([*taken, sentence])) > limit:
            break
        taken.append(sentence)
    return taken, sentences[len(taken) :]


def _join(*pieces: str) -> str:
    return "\n\n".join(piece.strip() for piece in pieces if piece.strip())


def _number(parts: list[str]) -> tuple[str, ...]:
    if len(parts) == 1:
        return tuple(parts)
    return tuple(f"{part}\n{position}/{len(parts)}" for position, part in enumerate(parts, 1))
