"""Playlists on YouTube."""

from pregon.channels.youtube.channel import YouTubeChannel
from pregon.channels.youtube.quota import DAILY_UNITS
from pregon.channels.youtube.reading import CachedReader

__all__ = ["DAILY_UNITS", "CachedReader", "YouTubeChannel"]
