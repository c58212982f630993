"""Playlists on YouTube."""

from pregon.channels.youtube.channel import YouTubeChannel
from pregon.channels.youtube.reading import CachedReader

__all__ = ["CachedReader", "YouTubeChannel"]
