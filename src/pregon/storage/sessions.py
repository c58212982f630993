"""Queries of open sessions, of sign-ins that wait for their other half, and of API tokens. Tokens come in hashed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from pregon.storage.base import Queries
from pregon.storage.tables import api_tokens, sessions, sign_in_steps, users
from pregon.storage.users import read_user_row
from pregon.types import ApiToken, OpenSession, Role, SignInStep, User

# A session's last use is written at most this often, so that reading a page is not a write.
_SEEN_EVERY = timedelta(minutes=1)
# As many characters of a token's hash as name a session to its owner.
_ID_LENGTH = 20


class SessionQueries(Queries):
    """Who is signed in."""

    def add_session(
        self,
        token_hash: str,
        user_id: int,
        csrf: str,
        at: datetime,
        expires_at: datetime,
        *,
        address: str = "",
        agent: str = "",
        how: str = "password",
    ) -> None:
        """Open a session, forget the expired ones, and note when this person signed in."""
        values = {"token_hash": token_hash, "user_id": user_id, "csrf": csrf, "how": how}
        seen = {"created_at": at, "expires_at": expires_at, "seen_at": at}
        with self._write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= at))
            where = {"address": address[:60], "agent": agent[:200]}
            connection.execute(insert(sessions).values(**values, **seen, **where))
            connection.execute(update(users).where(users.c.id == user_id).values(last_sign_in_at=at))

    def read_session(
        self, token_hash: str, at: datetime, idle: timedelta = timedelta(hours=12)
    ) -> tuple[User, str, str, bool] | None:
        """(person, CSRF secret, how they signed in, whether a second step is on) of a session in use; notes the use."""
        query = select(users, sessions.c.csrf, sessions.c.how, sessions.c.seen_at, sessions.c.created_at.label("began"))
        query = query.join(users, users.c.id == sessions.c.user_id)
        query = query.where(
            sessions.c.token_hash == token_hash, sessions.c.expires_at > at, users.c.deactivated_at.is_(None)
        )
        with self._read() as connection:
            row = connection.execute(query).first()
        seen = (row.seen_at or row.began) if row else at
        if row is None or seen <= at - idle:
            return None
        if seen <= at - _SEEN_EVERY:
            with self._write() as connection:
                noted = update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=at)
                connection.execute(noted)
        return read_user_row(row), row.csrf, row.how, bool(row.totp_secret)

    def end_session(self, token_hash: str) -> None:
        """Sign out."""
        with self._write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

    def list_sessions(self, user_id: int, at: datetime) -> tuple[OpenSession, ...]:
        """A person's sessions that have not expired, the newest first."""
        query = select(sessions).where(sessions.c.user_id == user_id, sessions.c.expires_at > at)
        with self._read() as connection:
            rows = connection.execute(query.order_by(sessions.c.created_at.desc())).all()
        return tuple(
            OpenSession(
                row.token_hash[:_ID_LENGTH],
                row.created_at,
                row.seen_at or row.created_at,
                row.address,
                row.agent,
                row.how,
            )
            for row in rows
        )

    def end_session_by_id(self, user_id: int, session_id: str) -> bool:
        """End one session of a person by the id that `list_sessions` gave it."""
        named = func.substr(sessions.c.token_hash, 1, _ID_LENGTH) == session_id
        with self._write() as connection:
            return connection.execute(delete(sessions).where(sessions.c.user_id == user_id, named)).rowcount == 1

    def end_sessions(self, user_id: int, but: str = "") -> int:
        """End every session of a person but the one with this token hash."""
        ended = delete(sessions).where(sessions.c.user_id == user_id, sessions.c.token_hash != but)
        with self._write() as connection:
            return connection.execute(ended).rowcount

    # --- steps

    def add_step(
        self, token_hash: str, kind: str, user_id: int | None, data: str, expires_at: datetime, at: datetime
    ) -> None:
        """Begin something that waits for its other half, and forget what nobody came back for."""
        values = {"token_hash": token_hash, "kind": kind, "user_id": user_id, "data": data, "expires_at": expires_at}
        with self._write() as connection:
            connection.execute(delete(sign_in_steps).where(sign_in_steps.c.expires_at <= at))
            connection.execute(insert(sign_in_steps).values(**values))

    def try_step(self, token_hash: str, kind: str, at: datetime) -> SignInStep | None:
        """Count one try of a step and return it; None when there is none, or its time is over."""
        mine = (sign_in_steps.c.token_hash == token_hash, sign_in_steps.c.kind == kind, sign_in_steps.c.expires_at > at)
        with self._write() as connection:
            connection.execute(update(sign_in_steps).where(*mine).values(tries=sign_in_steps.c.tries + 1))
            row = connection.execute(select(sign_in_steps).where(*mine)).first()
        return None if row is None else SignInStep(row.kind, row.user_id, row.data, row.tries)

    def end_step(self, token_hash: str) -> bool:
        """End a step; False when somebody else ended it before."""
        with self._write() as connection:
            ended = delete(sign_in_steps).where(sign_in_steps.c.token_hash == token_hash)
            return connection.execute(ended).rowcount == 1

    # --- API tokens

    def add_token(self, user_id: int, token: ApiToken, token_hash: str) -> int:
        """Keep a new token by its hash. Returns its id."""
        names = ("name", "hint", "role", "created_at", "expires_at")
        values = {name: getattr(token, name) for name in names}
        with self._write() as connection:
            result = connection.execute(insert(api_tokens).values(user_id=user_id, token_hash=token_hash, **values))
        return int(result.inserted_primary_key[0])  # type: ignore[index]

    def use_token(self, token_hash: str, at: datetime) -> tuple[User, ApiToken] | None:
        """The person and the token behind a hash, if it is neither revoked nor expired; notes the use."""
        query = select(users, *_TOKEN).join(users, users.c.id == api_tokens.c.user_id)
        query = query.where(
            api_tokens.c.token_hash == token_hash, api_tokens.c.revoked_at.is_(None), api_tokens.c.expires_at > at,
            users.c.deactivated_at.is_(None),
        )  # fmt: skip
        with self._read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        if row.last_used_at is None or row.last_used_at <= at - _SEEN_EVERY:
            with self._write() as connection:
                connection.execute(update(api_tokens).where(api_tokens.c.id == row.token_id).values(last_used_at=at))
        return read_user_row(row), _token(row)

    def list_tokens(self, user_id: int | None = None) -> tuple[ApiToken, ...]:
        """The tokens of a person, or of everybody, newest first; revoked and expired ones, too."""
        query = select(users, *_TOKEN).join(users, users.c.id == api_tokens.c.user_id)
        query = query.order_by(api_tokens.c.id.desc()).limit(1_000)
        if user_id is not None:
            query = query.where(api_tokens.c.user_id == user_id)
        with self._read() as connection:
            return tuple(map(_token, connection.execute(query)))

    def revoke_token(self, token_id: int, at: datetime, user_id: int | None = None) -> bool:
        """End a token, of this person or of anybody. False when there is none such that still counts."""
        mine = [api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None)]
        if user_id is not None:
            mine.append(api_tokens.c.user_id == user_id)
        with self._write() as connection:
            return connection.execute(update(api_tokens).where(*mine).values(revoked_at=at)).rowcount == 1


_TOKEN = (
    api_tokens.c.id.label("token_id"),
    api_tokens.c.name.label("token_name"),
    api_tokens.c.role.label("token_role"),
    api_tokens.c.created_at.label("made_at"),
    api_tokens.c.hint,
    api_tokens.c.expires_at,
    api_tokens.c.last_used_at,
    api_tokens.c.revoked_at,
)


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        id=row.token_id,
        person=row.name,
        name=row.token_name,
        hint=row.hint,
        role=Role(row.token_role),
        created_at=row.made_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
