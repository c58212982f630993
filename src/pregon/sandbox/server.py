"""Runs the sandbox: in the foreground for people, in a thread for tests and the demo. Listens on this machine only."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol

from pregon.errors import PregonError
from pregon.sandbox import accounts
from pregon.sandbox.app import DEFAULT_WEBHOOK, build_app
from pregon.sandbox.reactions import WebhookKey, is_here
from pregon.sandbox.state import State

# Calls stay on this machine and in plain HTTP; loading every authority's certificate took longer than they do.
_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class DroppableProtocol(H11Protocol):
    """HTTP whose connection an endpoint can cut, for the faults that need it."""

    def handle_events(self) -> None:
        """Handle what arrived, with the cut at hand in the scope."""
        application = self.app

        async def with_drop(scope: Any, receive: Any, send: Any) -> None:
            extensions = {**(scope.get("extensions") or {}), "pregon.drop": self.transport.abort}
            with contextlib.suppress(ClientDisconnect):  # a client that was killed: nobody waits for an answer
                await application({**scope, "extensions": extensions}, receive, send)

        self.app = with_drop
        try:
            super().handle_events()
        finally:
            self.app = application


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: the addresses of its stand-ins and what it has seen."""

    url: str
    webhook_key: str
    smtp_port: int = 0

    @property
    def sendgrid_url(self) -> str:
        """What `SendGridChannel` takes as host."""
        return f"{self.url}/sendgrid"

    @property
    def x_url(self) -> str:
        """What `XChannel` takes as base_url."""
        return f"{self.url}/x"

    @property
    def bluesky_url(self) -> str:
        """What `BlueskyChannel` takes as base_url."""
        return f"{self.url}/bluesky"

    @property
    def discourse_url(self) -> str:
        """What `DiscourseChannel` takes as base_url."""
        return f"{self.url}/discourse"

    @property
    def mastodon_url(self) -> str:
        """What `MastodonChannel` takes as base_url."""
        return f"{self.url}/mastodon"

    @property
    def youtube_url(self) -> str:
        """What `YouTubeChannel` takes as base_url."""
        return f"{self.url}/youtube"

    @property
    def token_uri(self) -> str:
        """What `YouTubeChannel` takes as token_uri."""
        return f"{self.url}/youtube/token"

    def read(self, name: str) -> Any:
        """What /_sandbox/`name` shows: mails, messages, posts, media, events, playlists, requests, accounts."""
        return self._call("GET", name)

    def set_fault(self, provider: str, fault: str, times: int = 1, **options: Any) -> None:
        """Make the next `times` calls of a provider misbehave; options are `seconds` and `on`."""
        self._call("POST", "faults", {"provider": provider, "fault": fault, "times": times, **options})

    def record(self) -> None:
        """Keep every request from now on: `read("recording")`."""
        self._call("POST", "recording")

    def set_webhook(self, url: str) -> None:
        """Where the events go."""
        self._call("POST", "webhook", {"url": url})

    def set_clock(self, now: str) -> None:
        """Let SendGrid's stand-in have this time (ISO 8601): what it keeps leaves by that clock."""
        self._call("POST", "clock", {"now": now})

    def react(self, now: str | None = None) -> dict[str, int]:
        """Let the readers act on what was accepted; `now` limits it to what is due by then."""
        counts: dict[str, int] = self._call("POST", "react", {"now": now})
        return counts

    def _call(self, method: str, name: str, body: Any = None) -> Any:
        with httpx.Client(trust_env=False, timeout=120, verify=_NO_AUTHORITIES) as client:
            answer = client.request(method, f"{self.url}/_sandbox/{name}", json=body)
        if answer.is_error:
            raise PregonError(f"the sandbox refused {name}: {answer.text}")
        return answer.json()


def read_webhook_key(state_path: Path | str) -> str:
    """The public key of this state's events, made now if the sandbox has never run."""
    state = State(state_path)
    try:
        return WebhookKey(state).public()
    finally:
        state.close()


def serve_sandbox(
    host: str,
    port: int,
    state_path: Path | str,
    *,
    webhook_url: str = DEFAULT_WEBHOOK,
    seed: str = "pregon",
    react_every: float | None = 5.0,
) -> None:
    """Run until stopped (SIGINT, SIGTERM). Raises `PregonError` when the address is taken or not of this machine."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listen(host, port))
        state = State(state_path)
        stack.callback(state.close)
        app = build_app(state, webhook_url=webhook_url, seed=seed, react_every=react_every)
        _build_server(app).run(sockets=[listener])


@contextlib.contextmanager
def running_sandbox(
    state_path: Path | str = ":memory:",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    webhook_url: str = DEFAULT_WEBHOOK,
    seed: str = "pregon",
    react_every: float | None = None,
) -> Iterator[Sandbox]:
    """A sandbox in a thread of this process, by default on a free port and in memory."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listen(host, port))
        state = State(state_path)
        stack.callback(state.close)
        mail = stack.enter_context(_listen(host, 0))
        app = build_app(state, webhook_url=webhook_url, seed=seed, react_every=react_every, mail_listener=mail)
        server = _build_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
        thread.start()
        stack.callback(thread.join, 10)
        stack.callback(setattr, server, "should_exit", True)
        address = f"http://{host}:{listener.getsockname()[1]}"
        yield Sandbox(address, WebhookKey(state).public(), mail.getsockname()[1])


def _listen(host: str, port: int) -> socket.socket:
    if not is_here(f"http://{host}/"):
        raise PregonError(f"the sandbox listens on this machine only, not on {host}: use 127.0.0.1")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PregonError(f"the sandbox cannot listen on {host}:{port}: {error.strerror}") from error
    # Listening now: whoever connects before the server is up waits in the queue instead of being refused.
    listener.listen(128)
    return listener


def _build_server(app: Any) -> uvicorn.Server:
    config = uvicorn.Config(
        app, http=DroppableProtocol, log_level="warning", access_log=False, timeout_graceful_shutdown=1
    )
    return uvicorn.Server(config)


__all__ = ["Sandbox", "accounts", "read_webhook_key", "running_sandbox", "serve_sandbox"]
