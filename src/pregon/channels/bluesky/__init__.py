"""Posts and threads on Bluesky."""

from pregon.channels.bluesky.channel import DEFAULT_HOST, BlueskyChannel

__all__ = ["DEFAULT_HOST", "BlueskyChannel"]
