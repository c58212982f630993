"""Look at a source once and say what is there: feeds and sites over HTTP, mailboxes, folders on this machine.

Remembers nothing and decides nothing: the state of the last poll comes in, a `Poll` goes out.
"""

from pregon.sources.feed import poll_feed
from pregon.sources.folder import poll_folder
from pregon.sources.mailbox import poll_mailbox
from pregon.sources.wordpress import poll_wordpress

__all__ = ["poll_feed", "poll_folder", "poll_mailbox", "poll_wordpress"]
