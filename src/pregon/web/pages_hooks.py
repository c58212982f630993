"""Hooks, for an admin: which addresses are told of what, how the last attempts went, a test, an end."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from pregon.errors import NotAllowedError, PregonError
from pregon.pipeline import EVENTS, Session
from pregon.web.desk import AnyDesk, Desk, go, read_said
from pregon.web.security import SignedForm, SignedIn, text_of, texts_of

router = APIRouter(prefix="/hooks")
HookId = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("")
def show_hooks(request: Request, desk: AnyDesk, session: SignedIn) -> Response:
    """Every hook with its last results."""
    return _page(desk, session, said=read_said(request.query_params))


def _page(
    desk: Desk,
    session: Session,
    *,
    status: int = 200,
    said: str = "",
    problem: str = "",
    secret: str = "",
    url: str = "",
) -> Response:
    views = desk.pipeline.notifying.list_hooks(session.user)
    values = {"views": views, "events": EVENTS, "said": said, "problem": problem, "secret": secret, "url": url}
    return desk.show("hooks.html", session, status=status, **values)


@router.post("")
def add_hook(desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """A new hook; its secret is on this one answer and nowhere else."""
    url, events = text_of(form, "url").strip(), tuple(dict.fromkeys(texts_of(form, "event")))
    try:
        _, secret = desk.pipeline.notifying.add_hook(url, events, session.user)
    except NotAllowedError:
        raise
    except PregonError as error:
        return _page(desk, session, status=400, problem=str(error), url=url)
    return _page(desk, session, secret=secret)


@router.post("/{hook_id}/test")
def test_hook(hook_id: HookId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Send a test event now."""
    desk.pipeline.notifying.test(hook_id, session.user)
    return go("/hooks", said="hook_test")


@router.post("/{hook_id}/switch")
def switch_hook(hook_id: HookId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Off, or on again."""
    desk.pipeline.notifying.switch(hook_id, session.user, on=text_of(form, "word") == "on")
    return go("/hooks", said="hook")


@router.post("/{hook_id}/remove")
def remove_hook(hook_id: HookId, desk: AnyDesk, session: SignedIn, form: SignedForm) -> Response:
    """Forget it."""
    desk.pipeline.notifying.remove(hook_id, session.user)
    return go("/hooks", said="hook_removed")
