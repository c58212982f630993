"""Stop a whole channel because of what its provider said, or what is used up: once, in a sentence, with an end where one is named."""

from __future__ import annotations

from datetime import datetime, timedelta

from pregon.pipeline.protocols import Storage
from pregon.types import AuditEntry, ChannelName, Outcome


def pause_for_outcome(store: Storage, channel: ChannelName, outcome: Outcome, at: datetime) -> None:
    """Pause a channel where an outcome says so; with `retry_after` until then."""
    if outcome.pause:
        until = at + timedelta(seconds=outcome.retry_after) if outcome.retry_after else None
        pause_channel(store, channel, outcome.pause, outcome.detail, at, until)


def pause_channel(
    store: Storage, channel: ChannelName, reason: str, detail: str, at: datetime, until: datetime | None = None
) -> None:
    """Pause a channel, with one line in the audit log; a paused one stays as it is. With `until` it goes on by itself.

    `reason` is a word (quota, credit, credentials ...), `detail` a sentence.
    """
    why = f"{reason}: {detail}"
    if store.add_pause(channel, why, at, until):
        store.add_audit(AuditEntry(at, "pregon", "pause", channel.value, why))
