"""HTTP for the clients that ride on requests: one attempt, a timeout, no redirect, no proxy, no reused connection.

A kept-alive connection that the server closed meanwhile would turn a certain result into an unknown one, so every
request opens its own. Tells apart what failed before anything was written from what may have been done.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NameResolutionError, NewConnectionError

from pregon.channels.clock import check_clock


class SingleAttemptAdapter(HTTPAdapter):
    """Sends each request once. With `base`, scheme, host and path prefix of the address are replaced by it.

    The replacement comes after signing, so an OAuth signature stays the one for the provider's own address.
    """

    def __init__(self, timeout: float, base: str | None = None) -> None:
        self.timeout = timeout
        self.base = base.rstrip("/") if base else None
        super().__init__(max_retries=0)

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """Send, with our timeout and to our base. Raises `ClockError` where a reading cannot be believed."""
        if self.base:
            parts = urlsplit(str(request.url))
            request.url = self.base + parts.path + (f"?{parts.query}" if parts.query else "")
        request.headers["Connection"] = "close"
        options["timeout"] = self.timeout
        options["proxies"] = {}
        response = super().send(request, **options)
        if request.method == "GET":
            # Only where something is read: what was written is known to be done, whatever the clock says.
            check_clock(response.headers.get("Date"))
        return response


def harden_session(session: requests.Session, timeout: float, base: str | None = None) -> None:
    """Make `session` send once, within `timeout` seconds per read, straight to the host, refusing redirects."""
    session.trust_env = False
    session.max_redirects = 0
    for scheme in ("https://", "http://"):
        session.mount(scheme, SingleAttemptAdapter(timeout, base))


def explain_unread(provider: str, error: BaseException, renew: str) -> str:
    """Why an account could not be read, in one sentence; `renew` says what to do when the provider refuses us."""
    if isinstance(error, requests.TooManyRedirects):
        return f"{provider}'s address answers with a redirect, which is refused; correct host"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return f"{provider} refuses us ({status}): {renew}"
    if status is not None:
        return f"{provider} answered {status}; ask again later, or look at its status page"
    if isinstance(error, requests.RequestException):
        return f"{provider} cannot be reached ({type(error).__name__}); look at host and at this machine's connection"
    return f"{provider} gave no answer that can be read ({type(error).__name__}); look at host"


def was_never_written(error: BaseException) -> bool:
    """Whether the fault came before the request was written, so that it certainly was not done."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    if not isinstance(error, requests.exceptions.ConnectionError) or not error.args:
        return False
    reason = getattr(error.args[0], "reason", error.args[0])
    return isinstance(reason, NewConnectionError | NameResolutionError)
