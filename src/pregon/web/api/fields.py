"""A draft's fields, and what they render to, as the API shows and takes them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from pregon.errors import PregonError
from pregon.types import (
    Audience,
    Content,
    Fields,
    MailBody,
    MailFields,
    Media,
    PlaylistBody,
    PlaylistFields,
    PostFields,
    ThreadBody,
    TopicBody,
)
from pregon.web.api.models import In, Out, Short, Text, When

# Pairs are objects here: OpenAPI has no common way to describe a list whose places differ.
_PAIRS = ("facts", "links")
_MOST_PICTURE = 5 * 1024 * 1024
_KINDS: dict[str, type[Fields]] = {"mail": MailFields, "posts": PostFields, "playlist": PlaylistFields}
_NAMES = {shape: name for name, shape in _KINDS.items()}
_MAIL, _PLAYLIST, _AUDIENCE = TypeAdapter(MailFields), TypeAdapter(PlaylistFields), TypeAdapter(Audience)


class RuleModel(In):
    """Which contacts: every part that is given must hold."""

    lists: tuple[Short, ...] = ()
    languages: tuple[Short, ...] = ()
    countries: tuple[Short, ...] = ()
    cities: tuple[Short, ...] = ()
    organisations: tuple[Short, ...] = ()
    all: tuple[RuleModel, ...] = ()
    any: tuple[RuleModel, ...] = ()
    none: tuple[RuleModel, ...] = ()


class AudienceModel(In):
    """Whom a newsletter addresses."""

    name: Short
    lists: tuple[Short, ...] = ()
    languages: tuple[Short, ...] = ()
    rule: RuleModel | None = None


class SectionModel(In):
    """A heading and its paragraphs."""

    heading: Text
    paragraphs: list[Text]


class PairModel(In):
    """A label and what stands beside it: a fact's value, a link's address."""

    label: Text
    value: Text


class MailModel(In):
    """The fields of a newsletter."""

    type: Literal["mail"] = "mail"
    subject: Text
    preheader: Text
    title: Text
    lead: Text
    sections: list[SectionModel]
    button_label: Text = ""
    button_url: Text = ""
    closing: Text = ""
    eyebrow: Text = ""
    dateline: Text = ""
    salutation: Text = ""
    call: Text = ""
    facts: tuple[PairModel, ...] = ()
    links: tuple[PairModel, ...] = ()
    notice: Text = ""
    calendar: Text = ""
    translated_by: Short = ""
    audience: AudienceModel | None = None


class PictureModel(In):
    """A picture of a post. When saving, `data` (base64) adds one; without it, `sha256` names one that the draft has."""

    name: Short
    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    alt_text: Annotated[Text, Field(max_length=1_000)] = ""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    data: Annotated[str, Field(max_length=_MOST_PICTURE * 4 // 3 + 8)] | None = None


class PostsModel(In):
    """The parts of a post or thread in order, and the pictures of each."""

    type: Literal["posts"] = "posts"
    parts: Annotated[list[Text], Field(max_length=100)]
    media: Annotated[tuple[Annotated[list[PictureModel], Field(max_length=4)], ...], Field(max_length=100)] = ()
    translated_by: Short = ""


class PlaylistTextModel(In):
    """What a playlist is called in one language."""

    language: Short
    title: Text
    description: Text = ""


class OperationModel(In):
    """One change to a channel."""

    op: Literal["create", "retitle", "add", "move", "remove"]
    playlist_id: Short
    playlist_title: Text
    video_id: Short = ""
    video_title: Text = ""
    position: Annotated[int, Field(ge=0, le=100_000)] | None = None
    item_id: Short = ""
    description: Text = ""
    language: Short = ""
    localizations: tuple[PlaylistTextModel, ...] = ()
    privacy: Short = ""
    earlier_title: Text = ""


class PlaylistModel(In):
    """Which changes stay."""

    type: Literal["playlist"] = "playlist"
    operations: Annotated[list[OperationModel], Field(max_length=500)]
    reason: Text = ""


FieldsModel = Annotated[MailModel | PostsModel | PlaylistModel, Field(discriminator="type")]


class PartOut(Out):
    """A post as it goes out."""

    text: str
    weighted_length: int
    pictures: int


class ContentOut(Out):
    """All that a reader or a provider will get. Which of mail, thread and playlist is there depends on the channel."""

    subject: str | None = None
    preheader: str | None = None
    html: str | None = None
    text: str | None = None
    calendar: str | None = None
    thread: list[PartOut] | None = None
    cost_usd: float | None = None
    category: int | None = None
    tags: list[str] | None = None
    playlist: PlaylistModel | None = None
    sender: str | None = None
    account: str | None = None
    audience: AudienceModel | None = None
    send_at: When | None = None


def show_fields(fields: Fields) -> MailModel | PostsModel | PlaylistModel:
    """Fields as the API shows them: pictures by their hash."""
    if isinstance(fields, MailFields):
        pairs = {name: [_show_pair(each) for each in getattr(fields, name)] for name in _PAIRS}
        return MailModel.model_validate({"type": "mail", **_MAIL.dump_python(fields), **pairs})
    if isinstance(fields, PlaylistFields):
        return PlaylistModel.model_validate({"type": "playlist", **_PLAYLIST.dump_python(fields)})
    media = [[_show_picture(each) for each in part] for part in fields.media]
    return PostsModel(parts=list(fields.parts), media=tuple(media), translated_by=fields.translated_by)


def _show_pair(pair: tuple[str, str]) -> PairModel:
    return PairModel(label=pair[0], value=pair[1])


def _show_picture(picture: Media) -> PictureModel:
    shown = {"name": picture.name, "media_type": picture.media_type, "alt_text": picture.alt_text}
    return PictureModel.model_validate({**shown, "sha256": hashlib.sha256(picture.data).hexdigest()})


def take_fields(model: MailModel | PostsModel | PlaylistModel, before: Fields) -> Fields:
    """The fields that were sent, of the same kind as `before`, whose pictures they may name. Raises `PregonError`."""
    if _KINDS[model.type] is not type(before):
        raise PregonError(f"This draft's fields are of the type {_NAMES[type(before)]}, not {model.type}.")
    if isinstance(model, MailModel):
        pairs = {name: [(each.label, each.value) for each in getattr(model, name)] for name in _PAIRS}
        return _MAIL.validate_python({**model.model_dump(exclude={"type"}), **pairs})
    if isinstance(model, PlaylistModel):
        return _PLAYLIST.validate_python(model.model_dump(exclude={"type"}))
    known = {hashlib.sha256(m.data).hexdigest(): m for m in _pictures(before)}
    media = tuple(tuple(_take_picture(each, known) for each in part) for part in model.media)
    return PostFields(tuple(model.parts), media if any(media) else (), model.translated_by)


def _pictures(fields: Fields) -> Iterable[Media]:
    return (each for part in fields.media for each in part) if isinstance(fields, PostFields) else ()


def _take_picture(model: PictureModel, known: dict[str, Media]) -> Media:
    if model.data is not None:
        try:
            data = base64.b64decode(model.data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise PregonError(f"{model.name}: the data of a picture is base64.") from error
        return Media(model.name, model.media_type, data, model.alt_text)
    found = known.get(model.sha256 or "")
    if found is None:
        raise PregonError(f"{model.name}: the draft has no such picture; send its data.")
    return Media(model.name, found.media_type, found.data, model.alt_text)


def show_content(content: Content) -> ContentOut:
    """A content as the API shows it."""
    body, shown = content.body, ContentOut(send_at=content.send_at, account=content.account)
    if content.sender:
        shown.sender = f"{content.sender.name} <{content.sender.address}>"
    if content.audience:
        shown.audience = AudienceModel.model_validate(_AUDIENCE.dump_python(content.audience))
    if isinstance(body, MailBody):
        shown.subject, shown.preheader, shown.html = body.subject, body.preheader, body.html
        shown.text, shown.calendar = body.text, body.calendar
    if isinstance(body, ThreadBody):
        shown.thread = [
            PartOut(text=p.text, weighted_length=p.weighted_length, pictures=len(p.media)) for p in body.parts
        ]
        shown.cost_usd = body.cost_usd
    if isinstance(body, TopicBody):
        shown.category, shown.tags = body.category, list(body.tags)
    if isinstance(body, PlaylistBody):
        kept = PlaylistFields(body.operations, body.reason)
        shown.playlist = PlaylistModel.model_validate({"type": "playlist", **_PLAYLIST.dump_python(kept)})
    return shown
