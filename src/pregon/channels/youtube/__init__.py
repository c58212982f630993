"""Playlists on YouTube."""

from pregon.channels.youtube.channel import YouTubeChannel

__all__ = ["YouTubeChannel"]
