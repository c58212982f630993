"""Sources and channels: how they are, and what can be set going again."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pregon.errors import NotFoundError
from pregon.pipeline import Session
from pregon.types import Account, ChannelName, Role
from pregon.web.desk import AnyDesk, Desk, go, read_said
from pregon.web.security import SignedForm, SignedIn, text_of
from pregon.web.workings import refuse_below

router = APIRouter()


@router.get("/sources")
def show_sources(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """What is watched and how the last polls went."""
    lines = desk.pipeline.sources.list_sources()
    return desk.show(
        "sources.html",
        session,
        lines=lines,
        gaps=desk.pipeline.sources.list_gaps(),
        said=read_said(request.query_params),
    )


@router.post("/sources/check")
def check_sources(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Poll every source now and draft what it brings."""
    refuse_below(session.user, Role.EDITOR)
    return go("/sources", said="checked" if check_all_sources(desk) else "checking")


def check_all_sources(desk: Desk) -> bool:
    """Poll every source now, or let the engine do it. Returns whether it is done."""
    return desk.tell("pregon.source.changed", "pregon.source.asked", lambda: _watch(desk))


def _watch(desk: AnyDesk) -> None:
    for result in desk.pipeline.watching.watch(force=True):
        for item_id in (*result.new, *result.changed):
            desk.pipeline.drafting.open_campaign(item_id)


@router.get("/channels")
def show_channels(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """The ways out: sandbox or live, going or paused, their hours, quota and last success."""
    return _show_channels(request, desk, session)


def _show_channels(
    request: Request, desk: Desk, session: Session, asked: ChannelName | None = None, account: Account | None = None
) -> Response:
    settings, store = desk.pipeline.settings, desk.pipeline.store
    channels = [(name, settings.channel(name), store.read_pause(name)) for name in ChannelName]
    return desk.show(
        "channels.html",
        session,
        channels=channels,
        sent=store.last_successes(),
        used=_read_used(desk),
        quotas={name: settings.daily_quota(name) for name in ChannelName},
        said=read_said(request.query_params),
        asked=asked,
        account=account,
    )


@router.post("/channels/{name}/ask")
def ask_account(name: str, request: Request, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Ask a channel's provider whom we write as; nothing is written. The answer stands on the page once."""
    refuse_below(session.user, Role.APPROVER)
    channel = _channel(name)
    return _show_channels(request, desk, session, channel, desk.pipeline.trying.ask_account(channel))


def _read_used(desk: Desk) -> dict[ChannelName, tuple[date, int]]:
    used = {name: desk.pipeline.store.read_newest_quota(name) for name in ChannelName}
    return {name: (date.fromisoformat(use[0]), use[1]) for name, use in used.items() if use}


@router.post("/channels/{name}/pause")
def pause_channel(name: str, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Let nothing go out by a channel until somebody resumes it."""
    desk.pipeline.stopping.pause_channel(_channel(name), text_of(form, "reason"), session.user)
    return go("/channels", said="paused_channel")


def _channel(name: str) -> ChannelName:
    if name not in set(ChannelName):
        raise NotFoundError(f"There is no channel {name!r}.")
    return ChannelName(name)


@router.post("/channels/{name}/resume")
def resume_channel(name: str, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Let a paused channel go on."""
    desk.pipeline.stopping.resume_channel(_channel(name), session.user)
    return go("/channels", said="resumed")
