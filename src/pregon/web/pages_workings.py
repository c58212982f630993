"""Sources, contacts and channels: how they are, and what can be set going again."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData, UploadFile

from pregon.errors import NotFoundError, PregonError
from pregon.pipeline import ImportResult, Session
from pregon.types import ChannelName, Role
from pregon.web.desk import AnyDesk, Desk, go, read_said
from pregon.web.security import SignedForm, SignedIn, text_of
from pregon.web.workings import note, refuse_below

router = APIRouter()
_SHOWN = 200
_MOST_BYTES = 50 * 1024 * 1024


@router.get("/sources")
def show_sources(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """What is watched and how the last polls went."""
    lines = desk.pipeline.sources.list_sources()
    return desk.show("sources.html", session, lines=lines, said=read_said(request.query_params))


@router.post("/sources/check")
def check_sources(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Poll every source now and draft what it brings."""
    refuse_below(session.user, Role.EDITOR)
    done = desk.tell("pregon.source.changed", "pregon.source.asked", lambda: _watch(desk))
    return go("/sources", said="checked" if done else "checking")


def _watch(desk: AnyDesk) -> None:
    for result in desk.pipeline.watching.watch(force=True):
        for item_id in (*result.new, *result.changed):
            desk.pipeline.drafting.open_campaign(item_id)


@router.get("/contacts")
def show_contacts(request: Request, desk: AnyDesk, session: SignedIn, q: str = "") -> Response:
    """Members and subscribers: how many, on which lists, and who must not be written to."""
    return _contacts_page(desk, session, q=q, said=read_said(request.query_params))


def _contacts_page(
    desk: Desk, session: Session, *, status: int = 200, q: str = "", said: str = "", outcome: ImportResult | None = None
) -> Response:
    store, text = desk.pipeline.store, q.strip()[:200]
    people, found = store.search_contacts(text, _SHOWN)
    return desk.show(
        "contacts.html",
        session,
        status=status,
        count=store.count_contacts(),
        found=found,
        people=people,
        counts=store.count_contacts_by(),
        suppressions=store.list_suppressions(),
        q=q,
        said=said,
        outcome=outcome,
    )


@router.post("/contacts/import")
def import_contacts(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Look at a CSV file of contacts, or take it; either way every unusable row is shown with its line."""
    refuse_below(session.user, Role.APPROVER)
    upload, is_trial = _read_upload(form), text_of(form, "word") != "import"
    outcome = desk.pipeline.contacts.import_file(upload.file, name=upload.filename or "", dry_run=is_trial)
    if is_trial:
        return _contacts_page(desk, session, outcome=outcome)
    detail = f"{outcome.accepted} accepted, {outcome.rejected_count} rejected"
    note(desk, session.user, "import", "contacts", detail)
    return _contacts_page(desk, session, outcome=outcome, said=f"Imported: {detail}.")


def _read_upload(form: FormData) -> UploadFile:
    upload = form.get("file")
    if not isinstance(upload, UploadFile) or not upload.size:
        raise PregonError("Choose a CSV file first; its first line names the columns, one of them email.")
    if upload.size > _MOST_BYTES:
        raise PregonError("The file is larger than 50 MB; `pregon contacts import` takes it.")
    return upload


@router.get("/channels")
def show_channels(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """The ways out: sandbox or live, going or paused."""
    settings = desk.pipeline.settings
    channels = [(name, settings.channel(name), desk.pipeline.store.read_pause(name)) for name in ChannelName]
    return desk.show("channels.html", session, channels=channels, said=read_said(request.query_params))


@router.post("/channels/{name}/resume")
def resume_channel(name: str, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Let a paused channel go on."""
    refuse_below(session.user, Role.APPROVER)
    if name not in set(ChannelName):
        raise NotFoundError(f"There is no channel {name!r}.")
    desk.pipeline.delivering.resume(ChannelName(name))
    note(desk, session.user, "resume", name, "")
    return go("/channels", said="resumed")
