"""SendGrid's own client with the holes closed: a timeout, no redirect, no proxy from the environment.

The stock client follows a 302 by repeating the call as a GET that carries the API key, and calls it a success.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from functools import lru_cache
from typing import Any

import python_http_client
import sendgrid
from python_http_client.client import Response


class NotConnectedError(OSError):
    """No connection was made, so nothing was written."""


class _PlainConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except OSError as error:
            raise NotConnectedError(str(error)) from error


class _SecureConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except OSError as error:
            raise NotConnectedError(str(error)) from error


class _PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PlainConnection, req)


class _SecureHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req)


@lru_cache(maxsize=1)
def _build_opener() -> urllib.request.OpenerDirector:
    # Kept: reading the system's certificates takes about 40 ms each time.
    opener = urllib.request.OpenerDirector()
    for handler in (
        _PlainHandler(),
        _SecureHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


class DirectClient(python_http_client.Client):  # type: ignore[misc]
    """The stock client, except that it opens connections itself: no redirect, no proxy."""

    def _build_client(self, name: str | None = None) -> DirectClient:
        path = [*self._url_path, name] if name else self._url_path
        # A copy of the headers: the stock client lets a call's headers leak into every later call.
        return DirectClient(
            host=self.host,
            version=self._version,
            request_headers=dict(self.request_headers),
            url_path=path,
            append_slash=self.append_slash,
            timeout=self.timeout,
        )

    def post_json(self, body: bytes) -> Response:
        """POST what is already JSON. Raises as every other call of the client does."""
        headers = {**self.request_headers, "Content-Type": "application/json"}
        request = urllib.request.Request(self._build_url(None), body, headers, method="POST")  # noqa: S310 - our host
        return Response(self._make_request(None, request))

    def _make_request(self, _opener: Any, request: urllib.request.Request, timeout: float | None = None) -> Any:
        return super()._make_request(_build_opener(), request, timeout=timeout)


def build_client(api_key: str, host: str, timeout: float) -> sendgrid.SendGridAPIClient:
    """A SendGrid client for `host` (scheme and name) that gives up on a silent connection after `timeout` seconds."""
    client = sendgrid.SendGridAPIClient(api_key, host=host.rstrip("/"))
    client.client = DirectClient(
        host=client.host, request_headers=client.client.request_headers, version=3, timeout=timeout
    )
    return client


def was_never_written(error: BaseException) -> bool:
    """Whether the fault came before the request was written, so that it certainly was not done."""
    return isinstance(error, urllib.error.URLError) and isinstance(error.reason, NotConnectedError)
