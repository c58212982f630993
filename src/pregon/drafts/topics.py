"""An item as a forum topic: the newsletter's own texts as Markdown below a title. Writes no sentence.

The fields are those of a post with one part: its first line is the title, the rest is the topic's text. Links stay bare,
since a forum shows readers the whole address and counts its clicks by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pregon.drafts.context import DraftContext
from pregon.drafts.newsletter import compose_mail
from pregon.drafts.post_rules import count_topic
from pregon.drafts.words import read_words
from pregon.types import Check, Item, MailFields, PostFields, PostPart, TopicBody


def compose_topic(item: Item, language: str, context: DraftContext) -> PostFields:
    """The topic in one language."""
    fields = compose_mail(item, language, context)
    title = " ".join(fields.subject.split())
    pair = read_words(context.templates, language).text
    facts = [f"- {pair('pair', label=f'**{label}**', value=value)}" for label, value in fields.facts]
    return PostFields(("\n\n".join([title, *_list_blocks(fields, facts)]),))


def _list_blocks(fields: MailFields, facts: Sequence[str]) -> Iterator[str]:
    texts = [
        fields.lead,
        *(text for section in fields.sections for text in _list_section(section.heading, section.paragraphs)),
    ]
    button = f"[{fields.button_label}]({fields.button_url})" if fields.button_url else ""
    links = [f"- [{label}]({url})" for label, url in fields.links]
    for block in (*texts, fields.call, "\n".join(facts), button, "\n".join(links), fields.notice):
        if block.strip():
            yield block.strip()


def _list_section(heading: str, paragraphs: Sequence[str]) -> Iterator[str]:
    """The heading, and the paragraphs with the entries of a list line below line."""
    if heading:
        yield f"## {heading}"
    entries: list[str] = []
    for text in paragraphs:
        if not text.startswith("- ") and entries:
            yield "\n".join(entries)
            entries = []
        if text.startswith("- "):
            entries.append(text)
        else:
            yield text
    if entries:
        yield "\n".join(entries)


def render_topic(fields: PostFields, language: str, context: DraftContext) -> TopicBody:
    """The topic with the category of its language and the playbook's tags."""
    rule, forum = context.playbook.discourse, context.forum
    categories = {**(forum.categories if forum else {}), **(rule.categories if rule else {})}
    media = [*fields.media[: len(fields.parts)], *[()] * (len(fields.parts) - len(fields.media))]
    parts = tuple(PostPart(text, count_topic(text), each) for text, each in zip(fields.parts, media, strict=True))
    return TopicBody(parts, 0.0, category=categories.get(language, 0), tags=rule.tags if rule else ())


def check_topic(body: TopicBody, language: str, context: DraftContext) -> Iterator[Check]:
    """One text, a title and a text as long as the forum takes, and a category for the language."""
    if len(body.parts) != 1:
        message = f"A forum topic is one text; this draft has {len(body.parts)} parts."
        yield Check("topic.parts", "error", message, "Join the parts, or take all but the first out.")
        return
    forum = context.forum
    if forum and not forum.title_min <= len(body.title) <= forum.title_max:
        message = f"The title has {len(body.title)} characters; the forum takes {forum.title_min} to {forum.title_max}."
        yield Check("topic.title", "error", message, "Change the first line, which is the title.")
    if forum and not forum.body_min <= len(body.text) <= forum.body_max:
        message = (
            f"The text has {len(body.text)} characters below its title; the forum takes "
            f"{forum.body_min} to {forum.body_max}."
        )
        yield Check("topic.text", "error", message, "Write more below the first line, or link to the full text.")
    if not body.category:
        message = f"No category of the forum is for texts in the language {language}."
        yield Check("topic.category", "error", message, "Add it to discourse.categories in config/channels.yaml.")
