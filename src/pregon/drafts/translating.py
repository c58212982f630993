"""A source as a translator gives it back, ready to be composed. Which facts it states stays the source's own business.

Only texts are translated; dates, places, numbers and links stay what the source says and are written in the language
by the same rules as ever. Pure: the texts go to the translator elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pregon.drafts.missing import is_missing
from pregon.types import Block, Call, Item, Link, MailFields, PostFields, Proposal, Section


def needs_translation(proposal: Proposal) -> bool:
    """Whether a draft holds marks where a text of the source belongs."""
    fields = proposal.fields
    if isinstance(fields, MailFields):
        return any(is_missing(text) for text in (fields.title, fields.lead, fields.call, fields.notice))
    return isinstance(fields, PostFields) and any(is_missing(part) for part in fields.parts)


def list_texts(item: Item) -> tuple[str, ...]:
    """Every text of the item that a draft may show, each once."""
    texts: list[str] = [item.title or "", item.salutation or ""]
    for section in item.sections:
        texts += [section.heading or "", *(line for block in section.blocks for line in block.text.split("\n"))]
    texts += [call.text for call in item.calls]
    texts += [event.title for event in item.events]
    texts += [link.text for link in item.links if not _is_address(link.text)]
    texts.append((item.study.funding_notice if item.study else None) or "")
    return tuple(dict.fromkeys(text for text in texts if any(letter.isalpha() for letter in text)))


def translate_item(item: Item, language: str, translations: Mapping[str, str]) -> Item:
    """The item with its texts replaced. Links whose words are not found again stand apart, so that none is lost."""

    def say(text: str) -> str:
        return translations.get(text, text)

    sections = tuple(_translate_section(section, say) for section in item.sections)
    shown = "\n".join(block.text for section in sections for block in section.blocks)
    calls = tuple(_translate_call(call, say) for call in item.calls)
    end = (len(item.text), len(item.text))

    def place(link: Link) -> Link:
        label = say(link.text)
        found = label in shown or any(label in call.text for call in calls)
        return replace(link, text=label, span=link.span if found else end)

    notice = item.study.funding_notice if item.study else None
    return replace(
        item,
        language=language,
        # The source's own lines are in its own language; nothing may be quoted from them.
        text="",
        title=say(item.title) if item.title else None,
        salutation=say(item.salutation) if item.salutation else None,
        sections=sections,
        calls=calls,
        events=tuple(replace(event, title=say(event.title)) for event in item.events),
        links=tuple(map(place, item.links)),
        study=replace(item.study, funding_notice=say(notice)) if item.study and notice else item.study,
    )


def mark_translated(fields: MailFields | PostFields, translator: str) -> MailFields | PostFields:
    """The fields with the mark that a person takes off by confirming them."""
    return replace(fields, translated_by=translator)


def _translate_section(section: Section, say: Callable[[str], str]) -> Section:
    blocks = tuple(_translate_block(block, say) for block in section.blocks)
    return Section(say(section.heading) if section.heading else None, blocks)


def _translate_block(block: Block, say: Callable[[str], str]) -> Block:
    return replace(block, text="\n".join(say(line) for line in block.text.split("\n")))


def _translate_call(call: Call, say: Callable[[str], str]) -> Call:
    return replace(call, text=say(call.text))


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://", "www.")) or "@" in text
