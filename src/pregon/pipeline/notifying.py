"""Tell hooks of events: signed to the Standard Webhooks specification 1.0, from an outbox, repeated for about a day.

A hook that is not reached costs nobody else anything: its messages wait with their due time, and the rest goes on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pregon.errors import NotAllowedError, NotFoundError, PregonError
from pregon.pipeline.boxes import Box
from pregon.pipeline.facts import EVENTS, Fact, Facts
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import AuditEntry, Hook, HookMessage, Role, User

Poster = Callable[[str, Mapping[str, str], bytes], tuple[int | None, str]]
"""Posts headers and body to an address; the status of the answer (None: there was none) and a sentence. Never raises."""

TEST_EVENT = "hook.test"
_SECRET_PREFIX = "whsec_"  # noqa: S105 - what such secrets start with
# As long as the specification's own schedule, about a day in all; the first attempt is made at once.
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (0.1, 5, 30, 120, 300, 600, 600))
_LEASE, _KEPT, _OVERLAP = timedelta(minutes=5), timedelta(days=30), timedelta(minutes=10)
_AT_ONCE = 50
_GONE = 410


@dataclass(frozen=True, slots=True)
class HookView:
    """A hook as an admin sees it: how many messages wait, how many were given up, and the newest ones."""

    hook: Hook
    waiting: int
    given_up: int
    messages: tuple[HookMessage, ...]


class Notifying:
    """Facts -> hooks."""

    def __init__(
        self, store: Storage, facts: Facts, post: Poster, clock: Clock, *, key: bytes, allow_private: bool = False
    ) -> None:
        self._store, self._facts, self._post, self._clock = store, facts, post, clock
        self._box, self._allow_private = Box(key, "hooks"), allow_private

    # --- looking after hooks

    def list_hooks(self, admin: User) -> tuple[HookView, ...]:
        """Every hook. Raises `NotAllowedError`."""
        _refuse_others(admin)
        waiting, given_up = self._store.count_messages(["pending"]), self._store.count_messages(["failed"])
        return tuple(
            HookView(hook, waiting.get(hook.id, 0), given_up.get(hook.id, 0), self._store.list_messages(hook.id, 5))
            for hook in self._store.list_hooks()
        )

    def add_hook(self, url: str, events: tuple[str, ...], admin: User) -> tuple[int, str]:
        """Tell an address of these events from now on. Returns its id and its secret, which is shown this once.

        Raises `PregonError`.
        """
        _refuse_others(admin)
        self._check(url, events)
        secret, now = _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode(), self._clock()
        hook = Hook(0, url, events, self._box.seal(secret), True, admin.name, now, now)
        hook = replace(hook, id=self._store.add_hook(hook))
        # What stands already is known, not news.
        self._keep(hook, now, state="known")
        self._audit(admin, hook, f"added for {', '.join(events)}")
        return hook.id, secret

    def _check(self, url: str, events: tuple[str, ...]) -> None:
        if not events or not set(events) <= set(EVENTS):
            raise PregonError("Choose at least one of the events of the list.")
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise PregonError("That is no address; it looks like https://example.org/hook.") from error
        schemes = ("https", "http") if self._allow_private else ("https",)
        plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= 500
        if parts.scheme not in schemes or not host or not plain or "@" in parts.netloc or parts.fragment:
            raise PregonError("A hook's address starts with https:// and has no password in it.")

    def switch(self, hook_id: int, admin: User, *, on: bool) -> None:
        """Switch a hook off, or on again; what happened meanwhile is not told. Raises `NotFoundError`."""
        hook = self._hook(hook_id, admin)
        self._store.write_hook(hook_id, active=on)
        if on:
            self._keep(hook, self._clock(), state="known")
        self._audit(admin, hook, "switched on" if on else "switched off")

    def remove(self, hook_id: int, admin: User) -> None:
        """Forget a hook. Raises `NotFoundError`."""
        hook = self._hook(hook_id, admin)
        self._store.remove_hook(hook_id)
        self._audit(admin, hook, "removed")

    def test(self, hook_id: int, admin: User) -> str:
        """Send a test event now; returns what came of it, in words. Raises `NotFoundError`."""
        hook, now = self._hook(hook_id, admin), self._clock()
        message = _message(hook, Fact(f"{TEST_EVENT}:{secrets.token_hex(8)}", TEST_EVENT, now, {"by": admin.name}), now)
        message = replace(message, state="sending")
        self._store.add_messages([message])
        status, detail = self._send(hook, message)
        # A test that fails is shown and not repeated; it is no event that somebody missed.
        state = "sent" if status is not None and _is_taken(status) else "known"
        self._store.settle_message(replace(message, attempts=1), state, detail, now, now)
        return detail

    def _hook(self, hook_id: int, admin: User) -> Hook:
        _refuse_others(admin)
        hook = self._store.read_hook(hook_id)
        if hook is None:
            raise NotFoundError("There is no such hook; it may have been removed.")
        return hook

    # --- telling

    def notify(self) -> int:
        """One pass: find what happened, send what is due. Returns how many messages were delivered."""
        hooks = {hook.id: hook for hook in self._store.list_hooks() if hook.active}
        if not hooks:
            return 0
        now = self._clock()
        for hook in hooks.values():
            self._keep(hook, now, state="pending")
        return self._send_due(hooks, now)

    def forget(self) -> int:
        """Messages of more than a month ago are forgotten. Returns how many."""
        return self._store.forget_messages(self._clock() - _KEPT)

    def _keep(self, hook: Hook, now: datetime, *, state: str) -> None:
        facts = self._facts.find(hook.swept_at - _OVERLAP, now)
        wanted = [fact for fact in facts if fact.event in hook.events]
        self._store.add_messages([replace(_message(hook, fact, now), state=state) for fact in wanted])
        # Only now: what a process that ends here has not kept, the next pass finds again.
        self._store.write_hook(hook.id, swept_at=now)

    def _send_due(self, hooks: Mapping[int, Hook], now: datetime) -> int:
        sent, unreached = 0, dict[int, datetime]()
        for message in self._store.claim_messages(_AT_ONCE, now + _LEASE, now):
            hook = hooks.get(message.hook_id)
            if hook is None:
                continue
            if hook.id in unreached:
                # The address does not answer just now: its other messages wait as long, and lose no attempt.
                self._store.settle_message(message, "pending", "waits for the one before it", unreached[hook.id], now)
                continue
            status, detail = self._send(hook, message)
            again = self._settle(hook, replace(message, attempts=message.attempts + 1), status, detail)
            sent += again is None and status is not None and _is_taken(status)
            if again is not None:
                unreached[hook.id] = again
        return sent

    def _send(self, hook: Hook, message: HookMessage) -> tuple[int | None, str]:
        secret = self._box.open(hook.secret)
        if secret is None:
            return None, "not sent: its secret was sealed with another secret key; remove the hook and add it again"
        body, at = message.body.encode(), int(self._clock().timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": "pregon",
            "webhook-id": message.id,
            "webhook-timestamp": str(at),
            "webhook-signature": sign_message(secret, message.id, at, body),
        }
        return self._post(hook.url, headers, body)

    def _settle(self, hook: Hook, message: HookMessage, status: int | None, detail: str) -> datetime | None:
        """Write what became of an attempt; when it is tried again, else None."""
        now = self._clock()
        if status is not None and _is_taken(status):
            self._store.settle_message(message, "sent", detail, now, now)
            return None
        if status == _GONE:
            self._store.write_hook(hook.id, active=False)
            self._store.settle_message(
                message, "failed", "answered 410: it wants no more, so it was switched off", now, now
            )
            return None
        if message.attempts > len(_WAITS):
            self._store.settle_message(message, "failed", detail, now, now)
            return None
        again = now + _WAITS[message.attempts - 1]
        self._store.settle_message(message, "pending", detail, again, now)
        return again

    def _audit(self, admin: User, hook: Hook, detail: str) -> None:
        subject = f"hook {urlsplit(hook.url).netloc}"[:120]
        self._store.add_audit(AuditEntry(self._clock(), admin.name, "hook", subject, detail))


def sign_message(secret: str, message_id: str, at: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over id, time and body, each parted by a point (Standard Webhooks 1.0)."""
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    digest = hmac.digest(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _message(hook: Hook, fact: Fact, now: datetime) -> HookMessage:
    body = {"type": fact.event, "timestamp": fact.at.isoformat(), "data": fact.data}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    identity = f"msg_{secrets.token_hex(16)}"
    return HookMessage(identity, hook.id, fact.name[:120], fact.event, text, "pending", 0, "", now, now)


def _is_taken(status: int) -> bool:
    return 200 <= status < 300


def _refuse_others(user: User) -> None:
    if not user.role.includes(Role.ADMIN):
        raise NotAllowedError(f"Your role, {user.role}, does not include this; an admin can do it.")
