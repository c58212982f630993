"""The readers' own use case: subscribe by double opt-in, confirm, choose what to receive, see and erase one's data.

Every answer looks the same whether an address is known or not. Nothing counts before it is confirmed by the link in
the mail; a GET never changes anything, because scanners follow links.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pregon.audiences import normalise_address, read_link, sign_link
from pregon.deliveries import read_token
from pregon.errors import NotAllowedError, NotFoundError, PregonError, SignatureError
from pregon.pipeline.contact_rows import check_address, mark_address
from pregon.pipeline.contacts import Contacts
from pregon.pipeline.protocols import Clock, Storage
from pregon.settings import Settings
from pregon.types import (
    Consent,
    ConsentEntry,
    Contact,
    ContactState,
    Notice,
    Purpose,
    SuppressionReason,
    Wish,
)

CONFIRM, ACCESS, PREFERENCES = "confirm", "access", "preferences"
PATHS = {CONFIRM: "confirm", ACCESS: "data"}  # where the link of a notice leads
# One address may be asked to confirm a few times a day, one connection may ask for a few dozen people (an office).
_PER_ADDRESS, _PER_CONNECTION = (3, timedelta(days=1)), (30, timedelta(hours=1))
_VALID = timedelta(days=14)
_KEPT = timedelta(days=30)


class Signups:
    """The public form, the confirmation, the preference page."""

    def __init__(self, store: Storage, contacts: Contacts, settings: Settings, clock: Clock, *, key: bytes) -> None:
        self._store, self._contacts, self._settings = store, contacts, settings
        self._clock, self._key = clock, key

    def topics(self, language: str) -> dict[str, str]:
        """The lists that the form offers: name -> title in this language. Empty: the form is closed."""
        topics = self._settings.network.topics
        return {name: titles.get(language) or next(iter(titles.values())) for name, titles in topics.items()}

    # --- subscribing

    def ask(self, address: str, language: str, wish: Wish, *, connection: str) -> None:
        """Somebody asks to subscribe: a mail to confirm it is written, unless too many were.

        `connection` is where the request came from; it is kept as a keyed hash for an hour's counting. Raises
        `PregonError` for what is no address or names no topic: that says nothing about who is known.
        """
        checked, problem = check_address(address)
        if problem:
            raise PregonError(f"{problem}.")
        lists = tuple(name for name in wish.lists if name in self._settings.network.topics)
        if not lists:
            raise PregonError("Choose at least one topic.")
        if not self._may_ask(checked, connection) or self._is_refused(checked):
            return
        now = self._clock()
        name = "".join(sign for sign in wish.name if sign.isprintable())
        pending = Contact(0, checked, name, language, ContactState.PENDING, ())
        contact_id = self._store.add_contact(pending, now)
        self._write(CONFIRM, contact_id, checked, language, replace(wish, name=name, lists=lists))

    def _may_ask(self, address: str, connection: str) -> bool:
        now = self._clock()
        marks = [self._mark("form address", address), self._mark("form connection", connection)]
        counts = [
            (self._store.count_attempts(mark, now - window), most)
            for mark, (most, window) in zip(marks, (_PER_ADDRESS, _PER_CONNECTION), strict=True)
        ]
        self._store.add_attempts(marks, now)
        return all(count < most for count, most in counts)

    def _is_refused(self, address: str) -> bool:
        """Whether the mailbox bounced, complained or was shut out: then not even a confirmation is sent."""
        found = self._store.read_suppressions([address]).get(address)
        return found is not None and found.reason is not SuppressionReason.UNSUBSCRIBED

    def _mark(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()

    def notice_of(self, token: str, kind: str = CONFIRM) -> Notice:
        """The request that a mailed link stands for. Raises `SignatureError`, `NotFoundError`."""
        notice = self._store.read_notice(read_link(kind, token, self._key))
        if notice is None or self._clock() - notice.created_at > _VALID:
            raise NotFoundError("This link is too old; fill in the form again.")
        return notice

    def confirm(self, token: str) -> Notice:
        """The person's own yes: it subscribes, and lifts an unsubscribe of before. Repeating it changes nothing."""
        notice, now = self.notice_of(token), self._clock()
        if notice.answered_at is not None:
            return notice
        address = normalise_address(notice.address)
        if self._is_refused(address):
            raise NotAllowedError("This address cannot be written to; ask the secretariat.")
        contact = self._store.find_contact(address)
        if contact is None:
            raise NotFoundError("This link is too old; fill in the form again.")
        # Who comes back after they were erased may still be kept out by the provider: it is told, whatever it knows.
        self._store.remove_suppression(mark_address(address, self._key), now, told=address)
        self._store.remove_suppression(address, now)
        self._store.set_lists(contact.id, {*contact.lists, *notice.wish.lists}, now)
        values = {"language": notice.language} | ({"name": notice.wish.name} if notice.wish.name else {})
        self._store.mend_contact(contact.id, values, now)
        how, text = "the form, confirmed by mail", notice.wish.text
        answers = [(Purpose.MAIL, Consent.GRANTED), (Purpose.OPENS, notice.wish.opens)]
        answers.append((Purpose.CLICKS, notice.wish.clicks))
        given = [ConsentEntry(p, answer, now, how, text) for p, answer in answers if answer is not Consent.UNKNOWN]
        self._store.record_consents(contact.id, given, now)
        # Last, so that a yes that was interrupted counts when it is repeated.
        self._store.answer_notice(notice.id, now)
        return notice

    # --- preferences

    def person_of(self, token: str) -> Contact:
        """Whose preferences a link leads to: the link of any mail, or their own. Raises `SignatureError`, `NotFoundError`."""
        try:
            contact_id = int(read_link(PREFERENCES, token, self._key))
        except (SignatureError, ValueError):
            row = self._store.read_delivery(read_token(token, self._key))
            contact_id = row.contact_id or 0 if row else 0
        contact = self._store.read_contact(contact_id)
        if contact is None:
            raise NotFoundError("This link is no longer known here.")
        return contact

    def link_of(self, contact: Contact) -> str:
        """The address of a contact's preference page."""
        return f"{self._settings.base_url}/preferences/{sign_link(PREFERENCES, str(contact.id), self._key)}"

    def change(
        self, token: str, language: str, lists: tuple[str, ...], opens: Consent, clicks: Consent, text: str
    ) -> Contact:
        """Receive these topics only, in this language, tracked or not: at once, and backwards for mails sent before."""
        contact, now = self.person_of(token), self._clock()
        if language in self._settings.network.languages:
            self._store.mend_contact(contact.id, {"language": language}, now)
        # Whoever is on a list that the form does not offer may leave it, and nobody joins one by changing the page.
        allowed = {*self._settings.network.topics, *contact.lists}
        self._store.set_lists(contact.id, allowed.intersection(lists), now, by_person=True)
        answers = {Purpose.OPENS: opens, Purpose.CLICKS: clicks}
        self._contacts.record_answers(contact.id, answers, "the preference page", text)
        return self.person_of(token)

    # --- one's own data: never by a link of a newsletter, which people forward

    def ask_access(self, token: str, *, connection: str) -> None:
        """Mail the person a link of their own to their data. Raises `SignatureError`, `NotFoundError`."""
        contact = self.person_of(token)
        if self._may_ask(contact.address, connection) and not self._is_refused(normalise_address(contact.address)):
            self._write(ACCESS, contact.id, contact.address, contact.language, Wish())

    def owner_of(self, token: str) -> Contact:
        """Whose data a mailed link leads to. Raises `SignatureError`, `NotFoundError`."""
        contact = self._store.read_contact(self.notice_of(token, ACCESS).contact_id)
        if contact is None:
            raise NotFoundError("Nothing is kept about you any more.")
        return contact

    def export(self, token: str) -> dict[str, Any]:
        """Everything that is kept about the person."""
        return self._contacts.export(self.owner_of(token).id)

    def erase(self, token: str) -> Contact:
        """Forget the person, for good."""
        contact = self.owner_of(token)
        self._contacts.erase(contact.address)
        return contact

    def _write(self, kind: str, contact_id: int, address: str, language: str, wish: Wish) -> None:
        now = self._clock()
        notice = Notice(secrets.token_hex(16), kind, contact_id, address, language, wish, "pending", 0, now)
        self._store.add_notice(notice)

    def forget(self) -> int:
        """Forget who asked and did not confirm within a month. Returns how many; also ends what erasures left open."""
        self._store.finish_erasures()
        return self._store.forget_signups(self._clock() - _KEPT)
