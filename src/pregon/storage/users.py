"""Queries of the people of the desk: users, their attempts to sign in, their second step.

Passwords and codes come in hashed, secrets sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from pregon.storage.base import Queries
from pregon.storage.tables import login_attempts, recovery_codes, sessions, users
from pregon.types import Person, Role, User


class UserQueries(Queries):
    """People, and what they prove themselves with."""

    def save_user(self, name: str, password_hash: str, role: Role, at: datetime) -> bool:
        """Add a person of the desk, or give a known one another password and role (which ends their sessions).

        False, and nothing changes, when no admin would be left.
        """
        values = {"password_hash": password_hash, "role": role}
        statement = self._insert(users).values(name=name, created_at=at, **values)
        statement = statement.on_conflict_do_update(index_elements=["name"], set_=values)
        with self._write() as connection:
            person = select(users.c.id).where(users.c.name == name)
            known = connection.execute(person).scalar()
            if known is not None and role is not Role.ADMIN and not leaves_an_admin(connection, known):
                return False
            connection.execute(statement)
            connection.execute(delete(sessions).where(sessions.c.user_id == person.scalar_subquery()))
        return True

    def save_password(self, user_id: int, password_hash: str, kept_session: str) -> None:
        """A person's own new password; it ends every session of theirs but the one with this token hash."""
        with self._write() as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash))
            ended = delete(sessions).where(sessions.c.user_id == user_id, sessions.c.token_hash != kept_session)
            connection.execute(ended)

    def save_provided_user(self, subject: str, name: str, role: Role, at: datetime, email: str = "") -> User | None:
        """The person that the sign-in provider calls `subject`, added or with this role; None when `name` is another's.

        A person whose address the desk knows as `email` ("" for none), and nobody else's, is linked instead of added.
        The last admin stays one, whatever the provider says.
        """
        with self._write() as connection:
            row = connection.execute(select(users).where(users.c.subject == subject)).first()
            if row is None and email and (known := _only_person_of(connection, email)):
                connection.execute(update(users).where(users.c.id == known).values(subject=subject))
                row = connection.execute(select(users).where(users.c.id == known)).one()
            if row is None:
                values = {"name": name, "subject": subject, "role": role, "password_hash": "", "created_at": at}
                statement = self._insert(users).values(**values).on_conflict_do_nothing(index_elements=["name"])
                connection.execute(statement)
            elif row.role != role and (row.deactivated_at or leaves_an_admin(connection, row.id)):
                connection.execute(update(users).where(users.c.id == row.id).values(role=role))
            row = connection.execute(select(users).where(users.c.subject == subject)).first()
        return None if row is None else read_user_row(row)

    def read_user(self, name: str) -> tuple[User, str] | None:
        """A person and their password hash; "" for one who has no password. Also those who were deactivated."""
        with self._read() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
        return None if row is None else (read_user_row(row), row.password_hash)

    def is_active(self, user_id: int) -> bool:
        """Whether a person may come in."""
        return self.user_by_id(user_id) is not None

    def user_by_id(self, user_id: int) -> User | None:
        """A person by id, if they may come in."""
        query = select(users).where(users.c.id == user_id, users.c.deactivated_at.is_(None))
        with self._read() as connection:
            row = connection.execute(query).first()
        return None if row is None else read_user_row(row)

    def set_email(self, name: str, email: str) -> None:
        """Where a person gets tests of what they draft; "" for nowhere."""
        with self._write() as connection:
            connection.execute(update(users).where(users.c.name == name).values(email=email))

    def list_users(self) -> tuple[User, ...]:
        """Everybody who may come in, by name."""
        return tuple(person.user for person in self.list_people() if person.deactivated_at is None)

    def list_people(self) -> tuple[Person, ...]:
        """Everybody as an admin sees them, by name."""
        with self._read() as connection:
            rows = connection.execute(select(users).order_by(users.c.name)).all()
        return tuple(
            Person(
                read_user_row(row),
                row.created_at,
                row.last_sign_in_at,
                bool(row.totp_secret),
                bool(row.subject),
                row.deactivated_at,
            )
            for row in rows
        )

    # --- attempts to sign in

    def add_login_attempt(self, name: str, succeeded: bool, at: datetime, address: str = "") -> None:
        """Remember an attempt to sign in."""
        values = {"name": name[:80], "address": address[:60], "succeeded": succeeded, "at": at}
        with self._write() as connection:
            connection.execute(insert(login_attempts).values(**values))

    def count_failed_logins(
        self, since: datetime, *, name: str | None = None, address: str | None = None
    ) -> tuple[int, datetime | None]:
        """Failed attempts since then under a name, from an address or both, and when the newest of them was."""
        query = select(func.count(), func.max(login_attempts.c.at)).where(
            login_attempts.c.succeeded.is_(False), login_attempts.c.at >= since, *_who(name, address)
        )
        with self._read() as connection:
            row = connection.execute(query).one()
        return int(row[0]), row[1]

    def has_signed_in_from(self, name: str, address: str, since: datetime) -> bool:
        """Whether this person signed in from this address since then."""
        query = select(login_attempts.c.id).where(
            login_attempts.c.succeeded.is_(True), login_attempts.c.at >= since, *_who(name, address)
        )
        with self._read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def forget_login_attempts(self, before: datetime) -> int:
        """Attempts are kept as long as they are of use. Returns how many were forgotten."""
        with self._write() as connection:
            return connection.execute(delete(login_attempts).where(login_attempts.c.at < before)).rowcount

    # --- the second step

    def read_second_step(self, user_id: int) -> tuple[str | None, int]:
        """The sealed secret of a person's second step (None: it is off), and the last step of time that was taken."""
        query = select(users.c.totp_secret, users.c.totp_step).where(users.c.id == user_id)
        with self._read() as connection:
            row = connection.execute(query).first()
        return (row.totp_secret, row.totp_step) if row else (None, 0)

    def save_second_step(self, user_id: int, secret: str | None, step: int, code_hashes: Sequence[str]) -> None:
        """Turn the second step on with its recovery codes, or (secret None) off. Codes of before count no more."""
        with self._write() as connection:
            values = {"totp_secret": secret, "totp_step": step}
            connection.execute(update(users).where(users.c.id == user_id).values(**values))
            connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
            if code_hashes:
                rows = [{"code_hash": code, "user_id": user_id} for code in code_hashes]
                connection.execute(insert(recovery_codes), rows)

    def take_code_step(self, user_id: int, step: int) -> bool:
        """Take the code of a step of time; False when it, or a later one, was taken before."""
        statement = update(users).where(users.c.id == user_id, users.c.totp_step < step).values(totp_step=step)
        with self._write() as connection:
            return connection.execute(statement).rowcount == 1

    def take_recovery_code(self, user_id: int, code_hash: str, at: datetime) -> bool:
        """Take a recovery code; False when there is none such, or it was taken before."""
        mine = (recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == code_hash)
        statement = update(recovery_codes).where(*mine, recovery_codes.c.used_at.is_(None)).values(used_at=at)
        with self._write() as connection:
            return connection.execute(statement).rowcount == 1

    def count_recovery_codes(self, user_id: int) -> int:
        """How many recovery codes are left."""
        query = select(func.count()).select_from(recovery_codes)
        query = query.where(recovery_codes.c.user_id == user_id, recovery_codes.c.used_at.is_(None))
        with self._read() as connection:
            return connection.execute(query).scalar_one()


def _who(name: str | None, address: str | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if name is not None:
        found.append(login_attempts.c.name == name[:80])
    if address is not None:
        found.append(login_attempts.c.address == address[:60])
    return found


def leaves_an_admin(connection: Connection, user_id: int) -> bool:
    """Whether an admin is left when this person is none any more.

    The admins are locked together (PostgreSQL): of two who take it from one another at once, the second is refused.
    """
    admins = select(users.c.id).where(users.c.role == Role.ADMIN, users.c.deactivated_at.is_(None))
    found = connection.execute(admins.order_by(users.c.id).with_for_update()).scalars().all()
    return user_id not in found or len(found) > 1


def _only_person_of(connection: Connection, email: str) -> int | None:
    query = select(users.c.id).where(func.lower(users.c.email) == email.lower(), users.c.subject.is_(None))
    query = query.where(users.c.deactivated_at.is_(None))
    found = connection.execute(query.limit(2)).scalars().all()
    return found[0] if len(found) == 1 else None


def read_user_row(row: Row[Any]) -> User:
    """A person from their row."""
    return User(row.id, row.name, Role(row.role), row.email)
