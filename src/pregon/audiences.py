"""Who receives a campaign: audience rule + contacts - suppressions -> recipients, with a reason for each left out.

Pure: contacts and suppressions come in as values, nothing is read or written.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

from pregon.errors import SignatureError
from pregon.types import Audience, Consent, Contact, ContactState, Recipient, Rule, SuppressionReason

_SIGNATURE_LENGTH = 22


def select_recipients(
    audience: Audience, contacts: Iterable[Contact], suppressions: Mapping[str, SuppressionReason]
) -> tuple[Recipient, ...]:
    """Every contact that the audience rule selects, in order of id, each once.

    `suppressions` maps normalised addresses to the reason. A selected contact that may not be written to is kept,
    with the reason in `excluded`, so that nobody disappears without a trace.
    """
    chosen = sorted((contact for contact in contacts if matches_audience(audience, contact)), key=lambda c: c.id)
    seen: set[str] = set()
    recipients = []
    for contact in chosen:
        address = normalise_address(contact.address)
        reason = (
            "the address is already in this audience" if address in seen else exclusion_reason(contact, suppressions)
        )
        seen.add(address)
        recipients.append(Recipient(contact, reason))
    return tuple(recipients)


def matches_audience(audience: Audience, contact: Contact) -> bool:
    """Whether the rule selects this contact, whatever their consent."""
    if contact.language not in audience.languages:
        return False
    if audience.rule is None:
        return not set(audience.lists).isdisjoint(contact.lists)
    on_list = not audience.lists or not set(audience.lists).isdisjoint(contact.lists)
    return on_list and matches_rule(audience.rule, contact)


def matches_rule(rule: Rule, contact: Contact) -> bool:
    """Whether a segment's rule selects this contact: every part that is given must hold."""
    values = (
        (rule.languages, contact.language),
        (rule.countries, contact.country),
        (rule.cities, contact.city),
        (rule.organisations, contact.organisation),
    )
    if any(wanted and value not in wanted for wanted, value in values):
        return False
    if rule.lists and set(rule.lists).isdisjoint(contact.lists):
        return False
    if rule.any and not any(matches_rule(part, contact) for part in rule.any):
        return False
    return all(matches_rule(part, contact) for part in rule.all) and not any(
        matches_rule(part, contact) for part in rule.none
    )


def exclusion_reason(contact: Contact, suppressions: Mapping[str, SuppressionReason]) -> str | None:
    """Why this contact may not be written to, or None."""
    suppressed = suppressions.get(normalise_address(contact.address))
    if suppressed is not None:
        return f"suppressed: {suppressed}"
    if contact.state is not ContactState.SUBSCRIBED:
        return f"not subscribed: {contact.state}"
    return None


def may_track(consent: Consent) -> bool:
    """Whether tracking is allowed: only a recorded yes counts."""
    return consent is Consent.GRANTED


def normalise_address(address: str) -> str:
    """The form under which addresses are compared. The local part is case-folded too, as mailbox providers do."""
    return address.strip().casefold()


def sign_link(kind: str, value: str, key: bytes) -> str:
    """The token that stands for a value in a link of this kind, e.g. a contact's preferences. It never expires."""
    digest = hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()[:_SIGNATURE_LENGTH]
    return f"{value}.{digest}"


def read_link(kind: str, token: str, key: bytes) -> str:
    """The value of a token. Raises `SignatureError` when it was not made for this kind with this key."""
    value = token.partition(".")[0]
    if not hmac.compare_digest(token.encode(), sign_link(kind, value, key).encode()):
        raise SignatureError("This link is incomplete or was changed; use the whole link from the mail.")
    return value
