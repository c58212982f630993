"""What channels keep of our accounts: used quota in the open, credentials sealed with the application's secret key.

Whoever has the database alone cannot post in our name.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pregon.storage.accounts import AccountQueries
from pregon.types import ChannelName


class Accounts:
    """What channels keep of our accounts: units of quota, and credentials, encrypted with the secret key."""

    def __init__(self, store: AccountQueries, key: bytes, clock: Callable[[], datetime]) -> None:
        derived = HKDF(SHA256(), length=32, salt=None, info=b"pregon credentials").derive(key)
        self._store, self._clock = store, clock
        self._box = Fernet(urlsafe_b64encode(derived))

    def spend(self, channel: ChannelName) -> Callable[[str, int, int], bool]:
        """Takes units from a day's budget of a channel."""
        return lambda day, units, budget: self._store.spend_quota(channel, day, units, budget)

    def keeper(self, name: str) -> CredentialKeeper:
        """Where one credential is kept."""
        return CredentialKeeper(self._store, self._box, name, self._clock)


class CredentialKeeper:
    """One credential in the database. What another secret key encrypted counts as not there."""

    def __init__(self, store: AccountQueries, box: Fernet, name: str, clock: Callable[[], datetime]) -> None:
        self._store, self._box, self._name, self._clock = store, box, name, clock
        self._seen: str | None = None

    def read(self) -> str | None:
        """The credential as it is kept now."""
        self._seen = self._store.read_credential(self._name)
        try:
            return self._box.decrypt(self._seen.encode()).decode() if self._seen else None
        except InvalidToken:
            return None

    def write(self, value: str) -> bool:
        """Keep a new value; False when somebody else changed it since `read`."""
        sealed = self._box.encrypt(value.encode()).decode()
        if not self._store.write_credential(self._name, self._seen, sealed, self._clock()):
            return False
        self._seen = sealed
        return True
