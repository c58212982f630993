"""When channels send: the hours of `send_window` in channels.yaml, for whatever is due, however it became due."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from pregon.pipeline.protocols import Storage
from pregon.send_windows import next_opening, zones_of
from pregon.settings import Settings
from pregon.types import ChannelName, SendWindow

# A pass may take hours, so it looks again whether what is due may still go out.
_LOOK_EVERY = timedelta(minutes=1)


class Opening:
    """Send windows -> the time that work is due."""

    def __init__(self, store: Storage, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._looked: dict[ChannelName, datetime] = {}

    def window(self, channel: ChannelName) -> SendWindow | None:
        """When the channel may send; None for always."""
        rule = self._settings.channel(channel).send_window
        return rule.window() if rule else None

    def first(self, channel: ChannelName, at: datetime) -> datetime:
        """The first moment from `at` on when the channel sends; where each reader's own hours count, `at` itself."""
        window = self.window(channel)
        return at if window is None or window.per_recipient else self._next(window, at)

    def postpone_closed(self, channel: ChannelName, now: datetime) -> int:
        """Let what is due wait while its hours are over, looking once a minute. Returns how many rows now wait."""
        window, looked = self.window(channel), self._looked.get(channel)
        if window is None or (looked is not None and looked <= now < looked + _LOOK_EVERY):
            return 0
        self._looked[channel] = now
        if not window.per_recipient:
            opening = self._next(window, now)
            return self._store.postpone(channel, now, opening) if opening > now else 0
        return self._postpone_readers(channel, window, now)

    def _postpone_readers(self, channel: ChannelName, window: SendWindow, now: datetime) -> int:
        later: defaultdict[datetime, set[str]] = defaultdict(set)
        for country in self._store.list_due_countries(channel, now):
            zones = zones_of(country)
            opening = (next_opening(window, now, zones) if zones else None) or self._next(window, now)
            if opening > now:
                later[opening].add(country)
        return sum(self._store.postpone(channel, now, opening, names) for opening, names in later.items())

    def _next(self, window: SendWindow, at: datetime) -> datetime:
        opening = next_opening(window, at, [self._settings.network.time_zone])
        assert opening is not None  # noqa: S101 - one zone always has a next opening
        return opening
