"""Faults that a test or a person asks for, and the wrapper that makes a stand-in's write misbehave so.

Each fault hits a stated number of calls. Reads are hit only when asked for (`on: read`).
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

_WHO = ("authorization", "api-key", "cookie")
Endpoint = Callable[[Request], Awaitable[Response]]

# Handled here, alike for every provider. `drop_before_accept`, `502` and `redirect` do not do what was asked; `partial`
# does it and sends half of its answer.
COMMON = ("drop_after_accept", "drop_before_accept", "hang", "slow", "500_but_done", "502", "redirect", "partial")
# Answered by each provider in its own shape.
REFUSALS = (
    "429",
    "429_with_reset",
    "402",
    "401",
    "duplicate_403",
    "reply_403",
    "expired_token",
    "quota_exceeded",
    "queued",
)
# For the mail server, which knows no HTTP: where in the dialogue, and what happens there.
MAIL = (
    "smtp_drop_greeting", "smtp_drop_recipient", "smtp_drop_data", "smtp_421", "smtp_sender_530", "smtp_sender_553",
    "smtp_recipient_450", "smtp_recipient_550", "smtp_message_451", "smtp_message_554",
)  # fmt: skip

# For SendGrid's events: before the answer to the request that they are about, a round later, each of them 46 times, the
# last first, or with no signature. Out of order and now and then twice they come without being asked.
EVENTS = ("events_early", "events_late", "events_repeated", "events_reversed", "events_unsigned")


@dataclass(slots=True)
class Fault:
    """A fault, how many more calls it hits, how long it lasts where that matters, and on reads or writes."""

    provider: str
    name: str
    times: int = 1
    seconds: float = 30.0
    on: str = "write"


class Faults:
    """The faults that are still to come, and how often each path was called."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self.requests: Counter[str] = Counter()
        self.react: Callable[[], Awaitable[object]] | None = None
        self.recording: list[dict[str, Any]] | None = None

    async def note(self, provider: str, request: Request) -> None:
        """Count a call and, while recording, keep all of it but who made it."""
        self.requests[f"{provider} {request.method} {request.url.path}"] += 1
        if self.recording is not None:
            self.recording.append(
                {
                    "provider": provider,
                    "method": request.method,
                    "path": request.scope["raw_path"].decode().removeprefix(f"/{provider}"),
                    "query": request.url.query,
                    "headers": {name: value for name, value in request.headers.items() if name not in _WHO},
                    "body": base64.b64encode(await request.body()).decode(),
                }
            )

    def add(self, fault: Fault) -> None:
        """Ask for a fault. Raises ValueError for a name that there is not."""
        known = (*COMMON, *REFUSALS, *MAIL, *EVENTS)
        if fault.name not in known:
            raise ValueError(f"there is no fault {fault.name!r}; use one of {', '.join(known)}")
        self._faults.append(fault)

    def clear(self) -> None:
        """Forget every fault."""
        self._faults.clear()

    def take(self, provider: str, on: str, *, only: str | None = None) -> Fault | None:
        """The next fault that hits this call, used up by one."""
        for fault in self._faults:
            if (fault.provider, fault.on) == (provider, on) and only in (None, fault.name):
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault
        return None


def with_faults(
    faults: Faults, provider: str, endpoint: Endpoint, refuse: Callable[[str], Response], on: str = "write"
) -> Endpoint:
    """`endpoint`, counted and, when a fault is due, misbehaving. `refuse` makes the provider's own refusals.

    `on` says which faults hit it: write (what the channel is for), read, upload (a picture before a post), or batch and
    cancel (the name under which mails are handed over, and their call-back).
    """

    async def call(request: Request) -> Response:
        await faults.note(provider, request)
        fault = faults.take(provider, on)
        if fault is None:
            return await endpoint(request)
        if fault.name in REFUSALS:
            await request.body()
            return refuse(fault.name)
        if fault.name == "events_early" and faults.react:
            answer = await endpoint(request)
            await faults.react()
            return answer
        return await _misbehave(fault, request, endpoint)

    return call


async def _misbehave(fault: Fault, request: Request, endpoint: Endpoint) -> Response:
    if fault.name == "slow":
        await asyncio.sleep(fault.seconds)
        return await endpoint(request)
    await request.body()
    if fault.name == "502":
        return Response("<html><h1>502 Bad Gateway</h1></html>", 502, media_type="text/html")
    if fault.name == "redirect":
        return RedirectResponse(str(request.base_url.replace(path="/_sandbox/trap")), 302)
    done = None if fault.name == "drop_before_accept" else await endpoint(request)
    if fault.name == "partial" and done is not None:
        return _HalfAnswer(done)
    if fault.name == "500_but_done":
        return Response(json.dumps({"errors": [{"message": "internal error"}]}), 500, media_type="application/json")
    if fault.name == "hang":
        await asyncio.sleep(fault.seconds)
    drop: Any = request.scope["extensions"]["pregon.drop"]
    drop()
    return Response(status_code=500)


class _HalfAnswer(Response):
    """Announces the whole answer, sends the first half of its body and cuts the connection."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code, dict(whole.headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        drop: Any = scope["extensions"]["pregon.drop"]
        drop()
