"""A draft's fields as a form, and back. Pure: nothing is rendered, stored or judged here."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from pregon.drafts.playlist_words import describe_operation, list_texts
from pregon.errors import PregonError
from pregon.types import Fields, MailFields, MailSection, Media, PlaylistFields, PlaylistOperation, PostFields
from pregon.web.security import text_of, texts_of

SINGLE_LINES = ("eyebrow", "subject", "preheader", "title", "dateline", "salutation", "button_label", "button_url")
MANY_LINES = ("lead", "call", "closing", "notice")
_BREAK = "\n---\n"
_BREAKS = re.compile(r"[\r\n\t]+")
# What typing leaves at the ends of a text. A no-break space is not among them: French needs it before a colon.
_BLANK = " \t\r\n"


def read_fields(form: FormData, before: Fields) -> Fields:
    """The fields that a form holds, of the same kind as the ones that it was made from."""
    if isinstance(before, MailFields):
        return _read_mail(form, before)
    if isinstance(before, PostFields):
        return _read_posts(form, before)
    return _read_playlist(form, before)


def _read_mail(form: FormData, before: MailFields) -> MailFields:
    single: dict[str, Any] = {name: _BREAKS.sub(" ", text_of(form, name)).strip(_BLANK) for name in SINGLE_LINES}
    many: dict[str, Any] = {name: _trim(text_of(form, name)) for name in MANY_LINES}
    # What the form does not show, e.g. the calendar entry, stays as it was.
    return replace(
        before,
        **single,
        **many,
        sections=_read_sections(form),
        facts=_read_pairs(form, "fact_label", "fact_value"),
        links=_read_pairs(form, "link_label", "link_address"),
    )


def _trim(text: str) -> str:
    return "\n".join(line.rstrip(_BLANK) for line in text.replace("\r\n", "\n").strip(_BLANK).split("\n"))


def _read_sections(form: FormData) -> tuple[MailSection, ...]:
    pairs = zip(texts_of(form, "section_heading"), texts_of(form, "section_text"), strict=False)
    sections = (MailSection(heading.strip(_BLANK), _paragraphs(text)) for heading, text in pairs)
    return tuple(section for section in sections if section.heading or section.paragraphs)


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(paragraph.strip(_BLANK) for paragraph in text.split("\n\n") if paragraph.strip(_BLANK))


def _read_pairs(form: FormData, first: str, second: str) -> tuple[tuple[str, str], ...]:
    pairs = zip(texts_of(form, first), texts_of(form, second), strict=False)
    return tuple((one.strip(_BLANK), two.strip(_BLANK)) for one, two in pairs if one.strip() or two.strip())


def _read_posts(form: FormData, before: PostFields) -> PostFields:
    """The parts in the order that was asked for. A part's pictures stay with the first piece of it."""
    texts, places = texts_of(form, "part"), texts_of(form, "place")
    order = [int(place) if place.isdecimal() else 99 for place in places] + [99] * len(texts)
    # Stable: parts with the same number stay as they stood.
    ordered = [index for _, index in sorted(zip(order, range(len(texts)), strict=False), key=lambda pair: pair[0])]
    parts: list[tuple[str, tuple[Media, ...]]] = []
    for index in ordered:
        pieces = [piece.strip(_BLANK) for piece in f"\n{texts[index]}\n".split(_BREAK) if piece.strip(_BLANK)]
        attached = before.media[index] if index < len(before.media) else ()
        parts += [(piece, attached if first == 0 else ()) for first, piece in enumerate(pieces)]
    media = tuple(each for _, each in parts) if any(each for _, each in parts) else ()
    return PostFields(tuple(text for text, _ in parts), media)


def _read_playlist(form: FormData, before: PlaylistFields) -> PlaylistFields:
    kept = set(texts_of(form, "keep"))
    operations = tuple(op for index, op in enumerate(before.operations) if str(index) in kept)
    reason = before.reason if operations or not before.operations else "An officer took every change out."
    return PlaylistFields(operations, reason)


def read_send_at(form: FormData, zone: str) -> datetime | None:
    """When to send, in UTC; None for at once. The form holds the local time of the network's zone."""
    value = text_of(form, "send_at").strip()
    if not value:
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PregonError(f"{value!r} is not a date and time; leave it empty to send at once.") from error


def _write_operation(operation: PlaylistOperation) -> list[str]:
    texts = [f"  {language}: {text}" for language, text in list_texts(operation)]
    return [describe_operation(operation), *texts]


def write_text(fields: Fields) -> str:
    """The fields as one text, for reading two versions beside one another."""
    if isinstance(fields, PostFields):
        return "\n\n———\n\n".join(fields.parts)
    if isinstance(fields, PlaylistFields):
        lines = [line for op in fields.operations for line in _write_operation(op)]
        return "\n".join(lines) or fields.reason
    head = [f"Subject: {fields.subject}", f"Preheader: {fields.preheader}", fields.eyebrow, fields.title]
    body = [fields.dateline, fields.salutation, fields.lead]
    sections = ["\n\n".join(filter(None, (section.heading, *section.paragraphs))) for section in fields.sections]
    pairs = [f"{one}: {two}" for one, two in (*fields.facts, *fields.links)]
    foot = [fields.call, f"{fields.button_label} {fields.button_url}".strip(), *pairs, fields.closing, fields.notice]
    return "\n\n".join(filter(None, (*head, *body, *sections, *foot)))
