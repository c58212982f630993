"""How often a sign-in may be tried: by name and address together, by address, and gently by name.

A stranger must not lock an officer out by guessing under their name. So only the pair of name and address is locked;
under a name alone an address that is new to it has to wait a little longer with each failure, and an address from which
that person has signed in before does not wait at all.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from pregon.errors import NotAllowedError
from pregon.pipeline.protocols import Clock, PeopleStore

_WINDOW = timedelta(minutes=15)
_PAIR_AFTER, _ADDRESS_AFTER, _NAME_AFTER = 5, 30, 10
_LONGEST_WAIT = 60
KNOWN_FOR = timedelta(days=60)
_LOCKED = "Too many attempts; wait a quarter of an hour and try again."


class Throttle:
    """Admits attempts to sign in, and remembers how they went."""

    def __init__(self, store: PeopleStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def admit(self, name: str, address: str) -> None:
        """Raise `NotAllowedError` when this attempt comes too soon after others that failed."""
        place, since = bucket_of(address), self._clock() - _WINDOW
        count = self._store.count_failed_logins
        if count(since, name=name, address=place)[0] >= _PAIR_AFTER:
            raise NotAllowedError(_LOCKED)
        if place and count(since, address=place)[0] >= _ADDRESS_AFTER:
            raise NotAllowedError(_LOCKED)
        self._slow_down(name, place)

    def _slow_down(self, name: str, place: str) -> None:
        now = self._clock()
        failures, newest = self._store.count_failed_logins(now - _WINDOW, name=name)
        if failures < _NAME_AFTER or newest is None:
            return
        wait = min(2 ** (failures - _NAME_AFTER), _LONGEST_WAIT)
        left = (newest + timedelta(seconds=wait) - now).total_seconds()
        if left > 0 and not self._store.has_signed_in_from(name, place, now - KNOWN_FOR):
            raise NotAllowedError("Too many attempts under this name; wait a minute and try again.")

    def note(self, name: str, address: str, *, succeeded: bool) -> None:
        """Remember how an attempt went."""
        self._store.add_login_attempt(name, succeeded, self._clock(), bucket_of(address))


def bucket_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 network that one IPv6 connection usually has to itself."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:60]
    if isinstance(known, IPv6Address):
        mapped = known.ipv4_mapped
        return str(mapped) if mapped else f"{IPv6Address(int(known) >> 64 << 64)}/64"
    return str(known)
