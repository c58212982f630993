"""Take a picture to X, with its alt text: one request for a still picture, segments for a GIF. Posts nothing.

Source: X's description of API v2. POST /2/media/upload takes tweet_image only; a tweet_gif goes through
initialize, append and finalize, and may be worked on afterwards, which GET /2/media/upload tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import tweepy

from pregon.channels.x.client import is_signed
from pregon.channels.x.payload import GIF, build_alt_text, build_segments, build_start, build_upload
from pregon.types import Media

UPLOAD = "/2/media/upload"
# X says how long to wait between two looks; a picture that takes longer than this in all is given up for now.
MAX_WAIT = 30.0


def upload_media(client: tweepy.Client, media: Media, sleep: Callable[[float], None] = time.sleep) -> str:
    """X's id of a picture that is ready to be posted. Raises what tweepy and requests raise, and ValueError."""
    upload = _upload_gif if media.media_type == GIF else _upload_picture
    media_id = upload(client, media, sleep)
    if media.alt_text:
        _post(client, "/2/media/metadata", build_alt_text(media_id, media))
    return media_id


def _upload_picture(client: tweepy.Client, media: Media, _sleep: Callable[[float], None]) -> str:
    return str(_post(client, UPLOAD, build_upload(media))["data"]["id"])


def _upload_gif(client: tweepy.Client, media: Media, sleep: Callable[[float], None]) -> str:
    media_id = str(_post(client, f"{UPLOAD}/initialize", build_start(media))["data"]["id"])
    for segment in build_segments(media):
        _post(client, f"{UPLOAD}/{media_id}/append", segment)
    answer = _post(client, f"{UPLOAD}/{media_id}/finalize")
    _await_ready(client, media_id, answer["data"].get("processing_info"), sleep)
    return media_id


def _await_ready(
    client: tweepy.Client, media_id: str, working: Mapping[str, Any] | None, sleep: Callable[[float], None]
) -> None:
    """Look until X has worked through the picture. Raises ValueError when it cannot, or takes too long."""
    waited = 0.0
    while working and working.get("state") != "succeeded":
        pause = max(0.1, float(working.get("check_after_secs") or 0))
        if working.get("state") == "failed" or waited + pause > MAX_WAIT:
            raise ValueError(f"X did not work through the picture: {dict(working)}")
        sleep(pause)
        waited += pause
        query = {"command": "STATUS", "media_id": media_id}
        answer: Any = client.request("GET", UPLOAD, params=query, user_auth=is_signed(client))
        working = answer.json()["data"].get("processing_info")


def _post(client: tweepy.Client, path: str, body: Any = None) -> Any:
    return client.request("POST", path, json=body, user_auth=is_signed(client)).json()
