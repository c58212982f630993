"""Calls to a Mastodon server: each once, with a timeout, following no redirect. Judges nothing."""

from __future__ import annotations

from typing import Any

import requests

from pregon.channels.transport import harden_session
from pregon.types import Media


class Client:
    """A session with the account's token."""

    def __init__(self, token: str, base_url: str, timeout: float) -> None:
        self._base = base_url.rstrip("/")
        self._session = requests.Session()
        harden_session(self._session, timeout)
        self._session.headers["Authorization"] = f"Bearer {token}"

    def post_status(self, body: dict[str, Any], key: str) -> requests.Response:
        """POST /api/v1/statuses. Raises what requests raises."""
        return self._session.post(f"{self._base}/api/v1/statuses", json=body, headers={"Idempotency-Key": key})

    def post_media(self, media: Media) -> requests.Response:
        """POST /api/v2/media, with the description. Raises what requests raises."""
        files = {"file": (media.name, media.data, media.media_type)}
        return self._session.post(f"{self._base}/api/v2/media", files=files, data={"description": media.alt_text})

    def look_at_media(self, media_id: str) -> requests.Response:
        """GET /api/v1/media/:id, which answers 206 while the server works through it. Raises what requests raises."""
        return self._session.get(f"{self._base}/api/v1/media/{media_id}")

    def read(self, path: str, **query: Any) -> Any:
        """GET a path; the JSON. Raises what requests raises, and ValueError for what is no JSON."""
        answer = self._session.get(self._base + path, params=query)
        answer.raise_for_status()
        return answer.json()
