"""Queries of who may come in: people who left, and the sign-in provider's accounts of those who stayed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from pregon.storage.base import Queries
from pregon.storage.tables import api_tokens, sessions, sign_in_steps, users
from pregon.storage.users import leaves_an_admin, read_user_row
from pregon.types import User


class AccessQueries(Queries):
    """Ways in, and their end."""

    def deactivate_user(self, user_id: int, at: datetime) -> bool:
        """End a person's access with all their sessions and tokens; False, and nothing changes, for the last admin."""
        with self._write() as connection:
            if not leaves_an_admin(connection, user_id):
                return False
            left = update(users).where(users.c.id == user_id, users.c.deactivated_at.is_(None))
            connection.execute(left.values(deactivated_at=at))
            for table in (sessions, sign_in_steps):
                connection.execute(delete(table).where(table.c.user_id == user_id))
            ended = update(api_tokens).where(api_tokens.c.user_id == user_id, api_tokens.c.revoked_at.is_(None))
            connection.execute(ended.values(revoked_at=at))
        return True

    def reactivate_user(self, user_id: int) -> None:
        """Let a person in again."""
        with self._write() as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(deactivated_at=None))

    def link_subject(self, user_id: int, subject: str) -> bool:
        """Let what the provider calls `subject` sign this person in; False when it signs in somebody else."""
        statement = update(users).where(users.c.id == user_id).values(subject=subject)
        try:
            with self._write() as connection:
                connection.execute(statement)
        except IntegrityError:  # the database alone knows who else is being linked at this moment
            return False
        return True

    def unlink_subject(self, user_id: int) -> bool:
        """End the link of a person who has a password; False for one who has none."""
        statement = update(users).where(users.c.id == user_id, users.c.password_hash != "").values(subject=None)
        with self._write() as connection:
            return connection.execute(statement).rowcount == 1

    def user_by_subject(self, subject: str) -> User | None:
        """The person whom the provider calls `subject`, also one who was deactivated."""
        with self._read() as connection:
            row = connection.execute(select(users).where(users.c.subject == subject)).first()
        return None if row is None else read_user_row(row)

    def read_ways_in(self, user_id: int) -> tuple[bool, bool]:
        """Whether a person has a password, and whether the provider's account of theirs is linked."""
        with self._read() as connection:
            row = connection.execute(select(users.c.password_hash, users.c.subject).where(users.c.id == user_id)).one()
        return bool(row.password_hash), row.subject is not None
