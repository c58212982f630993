"""Send the mails that people asked for themselves: the one kind that no officer approves, from an officer's template.

Each is claimed, sent once by the same channel, and settled by the same rules as a delivery; nothing is guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from pregon.audiences import sign_link
from pregon.deliveries import next_attempt
from pregon.drafts import render_notice
from pregon.errors import RenderError
from pregon.pipeline.pausing import pause_for_outcome
from pregon.pipeline.protocols import Channel, Clock, Storage, TemplateReader
from pregon.pipeline.signups import PATHS
from pregon.settings import Settings
from pregon.types import ChannelName, Content, DeliveryState, Notice, Outcome, Outgoing, Sender, Shipment

_BATCH = 50
_LEASE = timedelta(minutes=3)
_SETTLE_AGAIN = timedelta(minutes=2)


class Noticing:
    """Notices -> mails."""

    def __init__(
        self,
        store: Storage,
        channels: Mapping[ChannelName, Channel],
        templates: TemplateReader,
        settings: Settings,
        clock: Clock,
        *,
        key: bytes,
    ) -> None:
        self._store, self._channel, self._templates = store, channels[ChannelName.EMAIL], templates
        self._settings, self._clock, self._key = settings, clock, key

    def send_due(self) -> Mapping[DeliveryState, int]:
        """One pass: settle what is unknown, then send what is due. Returns how many came to which state."""
        counts: Counter[DeliveryState] = Counter()
        self._store.lose_notices(self._clock() - _LEASE, self._clock())
        for notice in self._store.unknown_notices(self._clock()):
            counts[self._settle(notice)] += 1
        while not self._store.read_pause(ChannelName.EMAIL):
            claimed = self._store.claim_notices(_BATCH, self._clock())
            for notice in claimed:
                counts[self._send(notice)] += 1
            if not claimed:
                break
        return counts

    def _send(self, notice: Notice) -> DeliveryState:
        try:
            shipment = self._shipment(notice)
        except RenderError as error:
            return self._record(notice, Outcome(notice.id, DeliveryState.PENDING, None, str(error), retry_after=600))
        (outcome,) = self._channel.send(shipment)
        return self._record(notice, outcome)

    def _settle(self, notice: Notice) -> DeliveryState:
        (outcome,) = self._channel.settle(self._shipment(notice))
        return self._record(notice, outcome)

    def _record(self, notice: Notice, outcome: Outcome) -> DeliveryState:
        now = self._clock()
        due_at = self._next(notice, outcome, now)
        if due_at is None:
            outcome = Outcome(notice.id, DeliveryState.FAILED, outcome.provider_id, f"given up: {outcome.detail}")
        self._store.record_notices([(outcome, due_at or now)])
        pause_for_outcome(self._store, ChannelName.EMAIL, outcome, now)
        return outcome.state

    def _next(self, notice: Notice, outcome: Outcome, now: datetime) -> datetime | None:
        config = self._settings.channel(ChannelName.EMAIL)
        if outcome.state is DeliveryState.PENDING:
            return now if outcome.pause else next_attempt(outcome, notice.attempts, config.max_attempts, now)
        if outcome.state is DeliveryState.UNKNOWN:
            # Nobody is written to twice on a guess; the person fills in the form again.
            is_late = now - (notice.claimed_at or now) > timedelta(hours=config.settle_hours)
            return None if is_late else now + _SETTLE_AGAIN
        return now

    def _shipment(self, notice: Notice) -> Shipment:
        network = self._settings.network
        token = sign_link(notice.kind, notice.id, self._key)
        link = f"{self._settings.base_url}/{PATHS[notice.kind]}/{token}"
        titles = [network.topics[name] for name in notice.wish.lists if name in network.topics]
        topics = [title.get(notice.language) or next(iter(title.values())) for title in titles]
        body = render_notice(self._templates(), network, notice.kind, notice.language, link, topics)
        sender = Sender(**network.sender.model_dump())
        content = Content(ChannelName.EMAIL, notice.language, f"notice-{notice.kind}", body, sender=sender)
        outgoing = Outgoing(notice.id, 0, notice.address, notice.wish.name, attempted_at=notice.claimed_at)
        return Shipment(content, (outgoing,), was_asked_for=True)
