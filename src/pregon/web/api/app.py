"""The API's application: its routes, its description, and one shape for everything that can go wrong."""

from __future__ import annotations

import logging
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from pregon import __version__
from pregon.errors import DecisionError, NotAllowedError, NotFoundError, PregonError, StaleRevisionError
from pregon.web.api.access import NoTokenError, find_role
from pregon.web.api.body import SmallBodies
from pregon.web.api.campaigns import router as campaigns
from pregon.web.api.contacts import router as contacts
from pregon.web.api.deliveries import router as deliveries
from pregon.web.api.drafts import router as drafts
from pregon.web.api.models import ErrorOut, ProblemOut
from pregon.web.api.workings import router as workings
from pregon.web.desk import Desk

_log = logging.getLogger(__name__)
_PARTS = (campaigns, drafts, deliveries, contacts, workings)
_ABOUT = """Read campaigns and drafts, edit, decide, look after contacts, and see what became of it.

Every call carries `Authorization: Bearer pregon_...`; people make tokens on their account page. A token acts for its
person with the role it was given. Errors are `{"error": {"id": "...", "message": "one sentence"}}`.
"""
# The most specific first.
_PROBLEMS: tuple[tuple[type[Exception], int, str], ...] = (
    (StaleRevisionError, 409, "stale-revision"),
    (DecisionError, 409, "not-now"),
    (NotFoundError, 404, "not-found"),
    (NotAllowedError, 403, "not-allowed"),
    (PregonError, 400, "refused"),
)
_HTTP = {
    400: ("unreadable", "The body cannot be read; send JSON in UTF-8."),
    404: ("not-found", "There is no such address; /api/openapi.json lists them."),
    405: ("bad-method", "This address cannot be used that way; /api/openapi.json says how."),
    413: ("too-large", "The body is too large."),
}
_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorOut, "description": "The request makes no sense; the message says why."},
    401: {"model": ErrorOut, "description": "No token, or one that does not count."},
    403: {"model": ErrorOut, "description": "The token's role does not include this."},
    404: {"model": ErrorOut, "description": "There is no such thing."},
    409: {"model": ErrorOut, "description": "Not now: something changed, or a rule stands against it."},
    413: {"model": ErrorOut, "description": "The body is too large."},
    422: {"model": ErrorOut, "description": "A value is missing or wrong; the message names it."},
}


def build_api(desk: Desk) -> FastAPI:
    """The application that is mounted at /api."""
    api = FastAPI(
        title="pregon",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        responses=_DOCUMENTED,
        servers=[{"url": "/api"}],
        root_path_in_servers=False,
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.desk = desk
    api.add_middleware(SmallBodies)
    for part in _PARTS:
        api.include_router(part)
    api.add_exception_handler(NoTokenError, _say_no_token)
    api.add_exception_handler(PregonError, _say_problem)
    api.add_exception_handler(HTTPException, _say_http)
    api.add_exception_handler(RequestValidationError, _say_invalid)
    api.add_exception_handler(Exception, _say_failure)
    _describe_roles(api)
    return api


def list_operations(routes: list[BaseRoute]) -> list[APIRoute]:
    """Every route of an application, those of included routers, too."""
    found: list[APIRoute] = []
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            found += list_operations(inner.routes)
        elif isinstance(route, APIRoute):
            found.append(route)
    return found


def _describe_roles(api: FastAPI) -> None:
    """Say of each operation which role it needs: read from the operation itself, so that the two cannot differ."""
    for route in list_operations(api.routes):
        role = find_role(route.dependant)
        if role is None:
            raise ValueError(f"{route.path} asks for no role")
        route.openapi_extra = {**(route.openapi_extra or {}), "x-role": role.value}
        route.description = f"{route.description}\n\nNeeds the role {role}."


def _error(status: int, identity: str, message: str, **headers: str) -> JSONResponse:
    body = ErrorOut(error=ProblemOut(id=identity, message=message))
    return JSONResponse(body.model_dump(exclude_none=True), status, headers=headers or None)


def _say_no_token(_request: Request, error: Exception) -> Response:
    return _error(401, "no-token", str(error), **{"WWW-Authenticate": 'Bearer realm="pregon"'})


def _say_problem(_request: Request, error: Exception) -> Response:
    status, identity = next((code, name) for kind, code, name in _PROBLEMS if isinstance(error, kind))
    return _error(status, identity, str(error))


def _say_http(_request: Request, error: Exception) -> Response:
    found = cast(HTTPException, error)
    identity, message = _HTTP.get(found.status_code, ("refused", "That cannot be done."))
    return _error(found.status_code, identity, message, **dict(found.headers or {}))


def _say_invalid(_request: Request, error: Exception) -> Response:
    problem = cast(RequestValidationError, error).errors()[0]
    where = ".".join(str(part) for part in problem["loc"] if part != "body")
    message = problem["msg"].removeprefix("Value error, ")
    said = f"{where}: {message}" if where else message
    # A value that cannot be written must not come back in the message about it.
    return _error(422, "invalid", said.encode(errors="replace").decode()[:500])


def _say_failure(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _error(500, "failed", "Something went wrong here, and it was written to the log. Try again later.")
