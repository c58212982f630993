"""An item as the fields of a newsletter. Chooses and orders the source's own sentences; writes none.

The chrome ("Circular", "Write to ...") comes from the words file of the language.
"""

from __future__ import annotations

from urllib.parse import quote

from pregon.drafts.calendar import render_calendar
from pregon.drafts.context import DraftContext
from pregon.drafts.corrections import correct_mail
from pregon.drafts.facts import list_facts
from pregon.drafts.layout import lay_out, prepare_text, tidy
from pregon.drafts.links import LinkIndex, host_of, is_within, name_link, plain_address, publish_url, unique_links
from pregon.drafts.missing import mark_missing
from pregon.drafts.naming import sign, write_dateline, write_eyebrow, write_salutation, write_subject, write_title
from pregon.drafts.sentences import split_sentences
from pregon.drafts.words import Words, read_words
from pregon.types import Call, Item, MailFields, MailSection

PREHEADER_ROOM = 150


def compose_mail(item: Item, language: str, context: DraftContext) -> MailFields:
    """The newsletter's fields in one language.

    In a language that the source does not have, the chrome and the facts are in that language and every text of the
    source is a mark that an officer must replace.
    """
    words = read_words(context.templates, language)
    is_source = not item.language or language == item.language
    fields = _compose_whole(item, words, context) if is_source else _compose_frame(item, words, context)
    return correct_mail(fields, item, words, context) if context.previous else fields


def _compose_whole(item: Item, words: Words, context: DraftContext) -> MailFields:
    language = words.language
    call = item.calls[0] if item.calls else None
    lead, sections = lay_out(item, context, language)
    button_label, button_url = _choose_button(item, call, words, context)
    return MailFields(
        subject=write_subject(item, words),
        preheader=_choose_preheader(call, lead, sections, language),
        title=write_title(item, words),
        lead=lead,
        sections=sections,
        button_label=button_label,
        button_url=button_url,
        closing=sign(item, words),
        eyebrow=write_eyebrow(item, words),
        dateline=write_dateline(item, words),
        salutation=write_salutation(item, words),
        call=prepare_text(call.text, LinkIndex(item.links).list_within(call.span), context, language) if call else "",
        facts=_choose_facts(item, call, words),
        links=_other_links(item, words, context, button_url),
        notice=_carry_notice(item, sections, language),
        calendar=write_calendar(item, language, context),
    )


def write_calendar(item: Item, language: str, context: DraftContext) -> str:
    """The iCalendar text that the item's mail in this language carries; "" when the item has no event."""
    words = read_words(context.templates, language)
    return render_calendar(
        item,
        campaign=context.calendar_id or context.campaign,
        host=context.network.sender.address.partition("@")[2],
        deadline_label=words.text("facts.deadline"),
        sequence=context.calendar_sequence,
        cancelled=context.is_cancelled,
    )


def _compose_frame(item: Item, words: Words, context: DraftContext) -> MailFields:
    """Chrome, facts and links in the language; marks where the source's sentences belong."""
    missing = mark_missing(words, item.language or "")
    button_label, button_url = _choose_button(item, item.calls[0] if item.calls else None, words, context)
    return MailFields(
        subject=write_subject(_without_words(item, missing), words),
        preheader="",
        title=missing,
        lead=missing,
        sections=(),
        button_label=button_label,
        button_url=button_url,
        closing=item.issuer or "",
        eyebrow=words.text(f"kinds.{item.kind.value}") if item.number is None else _number(item, words),
        dateline=write_dateline(item, words),
        call=missing if item.calls else "",
        facts=list_facts(item, words),
        links=_other_links(item, words, context, button_url),
        notice=missing if item.study and item.study.funding_notice else "",
        calendar=write_calendar(item, words.language, context),
    )


def _without_words(item: Item, missing: str) -> Item:
    return Item(kind=item.kind, language=item.language, title=missing, text="", number=item.number)


def _number(item: Item, words: Words) -> str:
    return words.text("numbered", kind=words.text(f"kinds.{item.kind.value}"), number=item.number)


def _choose_preheader(call: Call | None, lead: str, sections: tuple[MailSection, ...], language: str) -> str:
    """The first sentence short enough to be shown whole beside a subject: of the call, the lead, the rest."""
    texts = [call.text if call else "", lead, *(text for section in sections for text in section.paragraphs)]
    for text in texts:
        for sentence in split_sentences(text):
            if 20 <= len(sentence) <= PREHEADER_ROOM and "](" not in sentence and sentence[:2] not in {"- ", "> "}:
                return tidy(sentence, language)
    return ""


def _choose_button(item: Item, call: Call | None, words: Words, context: DraftContext) -> tuple[str, str]:
    """What the reader is asked to do: the call's page or address, the study's file, the video, the item's page."""
    if call:
        pages = [publish_url(link, context) for link in item.links if is_within(link, call.span)]
        page = next((url for url in pages if url), None)
        if page:
            return words.text("buttons.open", host=host_of(page)), page
        if call.contact and "@" in call.contact:
            subject = quote(write_subject(item, words).replace("\u00a0", " "))
            return words.text("buttons.write", contact=call.contact), f"mailto:{call.contact}?subject={subject}"
    files = dict(item.study.downloads) if item.study else {}
    if words.language in files:
        return words.text("buttons.download"), files[words.language]
    if item.videos:
        return words.text("buttons.watch"), item.videos[0].url
    if item.canonical_url and host_of(item.canonical_url) not in context.network.legacy_hosts:
        return words.text("buttons.read", host=host_of(item.canonical_url)), item.canonical_url
    return "", ""


def _other_links(item: Item, words: Words, context: DraftContext, button_url: str) -> tuple[tuple[str, str], ...]:
    """The links that no paragraph, button or footer shows: the study's other languages, and the source's own site and accounts."""
    downloads = [
        (words.text("file_in", language=words.name_language(code)), url)
        for code, url in (item.study.downloads if item.study else ())
    ]
    shown = [block.span for section in item.sections for block in section.blocks]
    if item.language and words.language != item.language:
        shown = []
    index = LinkIndex(item.links)
    inside = {link.span: link for span in shown for link in index.list_within(span)}
    outside = [link for link in item.links if link.span not in inside]
    pairs = [(link, publish_url(link, context)) for link in outside]
    named = [(tidy(name_link(link.text, url), words.language), url) for link, url in pairs if url]
    elsewhere = [*context.network.website.values(), *context.network.social.values(), button_url]
    known = {plain_address(url) for url in (*elsewhere, *(link.url for link in inside.values()))}
    return tuple(pair for pair in unique_links([*downloads, *named]) if plain_address(pair[1]) not in known)


def _choose_facts(item: Item, call: Call | None, words: Words) -> tuple[tuple[str, str], ...]:
    """The facts, unless there is but one and the call beside it says it."""
    facts = list_facts(item, words)
    return () if len(facts) == 1 and call and facts[0][1] in call.text else facts


def _carry_notice(item: Item, sections: tuple[MailSection, ...], language: str) -> str:
    """Who paid, unless a paragraph says it already in the same words."""
    notice = tidy((item.study.funding_notice if item.study else None) or "", language)
    return "" if any(notice in text for section in sections for text in section.paragraphs) else notice
