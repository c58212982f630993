"""Mastodon as a channel: one delivery is one part of a thread.

Source: Mastodon's API documentation (statuses, media, accounts). A status carries our delivery id as its
Idempotency-Key, which the server keeps for an hour: a repeated request answers with the same status.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import requests

from pregon.channels.mastodon.client import Client
from pregon.channels.mastodon.send import send_post
from pregon.channels.mastodon.settle import settle_post
from pregon.channels.threads import select_part, send_in_order
from pregon.channels.transport import explain_unread
from pregon.types import Account, ChannelName, Outcome, Outgoing, Sample, Shipment

_TROUBLE = (requests.RequestException, ValueError, KeyError, TypeError)
_METRICS = {"favourites_count": "likes", "reblogs_count": "reposts", "replies_count": "replies"}


class MastodonChannel:
    """Posts on the account that `token` belongs to, on the server at `base_url`, e.g. https://social.example."""

    name = ChannelName.MASTODON
    batch_size = 1

    def __init__(
        self,
        token: str,
        base_url: str,
        *,
        timeout: float = 10.0,
        grace_seconds: float = 120.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = Client(token, base_url, timeout)
        self._grace_seconds, self._clock = grace_seconds, clock

    def send(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Post each delivery's part in order; after one that was not posted the rest stay pending."""
        language = shipment.content.language or ""
        return send_in_order(
            shipment, lambda part, delivery: send_post(self._client, part, delivery, language, self._clock())
        )

    def settle(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Look for each delivery's post among the account's own."""
        now = self._clock()
        return tuple(
            settle_post(self._client, select_part(shipment, delivery), delivery, now, self._grace_seconds)
            for delivery in shipment.deliveries
        )

    def read_account(self) -> Account:
        """Whom the token belongs to."""
        try:
            return Account(f"@{self._client.read('/api/v1/accounts/verify_credentials')['acct']}")
        except _TROUBLE as error:
            return Account(problem=explain_unread("Mastodon", error, "give it another token"))

    def sample(self, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
        """Likes, reposts and replies of the posts that have a provider id; nothing for what cannot be read."""
        found: list[Sample] = []
        for delivery in deliveries:
            try:
                status = self._client.read(f"/api/v1/statuses/{delivery.provider_id}")
            except (requests.RequestException, ValueError):
                continue
            found += [
                Sample(delivery.delivery_id, metric, int(status[name]), at)
                for name, metric in _METRICS.items()
                if isinstance(status, dict) and name in status
            ]
        return tuple(found)
