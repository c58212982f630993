"""Queries of contacts and suppressions: find, page, mend, consent, erase."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, column, delete, func, insert, select, table, update
from sqlalchemy import text as text_of

from pregon.storage.base import Queries
from pregon.storage.duties import note_duty
from pregon.storage.tables import consents, contacts, left_lists, memberships, suppressions
from pregon.types import (
    Consent,
    ConsentEntry,
    Contact,
    ContactState,
    Purpose,
    Suppression,
    SuppressionReason,
)

_SEPARATORS = re.compile(r"[^\w]+|_")
# The migration's index is over exactly this expression.
_POSTGRESQL_WORDS = (
    "to_tsvector('simple', translate(name || ' ' || address || ' ' || organisation || ' ' || city, '@.-_+', '     '))"
)
_STATE_OF = {
    Consent.GRANTED: ContactState.SUBSCRIBED,
    Consent.DENIED: ContactState.UNSUBSCRIBED,
    Consent.UNKNOWN: ContactState.PENDING,
}
# The provider knows by itself what bounced or complained; the rest it is told.
_TOLD = (SuppressionReason.UNSUBSCRIBED, SuppressionReason.MANUAL, SuppressionReason.BLOCKED)
_MENDABLE = ("name", "language", "organisation", "city", "country")


class ContactQueries(Queries):
    """People we may write to, and addresses we may not."""

    # --- finding

    def list_contacts(self) -> tuple[Contact, ...]:
        """Every contact, by address. `walk_contacts` streams them."""
        return self._contacts(select(contacts).where(contacts.c.erased_at.is_(None)).order_by(contacts.c.address))

    def walk_contacts(self, page: int = 2_000) -> Iterator[Contact]:
        """Every contact, by id, a page at a time."""
        after = 0
        while True:
            query = select(contacts).where(contacts.c.id > after, contacts.c.erased_at.is_(None))
            found = self._contacts(query.order_by(contacts.c.id).limit(page))
            yield from found
            if len(found) < page:
                return
            after = found[-1].id

    def search_contacts(
        self, text: str = "", limit: int = 100, before: int | None = None
    ) -> tuple[tuple[Contact, ...], int | None]:
        """Contacts in whose name, address, organisation or city every given word begins a word; newest first.

        `before` is the key that the page before handed on. Returns the page and the key of the next, None at the end.
        """
        wanted = [word for word in _SEPARATORS.split(text.casefold()) if word]
        query, newest = self._select_words(wanted) if wanted else (select(contacts), contacts.c.id)
        query = query.where(contacts.c.erased_at.is_(None))
        if before is not None:
            query = query.where(newest < before)
        found = self._contacts(query.order_by(newest.desc()).limit(limit + 1))
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def _select_words(self, wanted: list[str]) -> tuple[Any, Any]:
        """The contacts that have words beginning like these, and the column that they come ordered by."""
        if self.engine.dialect.name == "postgresql":
            query = " & ".join(f"'{word}':*" for word in wanted)
            found = text_of(f"{_POSTGRESQL_WORDS} @@ to_tsquery('simple', :words)").bindparams(words=query)
            return select(contacts).where(found), contacts.c.id
        # Joined and ordered by the index's own row id, so that a page of a common word ends early.
        words = table("contact_words", column("rowid"))
        found = text_of("contact_words MATCH :words").bindparams(words=" ".join(f'"{word}"*' for word in wanted))
        return select(contacts).join(words, words.c.rowid == contacts.c.id).where(found), words.c.rowid

    def read_contact(self, contact_id: int) -> Contact | None:
        """One contact; None also for one that was erased."""
        found = self._contacts(select(contacts).where(contacts.c.id == contact_id, contacts.c.erased_at.is_(None)))
        return found[0] if found else None

    def read_contacts(self, ids: Sequence[int]) -> dict[int, Contact]:
        """Contacts by id."""
        found = self._contacts(select(contacts).where(contacts.c.id.in_(ids)))
        return {contact.id: contact for contact in found}

    def find_contact(self, address: str) -> Contact | None:
        """The contact of a (normalised) address."""
        found = self._contacts(select(contacts).where(contacts.c.address == address))
        return found[0] if found else None

    def _contacts(self, query: Any) -> tuple[Contact, ...]:
        with self._read() as connection:
            return tuple(map(_contact, connection.execute(query)))

    def count_contacts(self) -> int:
        """How many contacts there are."""
        query = select(func.count()).select_from(contacts).where(contacts.c.erased_at.is_(None))
        with self._read() as connection:
            return connection.execute(query).scalar_one()

    # --- mending

    def add_contact(self, contact: Contact, at: datetime) -> int:
        """Add somebody whose address is not known yet, or leave a known one as it is. Returns the contact's id."""
        values = {name: getattr(contact, name) for name in ("address", "state", "open_tracking", "click_tracking")}
        values |= {name: getattr(contact, name) for name in _MENDABLE}
        statement = self._insert(contacts).values(**values, created_at=at, updated_at=at)
        with self._write() as connection:
            connection.execute(statement.on_conflict_do_nothing(index_elements=["address"]))
            query = select(contacts.c.id).where(contacts.c.address == contact.address)
            return int(connection.execute(query).scalar_one())

    def mend_contact(self, contact_id: int, values: Mapping[str, str], at: datetime) -> None:
        """Correct a name, a language, an organisation, a city or a country."""
        allowed = {name: value for name, value in values.items() if name in _MENDABLE}
        with self._write() as connection:
            changed = update(contacts).where(contacts.c.id == contact_id)
            connection.execute(changed.values(**allowed, updated_at=at))

    def set_lists(self, contact_id: int, lists: Iterable[str], at: datetime, *, by_person: bool = False) -> None:
        """Put a contact on exactly these lists. Lists that the person left themselves stay left at an import."""
        wanted = set(lists)
        with self._write() as connection:
            held = set(connection.execute(_memberships_of(contact_id)).scalars())
            mine = memberships.c.contact_id == contact_id
            connection.execute(delete(memberships).where(mine, memberships.c.list.not_in(wanted)))
            for name in sorted(wanted - held):
                connection.execute(insert(memberships).values(contact_id=contact_id, list=name))
            left = left_lists.c.contact_id == contact_id
            connection.execute(delete(left_lists).where(left, left_lists.c.list.in_(wanted)))
            for name in sorted(held - wanted) if by_person else ():
                row = self._insert(left_lists).values(contact_id=contact_id, list=name)
                connection.execute(row.on_conflict_do_nothing())
            key = f"|{'|'.join(sorted(wanted))}|" if wanted else ""
            connection.execute(update(contacts).where(contacts.c.id == contact_id).values(lists=key, updated_at=at))

    # --- consent

    def record_consents(self, contact_id: int, entries: Sequence[ConsentEntry], at: datetime) -> None:
        """Append answers to the ledger, and make them today's. The answer on mail is the contact's state."""
        with self._write() as connection:
            self._record(connection, contact_id, entries, at)

    @staticmethod
    def _record(connection: Connection, contact_id: int, entries: Sequence[ConsentEntry], at: datetime) -> None:
        columns = {Purpose.OPENS: "open_tracking", Purpose.CLICKS: "click_tracking"}
        values: dict[str, Any] = {}
        for entry in entries:
            row = {"purpose": entry.purpose, "answer": entry.answer, "at": entry.at}
            connection.execute(insert(consents).values(contact_id=contact_id, how=entry.how, text=entry.text, **row))
            if entry.purpose is Purpose.MAIL:
                values["state"] = _STATE_OF[entry.answer]
            else:
                values[columns[entry.purpose]] = entry.answer
        if values:
            connection.execute(update(contacts).where(contacts.c.id == contact_id).values(**values, updated_at=at))

    def set_contact_state(self, contact_id: int, state: ContactState, at: datetime, how: str = "") -> None:
        """Subscribe or unsubscribe a contact. What is so already is not recorded again."""
        answer = next(answer for answer, each in _STATE_OF.items() if each is state)
        with self._write() as connection:
            held = select(contacts.c.state).where(contacts.c.id == contact_id)
            if connection.execute(held).scalar() != state:
                self._record(connection, contact_id, [ConsentEntry(Purpose.MAIL, answer, at, how)], at)

    def list_consents(self, contact_id: int) -> tuple[ConsentEntry, ...]:
        """Every answer of a contact, oldest first."""
        query = select(consents).where(consents.c.contact_id == contact_id).order_by(consents.c.id)
        with self._read() as connection:
            return tuple(
                ConsentEntry(Purpose(row.purpose), Consent(row.answer), row.at, row.how, row.text)
                for row in connection.execute(query)
            )

    # --- suppressions

    def add_suppression(self, address: str, reason: SuppressionReason, detail: str, at: datetime) -> bool:
        """Never write to this (normalised) address again. Returns whether that is new.

        The first reason stays, but a complaint takes the place of what the desk may lift.
        """
        values = {"address": address, "reason": reason, "detail": detail, "created_at": at}
        statement = self._insert(suppressions).values(**values)
        if reason is SuppressionReason.COMPLAINED:
            is_lifted = suppressions.c.reason.not_in((SuppressionReason.COMPLAINED, SuppressionReason.UNSUBSCRIBED))
            told = {"reason": reason, "detail": detail, "created_at": at}
            statement = statement.on_conflict_do_update(index_elements=["address"], set_=told, where=is_lifted)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=["address"])
        with self._write() as connection:
            is_new = connection.execute(statement.returning(suppressions.c.id)).first() is not None
            if is_new and reason in _TOLD:
                note_duty(connection, "suppress", address, at)
        return is_new

    def remove_suppression(self, address: str, at: datetime, *, told: str = "") -> bool:
        """Let an address be written to again. Returns whether it was suppressed.

        `told` is the address that a salted hash stands for: what the provider is told of.
        """
        with self._write() as connection:
            gone = connection.execute(delete(suppressions).where(suppressions.c.address == address)).rowcount > 0
            if gone and "@" in (told or address):
                note_duty(connection, "release", told or address, at)
        return gone

    def list_suppressions(self) -> dict[str, SuppressionReason]:
        """Every suppressed address and why."""
        with self._read() as connection:
            rows = connection.execute(select(suppressions.c.address, suppressions.c.reason)).all()
        return {row.address: SuppressionReason(row.reason) for row in rows}

    def read_suppressions(self, addresses: Sequence[str]) -> dict[str, Suppression]:
        """Which of these (normalised) addresses are suppressed."""
        query = select(suppressions).where(suppressions.c.address.in_(addresses))
        with self._read() as connection:
            return {row.address: _suppression(row) for row in connection.execute(query)}

    def page_suppressions(
        self, prefix: str = "", limit: int = 100, after: str = ""
    ) -> tuple[tuple[Suppression, ...], str | None]:
        """Suppressed addresses that begin with `prefix`, in their order, from after a key on; and the next key."""
        query = select(suppressions).where(suppressions.c.address > after)
        if prefix:
            query = query.where(suppressions.c.address >= prefix, suppressions.c.address < prefix + "\U0010ffff")
        with self._read() as connection:
            rows = connection.execute(query.order_by(suppressions.c.address).limit(limit + 1)).all()
        return tuple(map(_suppression, rows[:limit])), rows[limit - 1].address if len(rows) > limit else None

    def count_suppressions(self) -> int:
        """How many addresses are never written to."""
        with self._read() as connection:
            return connection.execute(select(func.count()).select_from(suppressions)).scalar_one()


def _memberships_of(contact_id: int) -> Any:
    return select(memberships.c.list).where(memberships.c.contact_id == contact_id)


def _suppression(row: Row[Any]) -> Suppression:
    return Suppression(row.address, SuppressionReason(row.reason), row.detail, row.created_at)


def _contact(row: Row[Any]) -> Contact:
    return Contact(
        id=row.id,
        address=row.address,
        name=row.name,
        language=row.language,
        state=ContactState(row.state),
        lists=tuple(sorted(filter(None, row.lists.split("|")))),
        organisation=row.organisation,
        city=row.city,
        country=row.country,
        open_tracking=Consent(row.open_tracking),
        click_tracking=Consent(row.click_tracking),
    )
