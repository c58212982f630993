"""Who decides, and what a decision is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What a person decides about a revision."""

    APPROVED = "approved"
    NEEDS_CHANGES = "needs_changes"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class Role(StrEnum):
    """What a person of the desk may do; each includes the ones before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class User:
    """A person of the desk. `email` is where they get tests of what they draft; "" for none."""

    id: int
    name: str
    role: Role
    email: str = ""
