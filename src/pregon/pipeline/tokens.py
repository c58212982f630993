"""Tokens with which a program acts for a person: shown once, kept as a hash, with a role, an end and a last use.

A token is 32 random bytes, so its plain SHA-256 cannot be guessed back and needs no slow hash.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta

from pregon.errors import NotAllowedError, NotFoundError, PregonError
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import ApiToken, AuditEntry, Role, User

PREFIX = "pregon_"
LONGEST_DAYS = 366
_HINT_LENGTH = len(PREFIX) + 4


class Tokens:
    """Create, use, revoke."""

    def __init__(self, store: Storage, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def create(self, user: User, name: str, role: Role, days: int) -> tuple[str, ApiToken]:
        """A token that acts for this person with at most their own role; its text is not kept. Raises `PregonError`."""
        label = " ".join(name.split())
        if not label or len(label) > 80:
            raise PregonError("Give the token a name of 1 to 80 characters that says which program has it.")
        if not 1 <= days <= LONGEST_DAYS:
            raise PregonError(f"A token lasts 1 to {LONGEST_DAYS} days.")
        if not user.role.includes(role):
            raise NotAllowedError(f"A token cannot do more than you: your role is {user.role}.")
        text, now = PREFIX + secrets.token_urlsafe(32), self._clock()
        token = ApiToken(0, user.name, label, text[:_HINT_LENGTH], role, now, now + timedelta(days=days))
        token = replace(token, id=self._store.add_token(user.id, token, _hash(text)))
        self._audit(user, token, f"created with role {role} for {days} days")
        return text, token

    def person(self, text: str) -> User | None:
        """The person that a token acts for, with the role that it has; None when it does not count (any more)."""
        if not text.startswith(PREFIX) or len(text) > 100 or not text.isascii():
            return None
        found = self._store.use_token(_hash(text), self._clock())
        if found is None:
            return None
        user, token = found
        # Who was given a smaller role since has no more by their tokens, either.
        return user if token.role.includes(user.role) else replace(user, role=token.role)

    def list_own(self, user: User) -> tuple[ApiToken, ...]:
        """A person's tokens, newest first."""
        return self._store.list_tokens(user.id)

    def list_all(self, user: User) -> tuple[ApiToken, ...]:
        """Everybody's tokens, for an admin. Raises `NotAllowedError`."""
        if not user.role.includes(Role.ADMIN):
            raise NotAllowedError(f"Your role, {user.role}, does not include this; an admin can do it.")
        return self._store.list_tokens()

    def revoke(self, token_id: int, user: User) -> None:
        """End one's own token, or as an admin anybody's. Raises `NotFoundError`."""
        everybody = user.role.includes(Role.ADMIN)
        token = next(
            (each for each in self._store.list_tokens(None if everybody else user.id) if each.id == token_id), None
        )
        if token is None or not self._store.revoke_token(token_id, self._clock(), None if everybody else user.id):
            raise NotFoundError("There is no such token that still counts.")
        self._audit(user, token, "revoked")

    def _audit(self, user: User, token: ApiToken, detail: str) -> None:
        subject = f"{token.person}: {token.name}"[:120]
        self._store.add_audit(AuditEntry(self._clock(), user.name, "token", subject, detail))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
