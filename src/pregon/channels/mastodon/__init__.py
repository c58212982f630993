"""Posts and threads on a Mastodon server."""

from pregon.channels.mastodon.channel import MastodonChannel

__all__ = ["MastodonChannel"]
