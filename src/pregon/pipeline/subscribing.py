"""The subscribe use case (WebSub): be told at once when a feed changes, where its hub offers that.

A notification is a hint: its source becomes due, and the feed itself is read. Losing every notification costs time only.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from pregon.errors import NotFoundError, PregonError, SourceError
from pregon.pipeline.polling import begin_anew
from pregon.pipeline.protocols import Clock, SubscriptionStore
from pregon.settings import Settings, SourceConfig
from pregon.source_rules import host_of
from pregon.types import SourceKind, Subscription, SubscriptionState

# A hub that does not answer back is asked again after an hour, then two, four and so on, at most a week.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(hours=1), timedelta(days=7)
# How many hubs are asked in one pass: the others wait for the next, a minute later.
_MOST_AT_ONCE = 10
_KINDS = (SourceKind.FEED, SourceKind.YOUTUBE)


class Hubs(Protocol):
    """How hubs are spoken to, and what they send is checked."""

    def ask(self, mode: str, hub: str, topic: str, callback: str, secret: str, *, allow_private: bool) -> None:
        """Ask to subscribe or unsubscribe. Raises `SourceError`."""
        ...

    def confirm(self, mode: str, topic: str, query: Mapping[str, str]) -> str | None:
        """The challenge to answer with; None when this was not asked for."""
        ...

    def read_lease(self, query: Mapping[str, str]) -> timedelta:
        """For how long the hub promises to tell."""
        ...

    def verify(self, secret: str, header: str | None, body: bytes) -> None:
        """Raise `SignatureError` unless the notification is the hub's."""
        ...

    def name_hub(self, source: SourceConfig) -> tuple[str, str] | None:
        """(hub, topic) of a source whose feed does not name them."""
        ...


@dataclass(frozen=True, slots=True)
class SubscribeResult:
    """Which sources' hubs were asked, and which did not agree: (source id, sentence) each."""

    asked: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


class Subscribing:
    """Sources -> hints."""

    def __init__(self, store: SubscriptionStore, hubs: Hubs, settings: Settings, clock: Clock, *, key: bytes) -> None:
        self._store, self._hubs, self._settings, self._clock, self._key = store, hubs, settings, clock, key

    def tend(self) -> SubscribeResult:
        """Ask for what is wanted and not running, renew what ends soon, leave what is no longer wanted."""
        now, wanted = self._clock(), self._wanted()
        existing = self._store.list_subscriptions()
        asked: list[str] = []
        ended: list[str] = []
        failed: list[tuple[str, str]] = []
        kept = {s.source_id: s for s in existing if self._is_wanted(s, wanted)}
        for old in [s for s in existing if s is not kept.get(s.source_id)]:
            ended += [old.source_id] if self._leave(old) else []
        for source_id, (hub, topic) in wanted.items():
            known = kept.get(source_id)
            if len(asked) + len(failed) >= _MOST_AT_ONCE or (known is not None and known.next_try_at > now):
                continue
            fresh = Subscription(secrets.token_urlsafe(32), source_id, hub, topic, SubscriptionState.ASKED, now)
            problem = self._subscribe(known or fresh)
            asked += [] if problem else [source_id]
            failed += [(source_id, problem)] if problem else []
        return SubscribeResult(tuple(asked), tuple(ended), tuple(failed))

    def confirm(self, token: str, query: Mapping[str, str]) -> str | None:
        """Answer a hub that asks whether we meant it; None when we did not. A refusal of the hub is remembered."""
        known = self._store.read_subscription(token)
        if known is None or query.get("hub.topic") != known.topic:
            return None
        if query.get("hub.mode") == "denied":
            self._remember_refusal(
                known, f"the hub refuses: {query.get('hub.reason', '')[:200] or 'it gives no reason'}"
            )
            return "noted"
        mode = "unsubscribe" if known.state is SubscriptionState.LEAVING else "subscribe"
        challenge = self._hubs.confirm(mode, known.topic, query)
        if challenge is None:
            return None
        if mode == "unsubscribe":
            self._store.end_subscription(token)
        else:
            self._start_lease(known, self._hubs.read_lease(query))
        return challenge

    def notice(self, token: str, header: str | None, body: bytes) -> str:
        """Take a hub's notification as a hint; returns the source that is due now. Raises `NotFoundError`, `SignatureError`."""
        known = self._store.read_subscription(token)
        if known is None or known.state is SubscriptionState.LEAVING:
            raise NotFoundError("There is no such subscription; it has ended.")
        self._hubs.verify(self._secret(token), header, body)
        self._store.mark_due(known.source_id, self._clock())
        return known.source_id

    def _wanted(self) -> dict[str, tuple[str, str]]:
        """(hub, topic) by source, for the sources that are to be told of and whose hub can reach us."""
        open_to_all = is_reachable(self._settings.base_url)
        wanted = {}
        for source in self._settings.sources:
            if not (source.active and source.websub and source.kind in _KINDS):
                continue
            state = begin_anew(source, self._store.read_source(source.id))
            named = (state.hub, state.topic) if state.hub and state.topic else self._hubs.name_hub(source)
            if named and not state.gone and (open_to_all or source.allow_private):
                wanted[source.id] = named
        return wanted

    @staticmethod
    def _is_wanted(known: Subscription, wanted: Mapping[str, tuple[str, str]]) -> bool:
        return known.state is not SubscriptionState.LEAVING and wanted.get(known.source_id) == (known.hub, known.topic)

    def _subscribe(self, wanted: Subscription) -> str | None:
        # Stored first: a hub may ask back before it has answered.
        due = self._clock() + _wait(wanted.failures + 1)
        state = wanted.state if wanted.state is SubscriptionState.RUNNING else SubscriptionState.ASKED
        self._store.save_subscription(replace(wanted, state=state, failures=wanted.failures + 1, next_try_at=due))
        try:
            self._ask("subscribe", wanted)
        except SourceError as error:
            self._remember_refusal(wanted, str(error))
            return str(error)
        return None

    def _leave(self, old: Subscription) -> bool:
        """Ask the hub to stop. What it does not confirm within a few tries is forgotten; its callback then answers 410."""
        now = self._clock()
        if old.state is SubscriptionState.LEAVING and old.next_try_at > now:
            return False
        tries = old.failures + 1 if old.state is SubscriptionState.LEAVING else 1
        lapsed = old.lease_ends_at is None or old.lease_ends_at <= now
        if tries > 3 or lapsed:
            self._store.end_subscription(old.token)
            return True
        leaving = replace(old, state=SubscriptionState.LEAVING, failures=tries, next_try_at=now + _wait(tries))
        self._store.save_subscription(leaving)
        try:
            self._ask("unsubscribe", old)
        except PregonError as error:
            self._store.save_subscription(replace(leaving, detail=str(error)))
        return True

    def _ask(self, mode: str, subscription: Subscription) -> None:
        callback = f"{self._settings.base_url}/websub/{subscription.token}"
        allowed = {source.id for source in self._settings.sources if source.allow_private}
        secret = self._secret(subscription.token)
        is_allowed = subscription.source_id in allowed
        self._hubs.ask(mode, subscription.hub, subscription.topic, callback, secret, allow_private=is_allowed)

    def _remember_refusal(self, wanted: Subscription, why: str) -> None:
        known = self._store.read_subscription(wanted.token) or wanted
        still_runs = known.lease_ends_at is not None and known.lease_ends_at > self._clock()
        failures = max(known.failures, 1)
        self._store.save_subscription(
            replace(
                known,
                state=known.state if still_runs else SubscriptionState.REFUSED,
                next_try_at=self._clock() + _wait(failures),
                failures=failures,
                detail=why,
            )
        )

    def _start_lease(self, known: Subscription, lease: timedelta) -> None:
        now = self._clock()
        # Renewed after two thirds, so that a hub that is away for a while does not end it.
        self._store.save_subscription(
            replace(
                known,
                state=SubscriptionState.RUNNING,
                lease_ends_at=now + lease,
                next_try_at=now + lease * 2 / 3,
                failures=0,
                detail="",
            )
        )

    def _secret(self, token: str) -> str:
        """What the hub signs with: derived, so that no secret stands in the database."""
        return hmac.new(self._key, f"websub:{token}".encode(), hashlib.sha256).hexdigest()


def _wait(failures: int) -> timedelta:
    return min(_FIRST_WAIT * (1 << min(max(failures, 1) - 1, 10)), _LONGEST_WAIT)


def is_reachable(base_url: str) -> bool:
    """Whether others can reach this address as far as its own spelling tells: not this machine, no private network."""
    host = host_of(base_url)
    if not host or host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".test", ".invalid")):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host
