"""Who calls: a Bearer token and nothing else. Cookies are not looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pregon.errors import NotAllowedError
from pregon.types import Role, User
from pregon.web.desk import Desk, get_desk

_scheme = HTTPBearer(
    scheme_name="token",
    description="A token of the account page: `pregon_...`.",
    bearerFormat="pregon_",
    auto_error=False,
)
_ROLE = "asks_for_role"


class NoTokenError(Exception):
    """There is no token, or it does not count (any more)."""


def _needs(role: Role) -> Callable[..., User]:
    def admit(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_scheme)] = None
    ) -> User:
        desk: Desk = get_desk(request)
        user = desk.pipeline.people.tokens.person(credentials.credentials) if credentials else None
        if user is None:
            raise NoTokenError(
                "Send a token that counts: Authorization: Bearer pregon_...; your account page makes one."
            )
        if not user.role.includes(role):
            raise NotAllowedError(f"The token's role, {user.role}, does not include this; it needs {role}.")
        return user

    setattr(admit, _ROLE, role)
    return admit


def find_role(dependant: Dependant) -> Role | None:
    """The role that an operation needs."""
    found: Role | None = getattr(dependant.call, _ROLE, None)
    for inner in dependant.dependencies:
        found = found or find_role(inner)
    return found


Viewer = Annotated[User, Depends(_needs(Role.VIEWER))]
Editor = Annotated[User, Depends(_needs(Role.EDITOR))]
Approver = Annotated[User, Depends(_needs(Role.APPROVER))]
