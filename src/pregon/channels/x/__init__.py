"""Posts and threads on X."""

from pregon.channels.x.channel import XChannel
from pregon.channels.x.tokens import UserTokens

__all__ = ["UserTokens", "XChannel"]
