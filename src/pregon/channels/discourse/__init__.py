"""Topics on a Discourse forum."""

from pregon.channels.discourse.channel import DiscourseChannel

__all__ = ["DiscourseChannel"]
