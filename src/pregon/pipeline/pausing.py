"""Stop a whole channel because of what its provider answered: once, in a sentence, with an end where one is named."""

from __future__ import annotations

from datetime import datetime, timedelta

from pregon.pipeline.protocols import Storage
from pregon.types import AuditEntry, ChannelName, Outcome


def pause_channel(store: Storage, channel: ChannelName, outcome: Outcome, at: datetime) -> None:
    """Pause a channel for an outcome's reason, with one line in the audit log; a paused one stays as it is.

    An outcome without a reason to pause changes nothing. With `retry_after` the pause ends by itself.
    """
    if not outcome.pause or store.read_pause(channel):
        return
    until = at + timedelta(seconds=outcome.retry_after) if outcome.retry_after else None
    reason = f"{outcome.pause}: {outcome.detail}"
    if store.write_pause(channel, reason, at, until):
        store.add_audit(AuditEntry(at, "pregon", "pause", channel.value, reason))
