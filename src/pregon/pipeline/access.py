"""Whether a person may come in at all, and by which ways: people who leave, and sign-in accounts linked to known people.

Signing in itself stands in `people`. What a role may do is asked where it is done, not here.
"""

from __future__ import annotations

from pregon.errors import DecisionError, NotAllowedError, NotFoundError
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import AuditEntry, Role, User


class Access:
    """Deactivate and reactivate; link and unlink a sign-in provider."""

    def __init__(self, store: Storage, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def deactivate(self, name: str, admin: User) -> None:
        """Let somebody in no longer: their sessions and tokens end at once, what they did stays theirs.

        Raises `NotAllowedError`, `NotFoundError`, and `DecisionError` for oneself and for the last admin.
        """
        person = self._person(name, admin)
        if person.id == admin.id:
            raise DecisionError("You cannot deactivate yourself; another admin can.")
        if not self._store.deactivate_user(person.id, self._clock()):
            raise DecisionError(f"{name} is the last admin; make somebody else an admin first.")
        self._audit(admin, name, "deactivated; sessions and tokens ended")

    def reactivate(self, name: str, admin: User) -> None:
        """Let somebody in again, as they were; tokens that ended stay ended. Raises as `deactivate` does."""
        person = self._person(name, admin)
        self._store.reactivate_user(person.id)
        self._audit(admin, name, "reactivated")

    def link(self, user: User, subject: str) -> None:
        """Let a person sign in with their account at the provider as well. Raises `DecisionError` when it is another's."""
        if not self._store.link_subject(user.id, subject[:400]):
            raise DecisionError("That account signs in somebody else here already, so it was not linked.")
        self._audit(user, user.name, "linked their account at the sign-in provider")

    def unlink(self, user: User) -> None:
        """End that. Raises `DecisionError` for a person who could not come in any more."""
        if not self._store.unlink_subject(user.id):
            raise DecisionError("You have no password here, so you could not sign in any more; ask an admin for one.")
        self._audit(user, user.name, "unlinked their account at the sign-in provider")

    def ways_in(self, user: User) -> tuple[bool, bool]:
        """Whether a person has a password, and whether an account at the provider is linked."""
        return self._store.read_ways_in(user.id)

    def _person(self, name: str, admin: User) -> User:
        if not admin.role.includes(Role.ADMIN):
            raise NotAllowedError(f"Your role, {admin.role}, does not include this; an admin can do it.")
        found = self._store.read_user(name)
        if found is None:
            raise NotFoundError(f"There is no person called {name!r}.")
        return found[0]

    def _audit(self, by: User, person: str, detail: str) -> None:
        self._store.add_audit(AuditEntry(self._clock(), by.name, "person", person, detail))
