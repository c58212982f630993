"""Queries of contacts and suppressions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select, true, update

from pregon.storage.base import Queries
from pregon.storage.tables import contacts, memberships, suppressions
from pregon.types import Audience, Consent, Contact, ContactState, SuppressionReason


class ContactQueries(Queries):
    """People we may write to, and addresses we may not."""

    def audience_contacts(self, audience: Audience) -> tuple[Contact, ...]:
        """The contacts that an audience rule selects, whatever their state."""
        member = select(memberships.c.contact_id).where(memberships.c.list.in_(audience.lists))
        query = select(contacts).where(contacts.c.language.in_(audience.languages), contacts.c.id.in_(member))
        return self._contacts(query.order_by(contacts.c.id))

    def list_contacts(self) -> tuple[Contact, ...]:
        """Every contact, by address."""
        return self._contacts(select(contacts).order_by(contacts.c.address))

    def search_contacts(self, text: str = "", limit: int = 200) -> tuple[tuple[Contact, ...], int]:
        """Contacts whose name, address, organisation or city holds the text, by address; and how many there are."""
        columns = (contacts.c.name, contacts.c.address, contacts.c.organisation, contacts.c.city)
        condition = or_(*(column.icontains(text, autoescape=True) for column in columns)) if text else true()
        found = self._contacts(select(contacts).where(condition).order_by(contacts.c.address).limit(limit))
        with self._read() as connection:
            count = connection.execute(select(func.count()).select_from(contacts).where(condition)).scalar_one()
        return found, count

    def count_contacts_by(self) -> dict[str, dict[str, int]]:
        """How many contacts there are per state, language and list."""
        counts = {}
        with self._read() as connection:
            for name, column in (
                ("state", contacts.c.state),
                ("language", contacts.c.language),
                ("list", memberships.c.list),
            ):
                rows = connection.execute(select(column, func.count()).group_by(column)).all()
                counts[name] = {str(row[0]): int(row[1]) for row in rows}
        return counts

    def read_contact(self, contact_id: int) -> Contact | None:
        """One contact."""
        found = self._contacts(select(contacts).where(contacts.c.id == contact_id))
        return found[0] if found else None

    def _contacts(self, query: Any) -> tuple[Contact, ...]:
        with self._read() as connection:
            rows = connection.execute(query).all()
            ids = query.with_only_columns(contacts.c.id).order_by(None)
            lists: dict[int, list[str]] = {}
            for row in connection.execute(select(memberships).where(memberships.c.contact_id.in_(ids))):
                lists.setdefault(row.contact_id, []).append(row.list)
        return tuple(_contact(row, tuple(sorted(lists.get(row.id, ())))) for row in rows)

    def count_contacts(self) -> int:
        """How many contacts there are."""
        with self._read() as connection:
            return connection.execute(select(func.count()).select_from(contacts)).scalar_one()

    def set_contact_state(self, contact_id: int, state: ContactState, at: datetime) -> None:
        """Subscribe or unsubscribe a contact."""
        with self._write() as connection:
            changed = update(contacts).where(contacts.c.id == contact_id)
            connection.execute(changed.values(state=state, updated_at=at))

    def set_consent(self, contact_id: int, opens: Consent, clicks: Consent, at: datetime) -> None:
        """Record a contact's answer on being tracked."""
        with self._write() as connection:
            changed = update(contacts).where(contacts.c.id == contact_id)
            connection.execute(changed.values(open_tracking=opens, click_tracking=clicks, updated_at=at))

    def add_suppression(self, address: str, reason: SuppressionReason, detail: str, at: datetime) -> bool:
        """Never write to this (normalised) address again. Returns whether that is new; the first reason stays."""
        values = {"address": address, "reason": reason, "detail": detail, "created_at": at}
        statement = self._insert(suppressions).values(**values).on_conflict_do_nothing(index_elements=["address"])
        with self._write() as connection:
            return connection.execute(statement.returning(suppressions.c.id)).first() is not None

    def list_suppressions(self) -> dict[str, SuppressionReason]:
        """Every suppressed address and why."""
        with self._read() as connection:
            rows = connection.execute(select(suppressions.c.address, suppressions.c.reason)).all()
        return {row.address: SuppressionReason(row.reason) for row in rows}

    def read_contacts(self, ids: Sequence[int]) -> dict[int, Contact]:
        """Contacts by id."""
        found = self._contacts(select(contacts).where(contacts.c.id.in_(ids)))
        return {contact.id: contact for contact in found}


def _contact(row: Row[Any], lists: tuple[str, ...]) -> Contact:
    return Contact(
        id=row.id,
        address=row.address,
        name=row.name,
        language=row.language,
        state=ContactState(row.state),
        lists=lists,
        organisation=row.organisation,
        city=row.city,
        country=row.country,
        open_tracking=Consent(row.open_tracking),
        click_tracking=Consent(row.click_tracking),
    )
