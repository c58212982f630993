"""Calls to a Discourse forum: each once, with a timeout, following no redirect. Judges nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests

from pregon.channels.transport import harden_session
from pregon.types import Media


class Client:
    """The forum at `base_url`, written to as `user` with an API key."""

    def __init__(self, key: str, user: str, base_url: str, timeout: float) -> None:
        self._base, self.user = base_url.rstrip("/"), user
        self._session = requests.Session()
        harden_session(self._session, timeout)
        self._session.headers.update({"Api-Key": key, "Api-Username": user, "Accept": "application/json"})

    def create_topic(self, body: dict[str, Any]) -> requests.Response:
        """POST /posts.json. Raises what requests raises."""
        return self._session.post(f"{self._base}/posts.json", json=body)

    def upload(self, media: Media) -> requests.Response:
        """POST /uploads.json, a picture for a post. Raises what requests raises."""
        files = {"file": (media.name, media.data, media.media_type)}
        return self._session.post(
            f"{self._base}/uploads.json", files=files, data={"upload_type": "composer", "synchronous": "true"}
        )

    def find(self, external_id: str) -> requests.Response:
        """GET /t/external_id/ID.json, whose answer is a redirect to the topic. Raises what requests raises."""
        try:
            return self._session.get(f"{self._base}/t/external_id/{external_id}.json")
        except requests.TooManyRedirects as error:
            if error.response is None:
                raise
            return error.response

    def read_pending(self) -> requests.Response:
        """GET /posts/USER/pending.json: what of this account waits for a moderator. Raises what requests raises."""
        return self._session.get(f"{self._base}/posts/{quote(self.user, safe='')}/pending.json")

    def read_topic(self, topic_id: str) -> Any:
        """GET /t/ID.json. Raises what requests raises, and ValueError for what is no JSON."""
        answer = self._session.get(f"{self._base}/t/{topic_id}.json")
        answer.raise_for_status()
        return answer.json()
