"""Posts and threads on X."""

from pregon.channels.x.channel import XChannel

__all__ = ["XChannel"]
