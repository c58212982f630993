"""Calls to a Bluesky account's server (XRPC): each once, with a timeout, following no redirect. Judges nothing.

A session is opened with an app password and kept in memory; when its token has ended, the next call opens another.
"""

from __future__ import annotations

from typing import Any

import requests

from pregon.channels.bluesky.payload import COLLECTION
from pregon.channels.transport import harden_session
from pregon.types import Media


class Client:
    """The account `identifier` on the server at `base_url`."""

    def __init__(self, identifier: str, password: str, base_url: str, timeout: float) -> None:
        self._identifier, self._password = identifier, password
        self._base = f"{base_url.rstrip('/')}/xrpc"
        self._session = requests.Session()
        harden_session(self._session, timeout)
        self._is_open, self.did, self.handle = False, "", ""

    def sign_in(self) -> None:
        """Open a session unless there is one. Raises what requests raises, ValueError and KeyError."""
        if self._is_open:
            return
        entry = {"identifier": self._identifier, "password": self._password}
        address = f"{self._base}/com.atproto.server.createSession"
        answer = self._session.post(address, json=entry, headers={"Authorization": None})
        answer.raise_for_status()
        given = answer.json()
        self._session.headers["Authorization"] = f"Bearer {given['accessJwt']}"
        self._is_open, self.did, self.handle = True, str(given["did"]), str(given["handle"])

    def forget(self) -> None:
        """The token has ended. It stays until there is another: who is in the middle of a post is told by the server."""
        self._is_open = False

    def create(self, key: str, record: dict[str, Any]) -> requests.Response:
        """Write a post under its key; a key that is taken is refused. Raises what requests raises."""
        body = {"repo": self.did, "collection": COLLECTION, "rkey": key, "record": record}
        return self._session.post(f"{self._base}/com.atproto.repo.createRecord", json=body)

    def upload(self, media: Media) -> requests.Response:
        """Upload a picture. Raises what requests raises."""
        headers = {"Content-Type": media.media_type}
        return self._session.post(f"{self._base}/com.atproto.repo.uploadBlob", data=media.data, headers=headers)

    def find(self, key: str) -> requests.Response:
        """Read the post with this key. Raises what requests raises."""
        query = {"repo": self.did, "collection": COLLECTION, "rkey": key}
        return self._session.get(f"{self._base}/com.atproto.repo.getRecord", params=query)

    def count(self, addresses: list[str]) -> Any:
        """The counters of up to 25 posts. Raises what requests raises, and ValueError."""
        answer = self._session.get(f"{self._base}/app.bsky.feed.getPosts", params={"uris": addresses})
        answer.raise_for_status()
        return answer.json()
