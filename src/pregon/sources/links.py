"""Ask an address whether it is alive: HEAD, then GET where HEAD is not understood; no body is read.

Every hop of a redirect is checked as the first address is: http only, no private network, one deadline for all.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from pregon.errors import SourceError
from pregon.source_rules import host_of
from pregon.sources.fetch import MAX_REDIRECTS, build_request
from pregon.sources.network import PrivateHostError, open_transport, trusted_certificates
from pregon.sources.pace import HostPace
from pregon.types import LinkHealth, LinkState

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
# RFC 9110: a server that does not implement HEAD says 405 or 501; some hosts refuse it with 403 and answer GET.
_NO_HEAD = frozenset({403, 405, 501})
_GONE = frozenset({404, 410})
# The host is there and does not let a program in: a reader's browser may well see the page.
_REFUSED = frozenset({401, 403, 407, 429, 451, 999})
_ACCEPT = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def check_link(address: str, *, timeout: float = 10, allow_private: bool = False) -> LinkState:
    """Ask `address` within `timeout` seconds in all, at most 5 redirects. Never raises for what the network does.

    `moved` has the new address as its detail (every redirect was permanent); the others have a sentence or nothing.
    `refused`: the host answers but not to us, or it is on a private network and `allow_private` is not set.
    """
    deadline = time.monotonic() + timeout
    transport = open_transport(deadline, allow_private=allow_private)
    try:
        with httpx.Client(
            transport=transport, timeout=timeout, trust_env=False, verify=trusted_certificates()
        ) as client:
            return _follow(client, address)
    except PrivateHostError as error:
        return LinkState(address, LinkHealth.REFUSED, str(error))
    except SourceError as error:
        return LinkState(address, LinkHealth.UNREACHABLE, str(error))
    except httpx.TimeoutException:
        return LinkState(address, LinkHealth.UNREACHABLE, f"it did not answer within {timeout:g} seconds")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return LinkState(address, LinkHealth.UNREACHABLE, f"it cannot be reached ({error or type(error).__name__})")


def _follow(client: httpx.Client, address: str) -> LinkState:
    current, permanent = address, True
    for _ in range(MAX_REDIRECTS + 1):
        status, target = _ask(client, "HEAD", current)
        if status in _NO_HEAD:
            status, target = _ask(client, "GET", current)
        if target is None:
            return _judge(address, status, current if permanent and current != address else None)
        permanent, current = permanent and status in _PERMANENT, target
    return LinkState(address, LinkHealth.UNREACHABLE, f"it redirects more than {MAX_REDIRECTS} times")


def _ask(client: httpx.Client, method: str, address: str) -> tuple[int, str | None]:
    response = client.send(build_request(client, address, _ACCEPT, method), stream=True)
    try:
        location = response.headers.get("location") if response.status_code in _REDIRECTS else None
        return response.status_code, urljoin(address, location) if location else None
    finally:
        response.close()


def _judge(address: str, status: int, moved_to: str | None) -> LinkState:
    if status in _GONE:
        return LinkState(address, LinkHealth.GONE, f"there is no such page ({status})")
    if status in _REFUSED:
        return LinkState(address, LinkHealth.REFUSED, f"the host does not let a program look ({status})")
    if status >= 400:
        return LinkState(address, LinkHealth.UNREACHABLE, f"the host answers with an error ({status})")
    return LinkState(address, LinkHealth.MOVED, moved_to) if moved_to else LinkState(address, LinkHealth.ALIVE)


@dataclass(frozen=True, slots=True)
class LinkChecker:
    """Asks many addresses within `total` seconds, `in_flight` hosts at a time, each host one address at a time."""

    pace: HostPace
    in_flight: int = 8
    timeout: float = 10
    total: float = 20
    allow_private: bool = False

    def __call__(self, addresses: Sequence[str]) -> dict[str, LinkState]:
        """The state of each address; `unchecked` for those that there was no time for."""
        if not addresses:
            return {}
        deadline = time.monotonic() + self.total
        states = {address: LinkState(address, LinkHealth.UNCHECKED, "there was no time") for address in addresses}
        found: dict[str, LinkState] = {}
        groups: dict[str, list[str]] = {}
        for address in addresses:
            groups.setdefault(host_of(address), []).append(address)
        pool = ThreadPoolExecutor(self.in_flight, thread_name_prefix="links")
        try:
            asked = [pool.submit(self._ask_host, host, group, deadline, found) for host, group in groups.items()]
            wait(asked, timeout=self.total)
        finally:
            # Looking a name up cannot be interrupted; whoever is at it is left to end by itself.
            pool.shutdown(wait=False, cancel_futures=True)
        return states | found.copy()

    def _ask_host(
        self, host: str, addresses: Sequence[str], deadline: float, found: MutableMapping[str, LinkState]
    ) -> None:
        for address in addresses:
            with self.pace.visit(host, deadline=deadline) as may:
                left = deadline - time.monotonic()
                if not may or left <= 0:
                    break
                state = check_link(address, timeout=min(self.timeout, left), allow_private=self.allow_private)
            # Cut short by our own clock and not by the host's silence: that says nothing of the link.
            if state.health is LinkHealth.UNREACHABLE and left < self.timeout and time.monotonic() >= deadline:
                break
            found[address] = state
