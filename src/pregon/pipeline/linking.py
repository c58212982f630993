"""The link use case: which addresses lead somewhere, asked once a day each and remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pregon.pipeline.protocols import Clock, LinkAsker, LinkStore
from pregon.source_rules import host_of
from pregon.types import LinkHealth, LinkState

_GOOD_FOR, _BAD_FOR = timedelta(hours=24), timedelta(hours=1)
_FORGET_AFTER = timedelta(days=30)
# RFC 2606 and 6761: names that lead nowhere, by agreement; drafts and samples use them.
_RESERVED = ("example", "test", "invalid", "localhost")


class Linking:
    """Addresses -> whether they are alive."""

    def __init__(self, store: LinkStore, ask: LinkAsker, clock: Clock, *, enabled: bool = True) -> None:
        self._store, self._ask, self._clock, self._enabled = store, ask, clock, enabled

    def check(self, addresses: Sequence[str]) -> Mapping[str, LinkState]:
        """The state of each address, the remembered one while it is fresh. Bounded in time; never raises for a link.

        `unchecked` when checking is switched off, for what is no http address, for reserved hosts, and for those that
        there was no time left to ask.
        """
        wanted = list(dict.fromkeys(addresses))
        states = {address: LinkState(address, LinkHealth.UNCHECKED) for address in wanted}
        open_ones = [address for address in wanted if self._enabled and is_askable(address)]
        now = self._clock()
        remembered = {key: s for key, s in self._store.read_link_states(open_ones).items() if _is_fresh(s, now)}
        states |= remembered
        asked = self._ask([address for address in open_ones if address not in remembered])
        found = {address: replace(state, checked_at=now) for address, state in asked.items()}
        self._store.save_link_states([s for s in found.values() if s.health is not LinkHealth.UNCHECKED])
        return states | found

    def forget_old(self) -> int:
        """Drop what was found more than a month ago; returns how much."""
        return self._store.forget_link_states(self._clock() - _FORGET_AFTER)


def is_askable(address: str) -> bool:
    """Whether an address is http and at a host that may exist."""
    host = host_of(address)
    is_http = address.partition(":")[0].lower() in {"http", "https"}
    return is_http and bool(host) and host.rpartition(".")[2] not in _RESERVED


def _is_fresh(state: LinkState, now: datetime) -> bool:
    lasts = _GOOD_FOR if state.health in (LinkHealth.ALIVE, LinkHealth.MOVED) else _BAD_FOR
    return state.checked_at is not None and now - state.checked_at < lasts
