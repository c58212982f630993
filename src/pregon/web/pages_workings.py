"""Sources, contacts and channels: how they are, and what can be set going again."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pregon.errors import NotAllowedError, NotFoundError
from pregon.types import ChannelName, Role, User
from pregon.web.desk import AnyDesk, go, read_said
from pregon.web.security import SignedForm, SignedIn

router = APIRouter()
_SHOWN = 200


def refuse_below(user: User, role: Role) -> None:
    """Raise `NotAllowedError` unless the person's role includes `role`: for what has no decision of its own."""
    if not user.role.includes(role):
        raise NotAllowedError(f"Your role, {user.role}, does not include this; an {role} can do it.")


@router.get("/sources")
def show_sources(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """What is watched and how the last polls went."""
    health = {each.id: each for each in desk.pipeline.store.list_source_health()}
    return desk.show(
        "sources.html",
        session,
        sources=desk.pipeline.settings.sources,
        health=health,
        said=read_said(request.query_params),
    )


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
    people = desk.pipeline.store.list_contacts()
    wanted = q.casefold().strip()
    found = [c for c in people if wanted in f"{c.name} {c.address} {c.organisation} {c.city}".casefold()]
    return desk.show(
        "contacts.html",
        session,
        count=len(people),
        found=len(found),
        people=found[:_SHOWN],
        states=Counter(str(c.state) for c in people),
        lists=Counter(name for c in people for name in c.lists),
        languages=Counter(c.language for c in people),
        suppressions=desk.pipeline.store.list_suppressions(),
        q=q,
        said=read_said(request.query_params),
    )


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
    return go("/channels", said="resumed")
