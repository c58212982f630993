"""Choosing the language of the desk: it is kept in the browser, so that the sign-in page speaks it as well."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from pregon.web.desk import AnyDesk
from pregon.web.language import COOKIE, LANGUAGES
from pregon.web.pages_session import safe_path
from pregon.web.security import OpenForm, is_secure, text_of

router = APIRouter()
_YEAR = 365 * 24 * 3600


@router.post("/language")
def choose(desk: AnyDesk, form: OpenForm) -> Response:
    """Remember the language for a year and go back to the page; one that the desk does not speak changes nothing."""
    language = text_of(form, "language")
    response = RedirectResponse(safe_path(text_of(form, "next")), 303)
    if language in LANGUAGES:
        secure = is_secure(desk)
        response.set_cookie(COOKIE, language, max_age=_YEAR, path="/", secure=secure, httponly=True, samesite="lax")
    return response
