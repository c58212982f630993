"""People we may write to, what they agreed to, and the rules that select them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Consent(StrEnum):
    """A contact's answer; unknown counts as denied."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


class Purpose(StrEnum):
    """What a contact was asked to agree to. Tracking is asked for apart from mail, opens apart from clicks."""

    MAIL = "mail"
    OPENS = "opens"
    CLICKS = "clicks"


class ContactState(StrEnum):
    """Whether a contact agreed to be written to."""

    SUBSCRIBED = "subscribed"
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True)
class ProviderDuty:
    """What the mail provider has yet to be told of an address, or has refused: `kind` is suppress, release or erase."""

    id: int
    kind: str
    address: str
    is_refused: bool
    detail: str
    created_at: datetime


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
class ConsentEntry:
    """One answer as it was recorded: never changed, never deleted but by erasing the contact.

    `how` says where it came from (a form, a link, an import, a person of the desk); `text` is what was shown.
    """

    purpose: Purpose
    answer: Consent
    at: datetime
    how: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """One usable row of a file of contacts. Blank fields say nothing, so they change nothing.

    `consent_at` None: the time of the import. `is_language_assumed`: the row names none, so that the language is for
    new contacts alone.
    """

    line: int
    address: str
    name: str
    language: str
    state: ContactState | None
    lists: tuple[str, ...]
    organisation: str = ""
    city: str = ""
    country: str = ""
    opens: Consent = Consent.UNKNOWN
    clicks: Consent = Consent.UNKNOWN
    consent_at: datetime | None = None
    consent_how: str = ""
    consent_text: str = ""
    is_language_assumed: bool = False


@dataclass(frozen=True, slots=True)
class ImportCount:
    """What became of some rows: `erased` are the lines of people who asked to be forgotten.

    `kept` counts rows that would have brought back somebody who had unsubscribed, and did not.
    """

    added: int = 0
    updated: int = 0
    kept: int = 0
    erased: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that is never written to."""

    address: str
    reason: SuppressionReason
    detail: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """Which contacts a segment selects: every part that is given must hold, and an empty rule selects everybody.

    `lists` holds for members of any of them; the others for any of the values, as they are written. `all`, `any` and
    `none` are rules of which every one, at least one or not one must hold.
    """

    lists: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    all: tuple[Rule, ...] = ()
    any: tuple[Rule, ...] = ()
    none: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipient:
    """A contact as one delivery sees it: included, or left out with the reason."""

    contact: Contact
    excluded: str | None


@dataclass(frozen=True, slots=True)
class AudienceCount:
    """How many an audience reaches per language, and how many are left out per reason."""

    languages: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def recipients(self) -> int:
        """How many would be written to."""
        return sum(self.languages.values())

    @property
    def excluded(self) -> int:
        """How many the rule selects and nobody writes to."""
        return sum(self.left_out.values())


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for in the form, and which text they saw: it counts once they confirm it by mail."""

    name: str = ""
    lists: tuple[str, ...] = ()
    opens: Consent = Consent.UNKNOWN
    clicks: Consent = Consent.UNKNOWN
    text: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail that a person asked for themselves, e.g. to confirm their address. `state` is a delivery's."""

    id: str
    kind: str
    contact_id: int
    address: str
    language: str
    wish: Wish
    state: str
    attempts: int
    created_at: datetime
    claimed_at: datetime | None = None
    answered_at: datetime | None = None
