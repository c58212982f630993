"""A draft's fields as a form, and back. Pure: nothing is rendered, stored or judged here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from pregon.drafts.playlist_edits import OperationEdit, edit_operations
from pregon.drafts.playlist_words import describe_operation, list_texts
from pregon.drafts.thread_edits import join_parts, list_parts, move_part, split_part, write_parts
from pregon.errors import PregonError
from pregon.types import Audience, Fields, MailFields, MailSection, Media, PlaylistFields, PlaylistOperation, PostFields
from pregon.web.pictures import read_upload
from pregon.web.security import text_of, texts_of

SINGLE_LINES = ("eyebrow", "subject", "preheader", "title", "dateline", "salutation", "button_label", "button_url")
MANY_LINES = ("lead", "call", "closing", "notice")
_BREAK = "\n---\n"
_BREAKS = re.compile(r"[\r\n\t]+")
# What typing leaves at the ends of a text. A no-break space is not among them: French needs it before a colon.
_BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a form names and does not hold: pictures by their names, audiences by their keys (None: the playbook's)."""

    pictures: Mapping[str, Media] = field(default_factory=dict)
    audiences: Mapping[str, Audience | None] = field(default_factory=dict)


_NOTHING = Shelf()


def read_fields(form: FormData, before: Fields, shelf: Shelf = _NOTHING) -> Fields:
    """The fields that a form holds, of the same kind as the ones that it was made from."""
    if isinstance(before, MailFields):
        return _read_mail(form, before, shelf)
    if isinstance(before, PostFields):
        return _read_posts(form, before, shelf)
    return _read_playlist(form, before)


def name_audience(audience: Audience | None) -> str:
    """What a form calls an audience; "" for the playbook's own choice."""
    if audience is None:
        return ""
    return hashlib.sha256(repr(replace(audience, languages=())).encode()).hexdigest()[:16]


def change_fields(fields: Fields, act: str, cursor: int) -> Fields:
    """The fields after one of the form's own buttons, e.g. `split:1`; unchanged for one that is not known."""
    name, _, place = act.partition(":")
    at = int(place) if place.isdecimal() and len(place) < 4 else -1
    if isinstance(fields, PostFields) and at >= 0:
        changes = {
            "split": lambda: split_part(fields, at, cursor),
            "join": lambda: join_parts(fields, at),
            "up": lambda: move_part(fields, at, -1),
            "down": lambda: move_part(fields, at, 1),
        }
        return changes[name]() if name in changes else fields
    return fields


def _read_mail(form: FormData, before: MailFields, shelf: Shelf) -> MailFields:
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
        audience=shelf.audiences.get(text_of(form, "audience"), before.audience)
        if "audience" in form
        else before.audience,
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


def _read_posts(form: FormData, before: PostFields, shelf: Shelf) -> PostFields:
    """The parts in the order that was asked for. A part's pictures stay with the first piece of it."""
    texts, places = texts_of(form, "part"), texts_of(form, "place")
    order = [int(place) if place.isdecimal() else 99 for place in places] + [99] * len(texts)
    # Stable: parts with the same number stay as they stood.
    ordered = [index for _, index in sorted(zip(order, range(len(texts)), strict=False), key=lambda pair: pair[0])]
    attached = _read_pictures(form, shelf)
    none: tuple[Media, ...] = ()
    parts: list[tuple[str, tuple[Media, ...]]] = []
    for index in ordered:
        pieces = [piece.strip(_BLANK) for piece in f"\n{texts[index]}\n".split(_BREAK) if piece.strip(_BLANK)]
        parts += [(piece, attached.get(index, none) if first == 0 else none) for first, piece in enumerate(pieces)]
    return write_parts(before, parts)


def _read_pictures(form: FormData, shelf: Shelf) -> dict[int, tuple[Media, ...]]:
    """Part (from 0) -> its pictures: what the page named with the description that now stands there, then new ones."""
    found: dict[int, tuple[Media, ...]] = {}
    removed = set(texts_of(form, "remove_picture"))
    for named, alt in zip(texts_of(form, "picture"), texts_of(form, "alt"), strict=False):
        place, _, name = named.partition(":")
        if named not in removed and place.isdecimal() and name in shelf.pictures:
            picture = replace(shelf.pictures[name], alt_text=alt.strip(_BLANK))
            found[int(place)] = (*found.get(int(place), ()), picture)
    for index in range(len(texts_of(form, "part"))):
        upload = read_upload(form, f"upload-{index}", text_of(form, f"upload_alt-{index}").strip(_BLANK))
        if upload is not None:
            found[index] = (*found.get(index, ()), upload)
    return found


def show_operations(base: PlaylistFields, fields: PlaylistFields) -> list[tuple[PlaylistOperation, bool, int]]:
    """Each change of `base` as `fields` has it, whether it is kept there, and its place: what the form shows."""
    left = list(enumerate(fields.operations, 1))
    shown: list[tuple[PlaylistOperation, bool, int]] = []
    for index, operation in enumerate(base.operations, 1):
        found = next((each for each in left if _same_change(each[1], operation)), None)
        shown.append((found[1], True, found[0]) if found else (operation, False, index))
        left = [each for each in left if each is not found]
    return shown


def _same_change(one: PlaylistOperation, other: PlaylistOperation) -> bool:
    names = ("op", "playlist_id", "video_id", "item_id", "language", "earlier_title")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _read_playlist(form: FormData, before: PlaylistFields) -> PlaylistFields:
    kept = set(texts_of(form, "keep"))
    edits = [_read_operation(form, index, str(index) in kept) for index in range(len(before.operations))]
    return edit_operations(before, edits)


def _read_operation(form: FormData, index: int, kept: bool) -> OperationEdit:
    place, position = text_of(form, f"op_place-{index}"), text_of(form, f"op_position-{index}").strip()
    title, description = form.get(f"op_title-{index}"), form.get(f"op_description-{index}")
    asked = f"op_position-{index}" in form
    return OperationEdit(
        kept=kept,
        place=int(place) if place.isdecimal() and len(place) < 4 else index + 1,
        title=_BREAKS.sub(" ", title).strip(_BLANK) if isinstance(title, str) else None,
        description=_trim(description) if isinstance(description, str) else None,
        position=(int(position) - 1 if position.isdecimal() and len(position) < 5 else -1) if asked else None,
    )


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


def _write_part(text: str, pictures: tuple[Media, ...]) -> str:
    return "\n".join([text, *(f"[{picture.name}: {picture.alt_text}]" for picture in pictures)])


def write_text(fields: Fields) -> str:
    """The fields as one text, for reading two versions beside one another."""
    if isinstance(fields, PostFields):
        return "\n\n———\n\n".join(_write_part(text, pictures) for text, pictures in list_parts(fields))
    if isinstance(fields, PlaylistFields):
        lines = [line for op in fields.operations for line in _write_operation(op)]
        return "\n".join(lines) or fields.reason
    whom = [f"To: {fields.audience.name}"] if fields.audience else []
    head = [*whom, f"Subject: {fields.subject}", f"Preheader: {fields.preheader}", fields.eyebrow, fields.title]
    body = [fields.dateline, fields.salutation, fields.lead]
    sections = ["\n\n".join(filter(None, (section.heading, *section.paragraphs))) for section in fields.sections]
    pairs = [f"{one}: {two}" for one, two in (*fields.facts, *fields.links)]
    foot = [fields.call, f"{fields.button_label} {fields.button_url}".strip(), *pairs, fields.closing, fields.notice]
    return "\n\n".join(filter(None, (*head, *body, *sections, *foot)))
