"""An item as the fields of a newsletter. Chooses and orders the source's own sentences; writes none.

The chrome ("Circular", "Write to ...") comes from the words file of the language.
"""

from __future__ import annotations

from urllib.parse import quote

from pregon.drafts.context import DraftContext
from pregon.drafts.facts import list_facts
from pregon.drafts.inline import mark_link
from pregon.drafts.links import host_of, is_within, modernise, name_link, publish_url, unique_links
from pregon.drafts.sentences import split_sentences
from pregon.drafts.words import Words, read_words, set_type, write_date
from pregon.types import Block, Call, Item, MailFields, MailSection, Section, Span

PREHEADER_ROOM = 150


def compose_mail(item: Item, language: str, context: DraftContext) -> MailFields:
    """The newsletter's fields in one language."""
    words = read_words(context.templates, language)
    call = item.calls[0] if item.calls else None
    lead, sections = _lay_out(item, call, context, language)
    button_label, button_url = _choose_button(item, call, words, context)
    return MailFields(
        subject=write_subject(item, words),
        preheader=_choose_preheader(item, call, lead, language),
        title=set_type(_title(item, words), language, adding=False),
        lead=lead,
        sections=sections,
        button_label=button_label,
        button_url=button_url,
        closing=_sign(item, words),
        eyebrow=write_label(item, words),
        dateline=_write_dateline(item, words),
        salutation=_tidy(item.salutation or "", language),
        call=_prepare(call.text, call.span, item, context, language) if call else "",
        facts=list_facts(item, words),
        links=_other_links(item, context, button_url),
        notice=_tidy((item.study.funding_notice if item.study else None) or "", language),
    )


def write_label(item: Item, words: Words) -> str:
    """What the item is, with its number: `Circular 46`."""
    kind = words.text(f"kinds.{item.kind.value}")
    return kind if item.number is None else words.text("numbered", kind=kind, number=item.number)


def write_subject(item: Item, words: Words) -> str:
    """`Circular 46 · topic`. Of a title in two parts the topic is the second (the first names the body)."""
    label = write_label(item, words)
    topic = (item.title or "").split(" — ")[-1].strip()
    return set_type(words.text("subject", label=label, topic=topic) if topic else label, words.language, adding=False)


def _title(item: Item, words: Words) -> str:
    return item.title or write_label(item, words)


def _write_dateline(item: Item, words: Words) -> str:
    if item.date is None:
        return item.place or ""
    written = write_date(item.date, words.language)
    return words.text("dateline", place=item.place, date=written) if item.place else written


def _sign(item: Item, words: Words) -> str:
    lines = [item.issuer or ""]
    if item.on_behalf_of:
        lines.append(words.text("on_behalf", body=item.on_behalf_of))
    return "\n".join(line for line in lines if line)


def _choose_preheader(item: Item, call: Call | None, lead: str, language: str) -> str:
    """The first sentence short enough to be shown whole beside a subject: of the call, the lead, the rest."""
    blocks = [block.text for section in item.sections for block in section.blocks if block.type == "paragraph"]
    for text in ([call.text] if call else []) + [lead, *blocks]:
        for sentence in split_sentences(text):
            if 20 <= len(sentence) <= PREHEADER_ROOM and "](" not in sentence:
                return _tidy(sentence, language)
    return ""


def _choose_button(item: Item, call: Call | None, words: Words, context: DraftContext) -> tuple[str, str]:
    if call and call.contact:
        if "@" in call.contact:
            address = f"mailto:{call.contact}?subject={quote(write_subject(item, words))}"
            return words.text("buttons.write", contact=call.contact), address
        if call.contact.startswith("http") and host_of(call.contact) not in context.network.legacy_hosts:
            return words.text("buttons.open", host=host_of(call.contact)), call.contact
    if item.videos:
        return words.text("buttons.watch"), item.videos[0].url
    if item.canonical_url and host_of(item.canonical_url) not in context.network.legacy_hosts:
        return words.text("buttons.read", host=host_of(item.canonical_url)), item.canonical_url
    return "", ""


def _lay_out(
    item: Item, call: Call | None, context: DraftContext, language: str
) -> tuple[str, tuple[MailSection, ...]]:
    """The lead (the first paragraph before any heading) and the sections in the source's order."""
    lead = ""
    sections: list[MailSection] = []
    for section in item.sections:
        paragraphs = _write_paragraphs(section, item, call, context, language)
        if not sections and not lead and section.heading is None and paragraphs and not paragraphs[0].startswith("- "):
            lead, paragraphs = paragraphs[0], paragraphs[1:]
        if paragraphs or (section.heading and not section.blocks):
            sections.append(MailSection(_tidy(section.heading or "", language), paragraphs))
    return lead, tuple(sections)


def _write_paragraphs(
    section: Section, item: Item, call: Call | None, context: DraftContext, language: str
) -> tuple[str, ...]:
    paragraphs: list[str] = []
    for block in section.blocks:
        if call and " ".join(block.text.split()) == " ".join(call.text.split()):
            continue  # it stands above, beside the button
        paragraphs += [
            _mark(block.type) + _prepare(line, block.span, item, context, language) for line in _lines(block)
        ]
    return tuple(paragraphs)


def _lines(block: Block) -> list[str]:
    if block.type == "list":
        return [line.removeprefix("- ").strip() for line in block.text.splitlines() if line.strip()]
    return [" ".join(block.text.split())] if block.text.strip() else []


def _mark(block_type: str) -> str:
    return {"list": "- ", "quote": "> "}.get(block_type, "")


def _prepare(text: str, span: Span, item: Item, context: DraftContext, language: str) -> str:
    """A piece of the source with its links put back where their words stand."""
    text = modernise(" ".join(text.split()))
    for link in item.links:
        url = publish_url(link, context) if is_within(link, span) else None
        if url and link.text.strip() and not link.text.startswith(("http", "www.")):
            text = mark_link(text, " ".join(link.text.split()), url)
    return _tidy(text, language)


def _other_links(item: Item, context: DraftContext, button_url: str) -> tuple[tuple[str, str], ...]:
    """The links that stand outside the paragraphs: downloads, and the source's own site and accounts."""
    downloads = [(f"{language.upper()}: {host_of(url)}", url) for language, url in _downloads(item)]
    blocks = [block.span for section in item.sections for block in section.blocks]
    outside = [link for link in item.links if not any(is_within(link, span) for span in blocks)]
    pairs = [(link, publish_url(link, context)) for link in outside]
    named = [(name_link(link.text, url), url) for link, url in pairs if url and url != button_url]
    return unique_links([*downloads, *named])


def _downloads(item: Item) -> tuple[tuple[str, str], ...]:
    return item.study.downloads if item.study else ()


def _tidy(text: str, language: str) -> str:
    return set_type(text.strip(), language, adding=False)
