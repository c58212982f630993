"""Queries of the people of the desk: users, their sessions, their attempts to sign in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from pregon.storage.base import Queries
from pregon.storage.tables import login_attempts, sessions, users
from pregon.types import Role, User


class UserQueries(Queries):
    """Passwords come in hashed, session tokens too."""

    def save_user(self, name: str, password_hash: str, role: Role, at: datetime) -> None:
        """Add a person of the desk, or give a known one another password and role (which ends their sessions)."""
        values = {"password_hash": password_hash, "role": role}
        statement = self._insert(users).values(name=name, created_at=at, **values)
        statement = statement.on_conflict_do_update(index_elements=["name"], set_=values)
        with self._write() as connection:
            connection.execute(statement)
            person = select(users.c.id).where(users.c.name == name).scalar_subquery()
            connection.execute(delete(sessions).where(sessions.c.user_id == person))

    def read_user(self, name: str) -> tuple[User, str] | None:
        """A person and their password hash."""
        with self._read() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
        return None if row is None else (User(row.id, row.name, Role(row.role), row.email), row.password_hash)

    def set_email(self, name: str, email: str) -> None:
        """Where a person gets tests of what they draft; "" for nowhere."""
        with self._write() as connection:
            connection.execute(update(users).where(users.c.name == name).values(email=email))

    def list_users(self) -> tuple[User, ...]:
        """Everybody, by name."""
        with self._read() as connection:
            rows = connection.execute(select(users).order_by(users.c.name)).all()
        return tuple(User(row.id, row.name, Role(row.role), row.email) for row in rows)

    def add_session(self, token_hash: str, user_id: int, csrf: str, at: datetime, expires_at: datetime) -> None:
        """Open a session and forget the expired ones."""
        with self._write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= at))
            values = {"token_hash": token_hash, "user_id": user_id, "csrf": csrf}
            connection.execute(insert(sessions).values(created_at=at, expires_at=expires_at, **values))

    def read_session(self, token_hash: str, at: datetime) -> tuple[User, str] | None:
        """The person of a live session, and its CSRF secret."""
        query = select(users.c.id, users.c.name, users.c.role, users.c.email, sessions.c.csrf)
        query = query.join(users, users.c.id == sessions.c.user_id)
        query = query.where(sessions.c.token_hash == token_hash, sessions.c.expires_at > at)
        with self._read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (User(row.id, row.name, Role(row.role), row.email), row.csrf)

    def end_session(self, token_hash: str) -> None:
        """Sign out."""
        with self._write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

    def add_login_attempt(self, name: str, succeeded: bool, at: datetime) -> None:
        """Remember an attempt to sign in."""
        with self._write() as connection:
            connection.execute(insert(login_attempts).values(name=name[:80], succeeded=succeeded, at=at))

    def count_failed_logins(self, name: str, since: datetime) -> int:
        """Failed attempts under this name since then."""
        query = select(func.count()).select_from(login_attempts)
        query = query.where(
            login_attempts.c.name == name[:80], login_attempts.c.succeeded.is_(False), login_attempts.c.at >= since
        )
        with self._read() as connection:
            return connection.execute(query).scalar_one()
