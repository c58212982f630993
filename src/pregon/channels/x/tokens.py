"""OAuth 2 user tokens of X: an access token for two hours, and a refresh token that each use replaces.

The new refresh token is kept before the access token is used, since X takes the old one no more. Whoever wires the
channel says where it is kept. Posts nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import requests

from pregon.channels.transport import harden_session

TOKEN_HOST = "https://api.x.com"  # noqa: S105 - an address
TOKEN_PATH = "/2/oauth2/token"  # noqa: S105 - an address
_EARLY = timedelta(minutes=5)
_LIFE = 7200
# Seconds between the looks at what another process keeps.
_LOOKS = (0, 0.5, 1.5, 3)


class TokenEndedError(Exception):
    """X takes the refresh token no more: a person must connect the account again."""


class TokenKeeper(Protocol):
    """Where the tokens are kept. `write` answers False when another process changed them since `read`."""

    def read(self) -> str | None:
        """The tokens as they are kept now."""
        ...

    def write(self, value: str) -> bool:
        """Keep these instead."""
        ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """What X gave last. `first` is the configured refresh token that it all began with."""

    access: str
    refresh: str
    expires_at: datetime
    first: str

    def __repr__(self) -> str:
        return "Tokens(...)"


class UserTokens:
    """Gives a valid access token, renewing it when its time is nearly over. Safe to use from several threads."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        first_refresh_token: str,
        keeper: TokenKeeper,
        *,
        timeout: float,
        clock: Callable[[], datetime],
        base_url: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client_id, self._client_secret, self._first = client_id, client_secret, first_refresh_token
        self._keeper, self._clock, self._sleep = keeper, clock, sleep
        self._session = requests.Session()
        harden_session(self._session, timeout, base_url)
        self._lock = threading.Lock()
        self._refused = self._second_try = ""

    def give(self) -> str:
        """A valid access token. Raises `TokenEndedError`, and what requests raises when X cannot be asked."""
        with self._lock:
            tokens = self._read()
            if self._clock() < tokens.expires_at - _EARLY and tokens.access != self._refused:
                return tokens.access
            fresh = self._renew(tokens).access
            self._second_try = fresh if tokens.access and tokens.access == self._refused else ""
            return fresh

    def refuse(self, access: str) -> bool:
        """X refused this token before its time; True when another one may help: once, not for the one after it."""
        self._refused = access
        return access != self._second_try

    def _read(self) -> Tokens:
        kept = _decode(self._keeper.read())
        # A person who connects the account again does so by configuring another refresh token.
        if kept is None or kept.first != self._first:
            return Tokens("", self._first, datetime.fromtimestamp(0, UTC), self._first)
        return kept

    def _renew(self, tokens: Tokens) -> Tokens:
        answer = self._ask(tokens.refresh)
        if answer.status_code in (400, 401):
            other = self._find_other(tokens)
            if other is None:
                raise TokenEndedError(answer.text[:500])
            return other
        answer.raise_for_status()
        given = answer.json()
        expires_at = self._clock() + timedelta(seconds=float(given.get("expires_in", _LIFE)))
        # Without offline.access X gives no new refresh token; then the old one stays.
        fresh = Tokens(given["access_token"], given.get("refresh_token") or tokens.refresh, expires_at, self._first)
        if not self._keeper.write(_encode(fresh)):
            self._keeper.read()
            self._keeper.write(_encode(fresh))
        return fresh

    def _find_other(self, tokens: Tokens) -> Tokens | None:
        """What another process got instead, if it was quicker: it has yet to keep what X has given it just now."""
        for wait in _LOOKS:
            self._sleep(wait)
            other = self._read()
            if other.refresh != tokens.refresh and other.access:
                return other
        return None

    def _ask(self, refresh_token: str) -> requests.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self._client_id}
        auth = (self._client_id, self._client_secret) if self._client_secret else None
        return self._session.post(TOKEN_HOST + TOKEN_PATH, data=form, auth=auth)


def _encode(tokens: Tokens) -> str:
    return json.dumps(
        {
            "access": tokens.access,
            "refresh": tokens.refresh,
            "expires_at": tokens.expires_at.isoformat(),
            "first": tokens.first,
        }
    )


def _decode(text: str | None) -> Tokens | None:
    if not text:
        return None
    try:
        kept = json.loads(text)
        return Tokens(kept["access"], kept["refresh"], datetime.fromisoformat(kept["expires_at"]), kept["first"])
    except (ValueError, KeyError, TypeError):
        return None
