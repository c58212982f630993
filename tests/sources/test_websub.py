from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from pregon.errors import SignatureError, SourceError
from pregon.sources.websub import (
    Subscription,
    answer_verification,
    find_hub,
    lease_end,
    request_subscription,
    verify_notification,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WANTED = Subscription("https://hub.example/", "https://t.example/feed", "https://desk.example/hooks/abc", "secret")


class Hub(HTTPServer):
    status = 202
    forms: list[dict[str, list[str]]]


@pytest.fixture
def hub() -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        server: Hub

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.server.forms.append(parse_qs(body))
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = Hub(("127.0.0.1", 0), Handler)
    server.forms = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_feed_names_its_hub_by_header_or_by_elements():
    header = {"link": '<https://hub.example/>; rel="hub", <https://t.example/feed>; rel=self'}
    assert find_hub(header, b"") == ("https://hub.example/", "https://t.example/feed")
    body = b'<feed><link rel="self" href="https://t.example/f?a=1&amp;b=2"/><atom:link href="https://h.example" rel="hub"/></feed>'
    assert find_hub({}, body) == ("https://h.example", "https://t.example/f?a=1&b=2")
    assert find_hub({}, b'<feed><link rel="self" href="https://t.example/f"/></feed>') is None


def test_the_request_is_the_form_that_the_standard_asks_for(hub):
    wanted = Subscription(f"http://127.0.0.1:{hub.server_port}/", WANTED.topic, WANTED.callback, WANTED.secret)
    request_subscription(wanted, deadline=time.monotonic() + 5, allow_private=True)
    (form,) = hub.forms
    assert {key: value[0] for key, value in form.items()} == {
        "hub.mode": "subscribe",
        "hub.topic": "https://t.example/feed",
        "hub.callback": "https://desk.example/hooks/abc",
        "hub.secret": "secret",
        "hub.lease_seconds": "864000",
    }


def test_a_hub_that_refuses_or_is_away_is_told(hub):
    hub.status = 403
    wanted = Subscription(f"http://127.0.0.1:{hub.server_port}/", WANTED.topic, WANTED.callback, WANTED.secret)
    with pytest.raises(SourceError, match="answered 403"):
        request_subscription(wanted, deadline=time.monotonic() + 5, allow_private=True)
    with pytest.raises(SourceError, match="private network"):
        request_subscription(wanted, deadline=time.monotonic() + 5)
    away = Subscription("http://127.0.0.1:9/", WANTED.topic, WANTED.callback, WANTED.secret)
    with pytest.raises(SourceError, match="cannot be reached"):
        request_subscription(away, deadline=time.monotonic() + 5, allow_private=True)


def test_only_what_was_asked_for_is_confirmed():
    query = {"hub.mode": "subscribe", "hub.topic": WANTED.topic, "hub.challenge": "c1", "hub.lease_seconds": "600"}
    assert answer_verification(WANTED, query) == "c1"
    assert answer_verification(None, query) is None
    assert answer_verification(WANTED, {**query, "hub.topic": "https://evil.example/"}) is None
    assert answer_verification(WANTED, {**query, "hub.mode": "unsubscribe"}) is None
    assert lease_end(query, NOW) == NOW + timedelta(seconds=600)
    assert lease_end({}, NOW) == NOW + timedelta(days=1)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_signature_by_any_method_of_the_standard_holds(method):
    body = b"<feed/>"
    signature = hmac.new(b"secret", body, getattr(hashlib, method)).hexdigest()
    verify_notification("secret", f"{method}={signature}", body)
    with pytest.raises(SignatureError, match="does not hold"):
        verify_notification("secret", f"{method}={signature}", body + b" ")


@pytest.mark.parametrize("header", [None, "", "md5=00", "sha1", "none=00"])
def test_a_notification_without_a_usable_signature_is_ignored(header):
    with pytest.raises(SignatureError):
        verify_notification("secret", header, b"")
