"""People of the desk as they are looked after: what they signed in with, the tokens that act for them, whom we tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pregon.types.approvals import Role, User


@dataclass(frozen=True, slots=True)
class Person:
    """A person as an admin sees them. `from_provider`: their account at the OpenID provider signs them in.

    `deactivated_at`: since when they may no longer come in; None for everybody else.
    """

    user: User
    created_at: datetime
    last_sign_in_at: datetime | None
    has_second_step: bool
    from_provider: bool
    deactivated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One open session of a person. `id` names it to them and opens nothing."""

    id: str
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str
    how: str


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token that acts for a person, with at most their role. `hint` is its first characters; the rest is not kept."""

    id: int
    person: str
    name: str
    hint: str
    role: Role
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignInStep:
    """What has begun and waits for its other half. `data` is what the kind of step needs to go on."""

    kind: str
    user_id: int | None
    data: str
    tries: int


@dataclass(frozen=True, slots=True)
class Hook:
    """An address that is told of events. `secret` is sealed; `last_result` a sentence on the newest attempt."""

    id: int
    url: str
    events: tuple[str, ...]
    secret: str
    active: bool
    created_by: str
    created_at: datetime
    swept_at: datetime
    last_at: datetime | None = None
    last_result: str = ""


@dataclass(frozen=True, slots=True)
class HookMessage:
    """One event for one hook. `fact` names what happened: one fact is told once. `body` is JSON as it is sent."""

    id: str
    hook_id: int
    fact: str
    event: str
    body: str
    state: str
    attempts: int
    detail: str
    created_at: datetime
    due_at: datetime
