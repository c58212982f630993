"""People whose password costs nothing to check, for tests that are not about its cost."""

from __future__ import annotations

from argon2 import PasswordHasher

from pregon.bootstrap import now
from pregon.pipeline import Pipeline
from pregon.types import Role

# Argon2's lowest cost. A hash names its own cost, so whoever signs in is checked as always, in no time.
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def add_person(pipeline: Pipeline, name: str, password: str, role: Role) -> None:
    """A person of the desk, as `People.add_user` adds them but for the cost."""
    pipeline.store.save_user(name, _CHEAP.hash(password), role, now())
