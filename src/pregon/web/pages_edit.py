"""Editing one draft: its fields as a form, the form's own buttons, the live check, the pictures. Saves nothing unasked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.datastructures import FormData

from pregon.drafts import post_limit
from pregon.drafts.pictures import name_picture
from pregon.drafts.thread_edits import list_parts
from pregon.errors import NotFoundError, PastTimeError, PregonError, StaleRevisionError
from pregon.pipeline import CampaignView, DraftView, Session
from pregon.types import (
    Fields,
    MailFields,
    Media,
    PlaylistFields,
    PlaylistOperation,
    PostFields,
    Revision,
    Role,
    ThreadBody,
)
from pregon.web.desk import AnyDesk, Desk, go, read_said
from pregon.web.forms import Shelf, change_fields, name_audience, read_fields, read_send_at, show_operations, write_text
from pregon.web.highlight import diff_words
from pregon.web.language import say_sentence
from pregon.web.pages_drafts import DraftId
from pregon.web.security import SignedForm, SignedIn, text_of, texts_of
from pregon.web.wording import say_count, say_when
from pregon.web.workings import refuse_below

router = APIRouter(prefix="/drafts/{draft_id}")
# A picture is looked at, never run: whatever its bytes are, the browser is told what they may do.
_PICTURE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "private, max-age=86400, immutable",
    "Content-Disposition": "inline",
}
_SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PictureName = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.get("/edit")
def show_edit(draft_id: DraftId, request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """The fields of the newest revision."""
    campaign, view = desk.pipeline.reviewing.show_draft(draft_id)
    said = read_said(request.query_params)
    return _edit_page(desk, session, campaign, view, view.revision, view.revision.fields, said=said)


@router.post("/edit")
def edit(draft_id: DraftId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Save the form as the next revision, or show both texts when somebody saved in between.

    With one of the form's own buttons (`act`) nothing is saved: the form comes back changed.
    """
    refuse_below(session.user, Role.EDITOR)
    campaign, view = desk.pipeline.reviewing.show_draft(draft_id)
    base = _read_base(desk, view, form)
    shown = base or view.revision
    shelf = _fill_shelf(desk, form, shown, view.revision)
    try:
        fields = read_fields(form, shown.fields, shelf)
        send_at = read_send_at(form, desk.pipeline.settings.network.time_zone)
        if act := text_of(form, "act"):
            cursor = text_of(form, "cursor")
            fields = change_fields(fields, act, int(cursor) if cursor.isdecimal() and len(cursor) < 6 else 0)
            _keep_pictures(desk, session, fields, shelf)
            return _edit_page(desk, session, campaign, view, shown, fields, send_at=send_at)
        if base == view.revision and (fields, send_at) == (base.fields, base.content.send_at):
            return go(f"/campaigns/{campaign.campaign.slug}#draft-{draft_id}", said="unchanged")
        desk.pipeline.reviewing.edit_draft(draft_id, base.number if base else -1, fields, session.user, send_at=send_at)
    except StaleRevisionError:
        _keep_pictures(desk, session, fields, shelf)
        return _collision_page(desk, session, draft_id, fields, send_at)
    except PastTimeError as error:
        _keep_pictures(desk, session, fields, shelf)
        told = {"send_at": send_at, "late": str(error)}
        return _edit_page(desk, session, campaign, view, shown, fields, status=409, **told)
    return go(f"/campaigns/{campaign.campaign.slug}#draft-{draft_id}", said="saved")


def _collision_page(desk: Desk, session: Session, draft_id: int, fields: Fields, send_at: Any) -> HTMLResponse:
    campaign, view = desk.pipeline.reviewing.show_draft(draft_id)
    theirs = write_text(view.revision.fields)
    difference = diff_words(theirs, write_text(fields))
    told = {"theirs": theirs, "difference": difference, "send_at": send_at}
    return _edit_page(desk, session, campaign, view, view.revision, fields, status=409, **told)


def _read_base(desk: Desk, view: DraftView, form: FormData) -> Revision | None:
    """The revision that the form was made from; its changes and pictures are counted by that one's places."""
    number = text_of(form, "base")
    if not number.isdecimal() or not 0 < int(number) <= view.draft.revision:
        return None
    return desk.pipeline.store.read_revision(view.draft.id, int(number))


def _fill_shelf(desk: Desk, form: FormData, *revisions: Revision) -> Shelf:
    pictures = {name: picture for revision in revisions for name, picture in list_pictures(revision.fields)}
    for named in texts_of(form, "picture"):
        name = named.partition(":")[2]
        if name not in pictures and (upload := desk.pipeline.store.read_upload(name)):
            pictures[name] = upload
    chosen = (None, *desk.pipeline.composing.list_audiences())
    audiences = {name_audience(audience): audience for audience in chosen}
    return Shelf(pictures, audiences)


def list_pictures(fields: Fields) -> list[tuple[str, Media]]:
    """Every picture of a post or thread, with its name."""
    attached = fields.media if isinstance(fields, PostFields) else ()
    return [(name_picture(picture.data), picture) for pictures in attached for picture in pictures]


def _keep_pictures(desk: Desk, session: Session, fields: Fields, shelf: Shelf) -> None:
    """Put pictures that were only just chosen where the next page finds them."""
    for name, picture in list_pictures(fields):
        if name not in shelf.pictures:
            desk.pipeline.reviewing.keep_picture(picture, session.user)


def _edit_page(
    desk: Desk,
    session: Session,
    campaign: CampaignView,
    view: DraftView,
    base: Revision,
    fields: Fields,
    *,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    send_at = values.get("send_at", base.content.send_at)
    shown = {
        "said": "",
        "late": "",
        "theirs": None,
        "difference": None,
        "send_at": send_at,
        "parts": _show_parts(fields),
    } | values
    return desk.show(
        "edit.html",
        session,
        status=status,
        campaign=campaign.campaign,
        item=campaign.source.item,
        view=view,
        base=base,
        fields=fields,
        when=say_when(send_at, desk.pipeline.settings.network.time_zone),
        whom=_count_reached(desk, view, fields),
        audiences=_list_audiences(desk, view, fields),
        changes=_show_changes(base.fields, fields),
        **shown,
    )


def _show_parts(fields: Fields) -> list[tuple[str, list[tuple[str, Media]]]]:
    if not isinstance(fields, PostFields):
        return []
    return [(text, [(name_picture(each.data), each) for each in media]) for text, media in list_parts(fields)]


def _show_changes(base: Fields, fields: Fields) -> list[tuple[PlaylistOperation, bool, int]]:
    if not isinstance(base, PlaylistFields) or not isinstance(fields, PlaylistFields):
        return []
    return show_operations(base, fields)


def _list_audiences(desk: Desk, view: DraftView, fields: Fields) -> list[tuple[str, str, bool]]:
    """(key, name, chosen) of whom the newsletter can address."""
    if not isinstance(fields, MailFields):
        return []
    choices = desk.pipeline.reviewing.choose_audiences(view.draft.id)
    return [(name_audience(each.chosen), each.audience.name, each.chosen == fields.audience) for each in choices]


def _count_reached(desk: Desk, view: DraftView, fields: Fields) -> str:
    if not isinstance(fields, MailFields):
        return ""
    return say_count(desk.pipeline.reviewing.count_reached(view.draft.id, fields))


@router.post("/check")
def check_fields(draft_id: DraftId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """What the form would render to, for the live count and checks while typing; nothing is stored."""
    refuse_below(session.user, Role.EDITOR)
    _, view = desk.pipeline.reviewing.show_draft(draft_id)
    shown = _read_base(desk, view, form) or view.revision
    try:
        fields = read_fields(form, shown.fields, _fill_shelf(desk, form, shown, view.revision))
        send_at = read_send_at(form, desk.pipeline.settings.network.time_zone)
    except PregonError as error:
        # Half a date is no reason for a page of its own while somebody is typing it.
        return JSONResponse(
            {"checks": [{"level": "error", "message": say_sentence(str(error)), "fix": ""}], "weights": []}
        )
    proposal = desk.pipeline.reviewing.try_fields(draft_id, fields, session.user, send_at=send_at)
    body = proposal.content.body
    checks = [
        {"level": check.level, "message": say_sentence(check.message), "fix": say_sentence(check.fix)}
        for check in proposal.checks
    ]
    return JSONResponse(
        {
            "checks": checks,
            "weights": [part.weighted_length for part in body.parts] if isinstance(body, ThreadBody) else [],
            "limit": post_limit(view.draft.channel) if isinstance(body, ThreadBody) else 0,
            "when": say_when(send_at, desk.pipeline.settings.network.time_zone),
            "whom": _count_reached(desk, view, fields),
        }
    )


@router.get("/pictures/{name}")
def show_picture(draft_id: DraftId, name: PictureName, desk: AnyDesk, session: SignedIn) -> Response:
    """One picture of the newest revision, or one that was just chosen; it can only be looked at."""
    draft = desk.pipeline.store.read_draft(draft_id)
    revision = desk.pipeline.store.read_revision(draft_id, draft.revision) if draft else None
    if revision is None:
        raise NotFoundError(f"There is no draft {draft_id}.")
    picture = dict(list_pictures(revision.fields)).get(name) or desk.pipeline.store.read_upload(name)
    if picture is None or picture.media_type not in _SHOWN_TYPES:
        raise NotFoundError("There is no such picture; it may have been replaced meanwhile.")
    return Response(picture.data, media_type=picture.media_type, headers=_PICTURE_HEADERS)
