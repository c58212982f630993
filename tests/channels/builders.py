"""Shipments and channels for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pregon.channels.bluesky import BlueskyChannel
from pregon.channels.discourse import DiscourseChannel
from pregon.channels.mastodon import MastodonChannel
from pregon.channels.sendgrid import SendGridChannel
from pregon.channels.x import XChannel
from pregon.channels.youtube import YouTubeChannel
from pregon.sandbox import Sandbox, accounts
from pregon.types import (
    ChannelName,
    Content,
    MailBody,
    Media,
    Outgoing,
    PlaylistBody,
    PlaylistOperation,
    PostPart,
    Sender,
    Shipment,
    ThreadBody,
    TopicBody,
)

# A busy machine may take its time; only what hangs is given up soon, in `haste`.
PATIENCE = 20.0
CAMPAIGN = "2026-circular-58"
CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nSUMMARY:Marées vives\r\nEND:VCALENDAR\r\n"
LINK = "https://tidalcities.example/en/58"


def mail_content(calendar: str = "") -> Content:
    html = f'<a href="{LINK}">Read</a> <a clicktracking="off" href="-unsubscribe_url-">Unsubscribe</a>'
    body = MailBody("Circular 58", "Two calls", html, f"Read: {LINK}\nUnsubscribe: -unsubscribe_url-", "", calendar)
    sender = Sender("Tidal Cities Network", "news@tidalcities.example", "secretariat@tidalcities.example")
    return Content(ChannelName.EMAIL, "en", CAMPAIGN, body, sender=sender)


def recipient(index: int, address: str, url: str = "https://desk.example/u/t") -> Outgoing:
    values = {"-unsubscribe_url-": url}
    return Outgoing(f"mail-{index}", index, address, "Ada Marsh", values, attempted_at=datetime.now(UTC))


def newsletter(*addresses: str, **tracking: bool) -> Shipment:
    people = tuple(recipient(index, address) for index, address in enumerate(addresses or ("ada@portamar.example",)))
    return Shipment(mail_content(), people, **tracking)


def thread(*texts: str, media: tuple[Media, ...] = (), reply_to_id: str | None = None, position: int = 0) -> Shipment:
    parts = tuple(PostPart(text, len(text), media if index == 0 else ()) for index, text in enumerate(texts))
    content = Content(ChannelName.X, "en", CAMPAIGN, ThreadBody(parts, 0.0))
    delivery = Outgoing(
        f"post-{position}", position, "@tidalcities", reply_to_id=reply_to_id, attempted_at=datetime.now(UTC)
    )
    return Shipment(content, (delivery,))


def topic(title: str, text: str, *media: Media, category: int = 7, tags: tuple[str, ...] = ()) -> Shipment:
    body = TopicBody((PostPart(f"{title}\n\n{text}", len(text), media),), 0.0, category=category, tags=tags)
    content = Content(ChannelName.DISCOURSE, "en", CAMPAIGN, body)
    return Shipment(content, (Outgoing("topic-0", 0, "secretariat", attempted_at=datetime.now(UTC)),))


def playlist(video_id: str = "abcdefghijk", playlist_id: str = "PLtidal-en", op: str = "add") -> Shipment:
    operation = PlaylistOperation(op, playlist_id, "Tidal Cities Network", video_id)
    content = Content(ChannelName.YOUTUBE, None, CAMPAIGN, PlaylistBody((operation,)))
    return Shipment(content, (Outgoing("video-0", 0, playlist_id, attempted_at=datetime.now(UTC)),))


def plan(*operations: PlaylistOperation, position: int = 0, earlier_ids: dict[int, str] | None = None) -> Shipment:
    content = Content(ChannelName.YOUTUBE, "en", CAMPAIGN, PlaylistBody(operations))
    delivery = Outgoing(
        f"video-{position}", position, "", attempted_at=datetime.now(UTC), earlier_ids=earlier_ids or {}
    )
    return Shipment(content, (delivery,))


def sendgrid_channel(sandbox: Sandbox, **options: float) -> SendGridChannel:
    settings = {"timeout": PATIENCE, "grace_seconds": 0.0} | options
    return SendGridChannel(accounts.SENDGRID_API_KEY, host=sandbox.sendgrid_url, **settings)


def x_channel(sandbox: Sandbox, **options: float) -> XChannel:
    settings = {"timeout": PATIENCE, "grace_seconds": 0.0} | options
    keys = (
        accounts.X_CONSUMER_KEY,
        accounts.X_CONSUMER_SECRET,
        accounts.X_ACCESS_TOKEN,
        accounts.X_ACCESS_TOKEN_SECRET,
    )
    return XChannel(*keys, base_url=sandbox.x_url, **settings)


def mastodon_channel(sandbox: Sandbox, token: str = accounts.MASTODON_TOKEN, **options: Any) -> MastodonChannel:
    return MastodonChannel(token, sandbox.mastodon_url, **({"timeout": PATIENCE, "grace_seconds": 0.0} | options))


def bluesky_channel(sandbox: Sandbox, password: str = accounts.BLUESKY_PASSWORD, **options: Any) -> BlueskyChannel:
    settings: dict[str, Any] = {"timeout": PATIENCE, "grace_seconds": 0.0} | options
    return BlueskyChannel(accounts.BLUESKY_HANDLE, password, sandbox.bluesky_url, **settings)


def discourse_channel(sandbox: Sandbox, key: str = accounts.DISCOURSE_KEY, **options: Any) -> DiscourseChannel:
    settings: dict[str, Any] = {"timeout": PATIENCE, "grace_seconds": 0.0} | options
    return DiscourseChannel(key, accounts.DISCOURSE_USER, sandbox.discourse_url, **settings)


def youtube_channel(
    sandbox: Sandbox, refresh_token: str = accounts.YOUTUBE_REFRESH_TOKEN, **options: Any
) -> YouTubeChannel:
    settings: dict[str, Any] = {"timeout": PATIENCE, "grace_seconds": 0.0, "daily_quota": 10_000} | options
    keys = (accounts.YOUTUBE_CLIENT_ID, accounts.YOUTUBE_CLIENT_SECRET, refresh_token)
    return YouTubeChannel(*keys, base_url=sandbox.youtube_url, token_uri=sandbox.token_uri, **settings)


def writes(sandbox: Sandbox, path: str) -> int:
    """How many POSTs of this path the stand-in saw."""
    return calls(sandbox, "POST", path)


def calls(sandbox: Sandbox, method: str, path: str) -> int:
    """How many calls of this method and path the stand-in saw."""
    counts: dict[str, int] = sandbox.read("requests")["counts"]
    return sum(count for name, count in counts.items() if f" {method} " in name and name.endswith(path))


def haste(fault: str) -> dict[str, float]:
    """The options of a channel that meets this fault: half a second's patience with what hangs."""
    return {"timeout": 0.5} if fault == "hang" else {}


class Kept:
    """Keeps a credential, or the place in a mailbox, for as long as it is used."""

    def __init__(self) -> None:
        self.value: str | None = None

    def read(self) -> str | None:
        return self.value

    def write(self, value: str) -> bool:
        self.value = value
        return True
