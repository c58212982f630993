"""A small desk over real HTTP: verifies and reads event batches, takes one-click unsubscribes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pregon.channels.sendgrid import parse_events, verify_signature
from pregon.channels.sendgrid.events import SIGNATURE_HEADER, TIMESTAMP_HEADER
from pregon.types import ProviderEvent


@dataclass
class Desk:
    webhook_key: str
    url: str = ""
    is_down: bool = False
    events: list[ProviderEvent] = field(default_factory=list)
    batches: int = 0
    calls: list[tuple[str, str, bytes]] = field(default_factory=list)

    def take(self, method: str, path: str, headers: Any, body: bytes) -> int:
        if self.is_down:
            return 503
        if path == "/webhooks/sendgrid":
            verify_signature(self.webhook_key, body, headers[SIGNATURE_HEADER], headers[TIMESTAMP_HEADER])
            self.events += parse_events(body)
            self.batches += 1
        else:
            self.calls.append((method, path, body))
        return 200


@contextlib.contextmanager
def running_desk(webhook_key: str) -> Iterator[Desk]:
    desk = Desk(webhook_key)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(desk.take(self.command, self.path, self.headers, body))
            self.end_headers()

        do_GET = do_POST = _answer  # noqa: N815 - the names that the base class looks for

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        desk.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield desk
        server.shutdown()
        thread.join(5)
