"""Signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pregon.errors import NotAllowedError
from pregon.web.desk import AnyDesk, go, read_said
from pregon.web.security import OpenForm, SignedForm, give_cookie, read_token, take_cookie, text_of

router = APIRouter()


def safe_path(path: str) -> str:
    """A path on this desk to go to; anything that could lead elsewhere becomes the inbox."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if inside else "/"


@router.get("/sign-in")
def show_sign_in(request: Request, desk: AnyDesk, next: str = "/") -> Response:
    """The form."""
    return desk.show("sign_in.html", next=safe_path(next), name="", problem="", said=read_said(request.query_params))


@router.post("/sign-in")
def sign_in(desk: AnyDesk, form: OpenForm) -> Response:
    """A session for the right password; the same sentence for a wrong name and a wrong password."""
    name, onward = text_of(form, "name").strip(), safe_path(text_of(form, "next"))
    try:
        token = desk.pipeline.people.sign_in(name, text_of(form, "password"))
    except NotAllowedError as error:
        return desk.show("sign_in.html", status=403, next=onward, name=name, problem=str(error), said="")
    response = go(onward)
    give_cookie(desk, response, token)
    return response


@router.post("/sign-out")
def sign_out(request: Request, desk: AnyDesk, form: SignedForm) -> Response:
    """End the session here and in the database."""
    desk.pipeline.people.sign_out(read_token(desk, request) or "")
    response = go("/sign-in")
    take_cookie(desk, response)
    return response
