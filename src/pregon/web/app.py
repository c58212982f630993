"""The web application: every route, and one clear sentence for everything that can go wrong."""

from __future__ import annotations

import logging
import re
from typing import cast
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import Mount

from pregon.errors import DecisionError, NotAllowedError, NotFoundError, PregonError, SignatureError
from pregon.pipeline import Pipeline
from pregon.web import (
    pages_account,
    pages_calendar,
    pages_campaigns,
    pages_contacts,
    pages_drafts,
    pages_edit,
    pages_hooks,
    pages_language,
    pages_people,
    pages_results,
    pages_session,
    pages_workings,
    readers,
    readers_signup,
    webhooks,
)
from pregon.web.api import build_api
from pregon.web.assets import STATIC
from pregon.web.desk import Desk, Hint, build_desk, get_desk
from pregon.web.language import SpeaksLanguage
from pregon.web.security import MustEnrolError, NotSignedInError, SecureHeaders, read_token

_log = logging.getLogger(__name__)
_PARTS = (
    pages_session,
    pages_language,
    pages_account,
    pages_campaigns,
    pages_drafts,
    pages_edit,
    pages_calendar,
    pages_results,
    pages_workings,
    pages_contacts,
    pages_people,
    pages_hooks,
    webhooks,
    readers,
    readers_signup,
)
_STATUS: dict[type[PregonError], int] = {
    NotFoundError: 404,
    NotAllowedError: 403,
    SignatureError: 403,
    DecisionError: 409,
}
_SENTENCES = {
    404: "There is no such page; the inbox shows what waits for you.",
    405: "This address cannot be used that way; go back and use the page's own buttons.",
    413: "That is more than the desk takes at once; send less.",
}


def build_app(pipeline: Pipeline, *, hint: Hint | None = None, engine_url: str | None = None) -> FastAPI:
    """The desk of a pipeline.

    `hint(event, resource)` tells the engine about work, as far as there is one; without it the buttons of the desk
    call the pipeline themselves. `engine_url` is where the engine shows its own pages.
    """
    app = FastAPI(title="pregon", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = build_desk(pipeline, hint, engine_url)
    app.add_middleware(SecureHeaders)
    app.add_middleware(SpeaksLanguage)
    for part in _PARTS:
        app.include_router(part.router)
    app.router.routes.append(_mount_api(app.state.desk))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_api_route("/healthz", _healthz, methods=["GET"])
    app.add_exception_handler(NotSignedInError, _ask_to_sign_in)
    app.add_exception_handler(MustEnrolError, _ask_to_enrol)
    app.add_exception_handler(PregonError, _say_problem)
    app.add_exception_handler(HTTPException, _say_http)
    app.add_exception_handler(RequestValidationError, _say_bad_address)
    app.add_exception_handler(Exception, _say_failure)
    return app


def _mount_api(desk: Desk) -> Mount:
    mount = Mount("/api", app=build_api(desk), name="api")
    # A line break in an address is no reason to answer a program with a page.
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


def _healthz() -> Response:
    return PlainTextResponse("ok")


def _ask_to_sign_in(request: Request, _error: Exception) -> Response:
    # A form that was sent without a session leads back to the page that it stood on, not to the form's own address.
    onward = request.url.path if request.method == "GET" else "/"
    query = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
    return RedirectResponse(f"/sign-in?next={quote(onward + query)}", 303)


def _ask_to_enrol(_request: Request, _error: Exception) -> Response:
    return RedirectResponse("/account/second-step", 303)


def _say_problem(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    return _problem_page(request, status, str(error))


def _say_http(request: Request, error: Exception) -> Response:
    status = cast(HTTPException, error).status_code
    return _problem_page(request, status, _SENTENCES.get(status, "The desk cannot do that."))


def _say_bad_address(request: Request, _error: Exception) -> Response:
    return _problem_page(request, 404, _SENTENCES[404])


def _say_failure(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    sentence = "Something went wrong here, and it was written to the log. Try again; if it stays so, tell whoever runs the desk."
    return _problem_page(request, 500, sentence)


def _problem_page(request: Request, status: int, sentence: str) -> Response:
    desk: Desk = get_desk(request)
    try:
        session = desk.pipeline.people.session(read_token(desk, request))
    except Exception:
        # The page that reports a failing database must not need the database.
        session = None
    return desk.show("problem.html", session, status=status, code=status, sentence=sentence)
