"""People of the desk: passwords (argon2id), sessions, a throttle on signing in."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pregon.errors import NotAllowedError, NotFoundError, PregonError
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import Role, User

SESSION_LENGTH = timedelta(hours=12)
_THROTTLE_WINDOW, _THROTTLE_AFTER = timedelta(minutes=15), 5
_SHORTEST_PASSWORD = 10


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. `csrf` must come back with every form."""

    user: User
    csrf: str


class People:
    """Users and sessions."""

    def __init__(self, store: Storage, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._hasher = PasswordHasher()

    def add_user(self, name: str, password: str, role: Role) -> None:
        """Add a person, or give a known one another password and role. Raises `PregonError` for a weak password."""
        if not name.strip() or len(name) > 80:
            raise PregonError("A user's name has 1 to 80 characters.")
        if len(password) < _SHORTEST_PASSWORD:
            raise PregonError(f"A password needs at least {_SHORTEST_PASSWORD} characters.")
        self._store.save_user(name.strip(), self._hasher.hash(password), role, self._clock())

    def user(self, name: str) -> User:
        """A person by name. Raises `NotFoundError`."""
        found = self._store.read_user(name)
        if found is None:
            raise NotFoundError(f"There is no user {name!r}; `pregon user add {name} --role approver` makes one.")
        return found[0]

    def change_password(self, name: str, old: str, new: str) -> None:
        """A person's own new password, which ends every session of theirs. Raises `NotAllowedError`, `PregonError`."""
        user = self._check_password(name, old)
        self.add_user(user.name, new, user.role)

    def sign_in(self, name: str, password: str) -> str:
        """A session token for the right password. Raises `NotAllowedError`, also when there were too many attempts."""
        user, now = self._check_password(name, password), self._clock()
        token = secrets.token_urlsafe(32)
        csrf, ends = secrets.token_urlsafe(24), now + SESSION_LENGTH
        self._store.add_session(_hash_token(token), user.id, csrf, now, ends)
        return token

    def _check_password(self, name: str, password: str) -> User:
        now = self._clock()
        if self._store.count_failed_logins(name, now - _THROTTLE_WINDOW) >= _THROTTLE_AFTER:
            raise NotAllowedError("Too many attempts; wait a quarter of an hour and try again.")
        found = self._store.read_user(name)
        valid = self._verify(found[1] if found else None, password)
        self._store.add_login_attempt(name, valid, now)
        if not valid or found is None:
            raise NotAllowedError("The name or the password is not right.")
        return found[0]

    def _verify(self, password_hash: str | None, password: str) -> bool:
        # An unknown name costs as much time as a known one, so that names cannot be guessed by the clock.
        try:
            return self._hasher.verify(password_hash or self._hasher.hash("no such person"), password)
        except (VerificationError, InvalidHashError):
            return False

    def session(self, token: str | None) -> Session | None:
        """The live session of a token."""
        found = self._store.read_session(_hash_token(token), self._clock()) if token else None
        return Session(*found) if found else None

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._store.end_session(_hash_token(token))


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
