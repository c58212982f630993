"""X as a channel: one delivery is one part of a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pregon.channels.x.client import XCredentials, build_client
from pregon.channels.x.samples import sample_posts
from pregon.channels.x.send import send_post
from pregon.channels.x.settle import settle_post
from pregon.types import ChannelName, DeliveryState, Outcome, Outgoing, Sample, Shipment


class XChannel:
    """Posts on X. `base_url` replaces X's own address, e.g. by a stand-in's."""

    name = ChannelName.X
    batch_size = 1

    def __init__(
        self,
        consumer_key: str,
        consumer_secret: str,
        access_token: str,
        access_token_secret: str,
        *,
        base_url: str | None = None,
        timeout: float = 10.0,
        grace_seconds: float = 120.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        credentials = XCredentials(consumer_key, consumer_secret, access_token, access_token_secret)
        self._client = build_client(credentials, base_url, timeout)
        self._grace_seconds = grace_seconds
        self._clock = clock

    def send(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Post each delivery's part in order; after one that was not posted the rest stay pending."""
        outcomes: list[Outcome] = []
        for delivery in shipment.deliveries:
            if outcomes and outcomes[-1].state is not DeliveryState.SENT:
                detail = "waits for the part before it"
                outcomes.append(Outcome(delivery.delivery_id, DeliveryState.PENDING, None, detail))
                continue
            outcomes.append(send_post(self._client, shipment, delivery, self._clock()))
        return tuple(outcomes)

    def settle(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Look for each delivery's post on the account's own timeline."""
        return tuple(
            settle_post(self._client, shipment, delivery, self._clock(), self._grace_seconds)
            for delivery in shipment.deliveries
        )

    def sample(self, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
        """Public counters of the posts that have a provider id."""
        return sample_posts(self._client, deliveries, at)
