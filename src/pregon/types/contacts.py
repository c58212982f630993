"""People we may write to, and the rules that select them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Consent(StrEnum):
    """A contact's answer on being tracked; unknown counts as denied."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


class ContactState(StrEnum):
    """Whether a contact agreed to be written to."""

    SUBSCRIBED = "subscribed"
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"


class SuppressionReason(StrEnum):
    """Why an address is never written to."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    BLOCKED = "blocked"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person we may write to."""

    id: int
    address: str
    name: str
    language: str
    state: ContactState
    lists: tuple[str, ...]
    organisation: str = ""
    city: str = ""
    country: str = ""
    open_tracking: Consent = Consent.UNKNOWN
    click_tracking: Consent = Consent.UNKNOWN


@dataclass(frozen=True, slots=True)
class Recipient:
    """A contact as one delivery sees it: included, or left out with the reason."""

    contact: Contact
    excluded: str | None
