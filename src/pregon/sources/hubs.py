"""WebSub's hubs as the subscribe use case speaks to them: which hub a source has, asking it, checking what it sends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from pregon.settings import SourceConfig
from pregon.source_rules import youtube_channel
from pregon.sources.websub import (
    YOUTUBE_HUB,
    YOUTUBE_TOPIC,
    Subscription,
    answer_verification,
    lease_end,
    request_subscription,
    verify_notification,
)
from pregon.types import SourceKind


class WebSubHubs:
    """Real hubs, over HTTP, `timeout` seconds each. `youtube_hub` is the hub of every YouTube channel's feed."""

    def __init__(self, clock: Callable[[], datetime], *, timeout: float = 10, youtube_hub: str = YOUTUBE_HUB) -> None:
        self._clock, self._timeout, self._youtube_hub = clock, timeout, youtube_hub

    def ask(self, mode: str, hub: str, topic: str, callback: str, secret: str, *, allow_private: bool) -> None:
        """Ask to subscribe or unsubscribe. Raises `SourceError`."""
        wanted = Subscription(hub, topic, callback, secret, mode)
        request_subscription(wanted, deadline=time.monotonic() + self._timeout, allow_private=allow_private)

    def confirm(self, mode: str, topic: str, query: Mapping[str, str]) -> str | None:
        """The challenge to answer with; None when this was not asked for."""
        return answer_verification(Subscription("", topic, "", "", mode), query)

    def read_lease(self, query: Mapping[str, str]) -> timedelta:
        """For how long the hub promises to tell; at least five minutes, or a hub could keep us busy with renewing."""
        now = self._clock()
        return max(lease_end(query, now) - now, timedelta(minutes=5))

    def verify(self, secret: str, header: str | None, body: bytes) -> None:
        """Raise `SignatureError` unless the notification is the hub's."""
        verify_notification(secret, header, body)

    def name_hub(self, source: SourceConfig) -> tuple[str, str] | None:
        """(hub, topic) of a YouTube channel, whose feed does not name them."""
        channel = youtube_channel(source.address) if source.kind is SourceKind.YOUTUBE else None
        return (self._youtube_hub, YOUTUBE_TOPIC.format(channel=channel)) if channel else None
