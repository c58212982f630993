"""People of the desk: passwords (argon2id), signing in, sessions. Tokens and the second step stand in modules of their own."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pregon.errors import DecisionError, NotAllowedError, NotFoundError, PregonError
from pregon.pipeline.access import Access
from pregon.pipeline.protocols import Clock, Storage
from pregon.pipeline.second_step import SecondStep
from pregon.pipeline.throttle import KNOWN_FOR, Throttle
from pregon.pipeline.tokens import Tokens
from pregon.settings import DeskConfig
from pregon.types import AuditEntry, OpenSession, Person, Role, User

_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 10, 1_000
_STEP_LENGTH = timedelta(minutes=10)
_CODE_TRIES = 5
_CODE, _PROVIDER, _LINK = "code", "provider", "link"
_OVER = "This took too long; sign in again."


@dataclass(frozen=True, slots=True)
class Where:
    """Where a request came from: its address, and what the browser calls itself."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a right password gives: a session's token, or (`needs_code`) the token of a sign-in that wants a code."""

    token: str
    needs_code: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. `csrf` must come back with every form.

    `must_enrol`: their role has to set up the second step before they can do anything else.
    """

    user: User
    csrf: str
    has_second_step: bool = False
    must_enrol: bool = False


class People:
    """Users and sessions."""

    def __init__(
        self, store: Storage, clock: Clock, rules: DeskConfig | None = None, key: bytes = b"", *, issuer: str = "desk"
    ) -> None:
        self._store, self._clock, self._rules = store, clock, rules or DeskConfig()
        self._hasher = PasswordHasher()
        self.throttle = Throttle(store, clock)
        self.second_step = SecondStep(store, clock, key, issuer)
        self.tokens = Tokens(store, clock)
        self.access = Access(store, clock)

    @property
    def session_length(self) -> timedelta:
        """How long a session lasts at most."""
        return timedelta(hours=self._rules.session_hours)

    # --- people

    def add_user(self, name: str, password: str, role: Role) -> None:
        """Add a person, or give a known one another password and role.

        Raises `PregonError` for a weak password, `DecisionError` for another role of the last admin.
        """
        if not name.strip() or len(name) > 80 or not name.isprintable():
            raise PregonError("A user's name has 1 to 80 characters.")
        known = self._store.read_user(name.strip())
        if known and not self._store.is_active(known[0].id):
            raise PregonError(f"{name.strip()} was deactivated; reactivate them first.")
        if not self._store.save_user(name.strip(), self._hash(password), role, self._clock()):
            raise DecisionError(f"{name.strip()} is the last admin; make somebody else an admin first.")

    def user(self, name: str) -> User:
        """A person by name. Raises `NotFoundError`, and `NotAllowedError` for one who was deactivated."""
        found = self._store.read_user(name)
        if found is None:
            raise NotFoundError(f"There is no user {name!r}; `pregon user add {name} --role approver` makes one.")
        if not self._store.is_active(found[0].id):
            raise NotAllowedError(f"{name} was deactivated; an admin can reactivate them on the page People.")
        return found[0]

    def list_people(self, admin: User) -> tuple[Person, ...]:
        """Everybody, for an admin. Raises `NotAllowedError`."""
        if not admin.role.includes(Role.ADMIN):
            raise NotAllowedError(f"Your role, {admin.role}, does not include this; an admin can do it.")
        return self._store.list_people()

    def change_password(self, name: str, old: str, new: str, *, where: Where = Where(), kept: str = "") -> None:
        """A person's own new password, which ends every session of theirs but the one whose token is `kept`.

        Raises `NotAllowedError`, `PregonError`.
        """
        hashed = self._hash(new)
        user = self._check_password(name, old, where)
        self._store.save_password(user.id, hashed, _hash_token(kept) if kept else "")

    def _hash(self, password: str) -> str:
        if len(password) < _SHORTEST_PASSWORD:
            raise PregonError(f"A password needs at least {_SHORTEST_PASSWORD} characters.")
        if len(password) > _LONGEST_PASSWORD:
            raise PregonError(f"A password has at most {_LONGEST_PASSWORD} characters.")
        return self._hasher.hash(password)

    # --- signing in

    def sign_in(self, name: str, password: str, where: Where = Where()) -> SignIn:
        """What the right password gives. Raises `NotAllowedError`, also when there were too many attempts."""
        user = self._check_password(name, password, where)
        if not self.second_step.is_on(user):
            return SignIn(self._open_session(user, where, "password"))
        return SignIn(self._begin(_CODE, user.id, ""), needs_code=True)

    def finish_sign_in(self, token: str, code: str, where: Where = Where()) -> str:
        """A session's token for the code that a sign-in wants. Raises `NotAllowedError`; five wrong ones end the sign-in."""
        step = self._store.try_step(_hash_token(token), _CODE, self._clock())
        user = self._store.user_by_id(step.user_id) if step and step.user_id else None
        if step is None or user is None or step.tries > _CODE_TRIES:
            raise NotAllowedError(_OVER)
        self.throttle.admit(user.name, where.address)
        valid = self.second_step.check(user, code)
        self.throttle.note(user.name, where.address, succeeded=valid)
        if not valid:
            raise NotAllowedError("That code is not right, or it was used before; wait for the next one.")
        if not self._store.end_step(_hash_token(token)):
            raise NotAllowedError(_OVER)
        return self._open_session(user, where, "password and code")

    def turn_off_second_step(self, user: User, code: str, where: Where = Where()) -> None:
        """A person turns their second step off, with a code; guessing is throttled. Raises `NotAllowedError`."""
        self.throttle.admit(user.name, where.address)
        try:
            self.second_step.turn_off(user, code)
        except NotAllowedError:
            self.throttle.note(user.name, where.address, succeeded=False)
            raise

    def begin_with_provider(self, data: str) -> str:
        """A token for a person who leaves for the sign-in provider; `data` is kept here until they come back."""
        return self._begin(_PROVIDER, None, data)

    def come_back(self, token: str) -> str:
        """The data of `begin_with_provider`, once. Raises `NotAllowedError`."""
        step = self._store.try_step(_hash_token(token), _PROVIDER, self._clock()) if token else None
        if step is None or not self._store.end_step(_hash_token(token)):
            raise NotAllowedError(_OVER)
        return step.data

    def sign_in_provided(self, subject: str, name: str, role: Role, where: Where = Where(), *, email: str = "") -> str:
        """A session's token for a person whom the provider vouches for; unknown people are added.

        The one person whose address the desk knows as `email` (verified by the provider; "" for none) is linked instead.
        The provider's word on the role replaces the one before. Raises `NotAllowedError`.
        """
        label = " ".join(name.split())[:80]
        if not label.isprintable():
            raise NotAllowedError("The sign-in provider gives a name that cannot be shown; ask who runs it.")
        before = self._store.user_by_subject(subject[:400])
        save = self._store.save_provided_user
        user = save(subject[:400], label, role, self._clock(), email) if label else None
        if user is None:
            raise NotAllowedError(
                "Somebody else has that name here and signs in with a password. If it is you, sign in with it and link "
                "the two on your account page; else ask an admin to give one of you another name."
            )
        if not self._store.is_active(user.id):
            raise NotAllowedError("An admin has deactivated you here; ask one to let you in again.")
        if before is None or before.role is not user.role:
            detail = f"role {user.role}, as the sign-in provider says"
            self._store.add_audit(AuditEntry(self._clock(), "pregon", "person", user.name, detail))
        return self._open_session(user, where, "provider")

    def begin_link(self, user: User, data: str) -> str:
        """A token for a person who came back from the provider to link their account; `data` is kept until they say yes."""
        return self._begin(_LINK, user.id, data)

    def finish_link(self, user: User, token: str) -> str:
        """The data of `begin_link`, once, for the person who began it. Raises `NotAllowedError`."""
        step = self._store.try_step(_hash_token(token), _LINK, self._clock()) if token else None
        if step is None or step.user_id != user.id or not self._store.end_step(_hash_token(token)):
            raise NotAllowedError("This took too long; begin again on your account page.")
        return step.data

    def _begin(self, kind: str, user_id: int | None, data: str) -> str:
        token, now = secrets.token_urlsafe(32), self._clock()
        self._store.add_step(_hash_token(token), kind, user_id, data, now + _STEP_LENGTH, now)
        return token

    def _open_session(self, user: User, where: Where, how: str) -> str:
        token, now = secrets.token_urlsafe(32), self._clock()
        self._store.add_session(
            _hash_token(token),
            user.id,
            secrets.token_urlsafe(24),
            now,
            now + self.session_length,
            address=where.address,
            agent=where.agent,
            how=how,
        )
        return token

    def _check_password(self, name: str, password: str, where: Where) -> User:
        self.throttle.admit(name, where.address)
        found = self._store.read_user(name)
        valid = (
            self._verify(found[1] if found else "", password)
            and found is not None
            and self._store.is_active(found[0].id)
        )
        self.throttle.note(name, where.address, succeeded=valid)
        if not valid or found is None:
            raise NotAllowedError("The name or the password is not right.")
        return found[0]

    def _verify(self, password_hash: str, password: str) -> bool:
        # An unknown name costs as much time as a known one, so that names cannot be guessed by the clock.
        try:
            valid = self._hasher.verify(password_hash or self._nobodys_hash, password[:_LONGEST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return False
        return valid and bool(password_hash)

    @cached_property
    def _nobodys_hash(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(32))

    def forget_attempts(self) -> int:
        """Attempts to sign in are kept as long as the throttle looks at them. Returns how many were forgotten."""
        return self._store.forget_login_attempts(self._clock() - KNOWN_FOR)

    # --- sessions

    def session(self, token: str | None) -> Session | None:
        """The live session of a token."""
        idle = timedelta(minutes=self._rules.idle_minutes)
        found = self._store.read_session(_hash_token(token), self._clock(), idle) if token else None
        if found is None:
            return None
        user, csrf, how, has_second_step = found
        # Who comes from the provider has been asked there for what the house asks for.
        must_enrol = user.role in self._rules.require_totp_for and not has_second_step and how != "provider"
        return Session(user, csrf, has_second_step, must_enrol)

    def list_sessions(self, user: User) -> tuple[OpenSession, ...]:
        """A person's own open sessions, newest first."""
        return self._store.list_sessions(user.id, self._clock())

    def session_id(self, token: str) -> str:
        """What `list_sessions` calls the session of a token."""
        return _hash_token(token)[:20]

    def end_session(self, user: User, session_id: str) -> None:
        """End one of a person's own sessions. Raises `NotFoundError`."""
        if not self._store.end_session_by_id(user.id, session_id):
            raise NotFoundError("That session has ended already.")

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._store.end_session(_hash_token(token))


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
