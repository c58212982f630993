"""The contacts use case: import, mend, export and erase people, and record what they agreed to.

Every answer is kept with when, how and which text. Erasing leaves counts and a salted hash that keeps the opt-out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pregon.audiences import normalise_address
from pregon.errors import NotFoundError, PregonError
from pregon.pipeline.contact_rows import check_address, mark_address
from pregon.pipeline.importing import ContactImport
from pregon.types import Consent, ConsentEntry, Contact, Purpose, Suppression, SuppressionReason

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class ContactView:
    """A contact with everything that is kept about them."""

    contact: Contact
    consents: tuple[ConsentEntry, ...]
    suppression: Suppression | None


class Contacts(ContactImport):
    """Members and subscribers."""

    def show(self, contact_id: int) -> ContactView:
        """One contact. Raises `NotFoundError`."""
        contact = self._contact(contact_id)
        address = normalise_address(contact.address)
        suppression = self._store.read_suppressions([address]).get(address)
        return ContactView(contact, self._store.list_consents(contact_id), suppression)

    def mend(self, contact_id: int, values: Mapping[str, str], lists: Iterable[str]) -> None:
        """Correct what is known of a contact. Raises `NotFoundError`, `PregonError`."""
        self._contact(contact_id)
        if values.get("language", self._languages[0]) not in self._languages:
            raise PregonError(f"The network does not work in {values['language']!r}; choose one of the list.")
        clean = {name: " ".join(value.split()) for name, value in values.items()}
        if any(len(value) > _LONGEST for value in clean.values()):
            raise PregonError(f"A field takes at most {_LONGEST} characters; shorten it.")
        names = sorted({" ".join(name.replace("|", " ").split()) for name in lists} - {""})
        if any(len(name) > 80 for name in names):
            raise PregonError("A list's name has at most 80 characters.")
        now = self._clock()
        self._store.mend_contact(contact_id, clean, now)
        self._store.set_lists(contact_id, names, now)

    def record_answers(self, contact_id: int, answers: Mapping[Purpose, Consent], how: str, text: str = "") -> None:
        """Record what a contact agreed to or refused; only answers that are different from today's.

        Raises `NotFoundError`, and `PregonError` when nobody says how the answer came.
        """
        contact, now = self._contact(contact_id), self._clock()
        changed = {purpose: answer for purpose, answer in answers.items() if answer is not today(contact, purpose)}
        if changed and not how.strip():
            raise PregonError("Say how the answer came, e.g. by a letter of a certain day: it is kept as the proof.")
        entries = [ConsentEntry(purpose, answer, now, how.strip()[:500], text) for purpose, answer in changed.items()]
        self._store.record_consents(contact_id, entries, now)

    # --- suppressions

    def suppress(self, address: str, detail: str) -> bool:
        """Never write to an address again, by a person's word. Returns whether that is new. Raises `PregonError`."""
        checked, problem = check_address(address)
        if problem:
            raise PregonError(f"{problem}.")
        return self._store.add_suppression(checked, SuppressionReason.MANUAL, detail[:500], self._clock())

    def release(self, address: str) -> None:
        """Let an address be written to again. Raises `NotFoundError`, and `PregonError` for what only they may lift."""
        address = check_address(address)[0] or normalise_address(address)
        found = self._store.read_suppressions([address]).get(address)
        if found is None:
            raise NotFoundError("This address is not suppressed.")
        if found.reason in (SuppressionReason.UNSUBSCRIBED, SuppressionReason.COMPLAINED):
            raise PregonError("This person said no; only they can subscribe again, with the form.")
        self._store.remove_suppression(address, self._clock())

    # --- export and erase

    def export(self, contact_id: int) -> dict[str, Any]:
        """Everything that is kept about one contact, as plain values. Raises `NotFoundError`."""
        view = self.show(contact_id)
        contact = view.contact
        names = ("address", "name", "language", "state", "organisation", "city", "country")
        return {
            **{name: getattr(contact, name) for name in names},
            "lists": list(contact.lists),
            "open_tracking": contact.open_tracking,
            "click_tracking": contact.click_tracking,
            "consents": [_plain_consent(entry) for entry in view.consents],
            "suppression": _plain_suppression(view.suppression),
            **self._store.export_contact(contact_id),
        }

    def erase(self, address: str) -> int:
        """Forget a person: nothing that names them stays but a salted hash that keeps the opt-out.

        Counts stay. The mail provider is told to forget them too. Returns the contact's id; an address without a
        contact is kept out all the same, and gives 0. Raises `PregonError` for what is no address.
        """
        checked, problem = check_address(address)
        if problem:
            raise PregonError(f"{problem}.")
        return self._store.erase_address(checked, mark_address(checked, self._key), self._clock())

    def _contact(self, contact_id: int) -> Contact:
        contact = self._store.read_contact(contact_id)
        if contact is None:
            raise NotFoundError(f"There is no contact {contact_id}, or they were erased.")
        return contact


def today(contact: Contact, purpose: Purpose) -> Consent:
    """A contact's answer as it stands today."""
    if purpose is Purpose.OPENS:
        return contact.open_tracking
    if purpose is Purpose.CLICKS:
        return contact.click_tracking
    answers = {"subscribed": Consent.GRANTED, "unsubscribed": Consent.DENIED}
    return answers.get(contact.state.value, Consent.UNKNOWN)


def _plain_consent(entry: ConsentEntry) -> dict[str, str]:
    at: datetime = entry.at
    return {
        "purpose": entry.purpose,
        "answer": entry.answer,
        "at": at.isoformat(),
        "how": entry.how,
        "text": entry.text,
    }


def _plain_suppression(found: Suppression | None) -> dict[str, str] | None:
    if found is None:
        return None
    return {"reason": found.reason, "detail": found.detail, "at": found.created_at.isoformat()}
