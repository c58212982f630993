"""Google's client for YouTube over requests, so that a write leaves once.

With its usual transport a POST whose connection drops is sent a second time behind the caller's back, whatever
`num_retries` says. `RequestsHttp` has the shape that the client expects and makes one attempt.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import google.oauth2.credentials
import httplib2
import requests
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc

from pregon.channels.transport import harden_session
from pregon.channels.youtube.quota import Quota

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
SCOPES = ("https://www.googleapis.com/auth/youtube",)


class RequestsHttp:
    """What googleapiclient and google-auth ask of an httplib2.Http, over a hardened requests session.

    Every call is charged to `quota` before it leaves, so that nothing forgets to count.
    """

    def __init__(self, timeout: float, quota: Quota) -> None:
        self.timeout = timeout
        self._quota = quota
        self._session = requests.Session()
        harden_session(self._session, timeout)

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None, **_ignored: Any
    ) -> tuple[httplib2.Response, bytes]:
        """One attempt, no redirect. Raises what requests raises, and `QuotaGoneError` before anything leaves."""
        self._quota.charge(method, uri)
        answer = self._session.request(method, uri, data=body, headers=headers)
        fields = {name.lower(): value for name, value in answer.headers.items()}
        response = httplib2.Response({**fields, "status": str(answer.status_code)})
        response.reason = answer.reason
        return response, answer.content

    def close(self) -> None:
        """Close the session."""
        self._session.close()


def build_service(
    client_id: str,
    client_secret: str,
    refresh_token: str,
    timeout: float,
    quota: Quota,
    base_url: str | None,
    token_uri: str | None,
) -> Any:
    """The YouTube service. `base_url` and `token_uri` replace Google's own addresses, e.g. by a stand-in's."""
    credentials = google.oauth2.credentials.Credentials(  # type: ignore[no-untyped-call]
        token=None,
        refresh_token=refresh_token,
        token_uri=token_uri or TOKEN_URI,
        client_id=client_id,
        client_secret=client_secret,
        scopes=list(SCOPES),
    )
    options = {"api_endpoint": base_url.rstrip("/") + "/"} if base_url else None
    http = AuthorizedHttp(credentials, http=RequestsHttp(timeout, quota), max_refresh_attempts=1)
    shared, resources = _describe_youtube()
    description = {**shared, "resources": json.loads(resources)}
    return build_from_document(description, http=http, client_options=options)


@cache
def _describe_youtube() -> tuple[dict[str, Any], str]:
    """The description of YouTube's API in the client's package, read once: all but its resources, and those as text.

    A client completes its resources in place when they are first used; each gets its own, so that threads share none.
    """
    description: dict[str, Any] = json.loads(get_static_doc("youtube", "v3"))
    return description, json.dumps(description.pop("resources"))
