"""SendGrid as a channel: many deliveries in one call, no samples (its figures come as events)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pregon.channels.sendgrid.addresses import tell_addresses
from pregon.channels.sendgrid.client import build_client
from pregon.channels.sendgrid.scheduled import cancel_batch, open_batch, read_batch
from pregon.channels.sendgrid.send import send_mail, try_mail
from pregon.channels.sendgrid.settle import settle_mail
from pregon.types import ChannelName, Outcome, Outgoing, Sample, Shipment

DEFAULT_HOST = "https://api.sendgrid.com"


class SendGridChannel:
    """Newsletters through SendGrid. `host` takes scheme and name, e.g. https://api.eu.sendgrid.com.

    `grace_seconds`: how long after an attempt the provider's log may still not show it.
    """

    name = ChannelName.EMAIL

    def __init__(
        self,
        api_key: str,
        *,
        host: str = DEFAULT_HOST,
        timeout: float = 10.0,
        batch_size: int = 1000,
        grace_seconds: float = 900.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.batch_size = batch_size
        self._client = build_client(api_key, host, timeout)
        self._grace_seconds = grace_seconds
        self._clock = clock

    def send(self, shipment: Shipment) -> Sequence[Outcome]:
        """Send the shipment in one request: one outcome per delivery, in order."""
        return send_mail(self._client, shipment, self._clock())

    def settle(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Read back what became of deliveries whose outcome is unknown."""
        return settle_mail(self._client, shipment, self._clock(), self._grace_seconds)

    def open_batch(self) -> str | Outcome:
        """A name to hand mails over with, or why there is none."""
        return open_batch(self._client, self._clock())

    def cancel_batch(self, batch_id: str, status: str) -> None:
        """Ask for a batch back that has this status. Only `read_batch` tells whether it worked."""
        cancel_batch(self._client, batch_id, status)

    def read_batch(self, batch_id: str) -> str | None:
        """cancel, pause, "" when it will leave, None when SendGrid could not be asked."""
        return read_batch(self._client, batch_id)

    def try_out(self, shipment: Shipment) -> str:
        """Let SendGrid check a mail without sending it. What is wrong, "" for nothing."""
        return try_mail(self._client, shipment)

    def tell_addresses(self, kind: str, addresses: Sequence[str]) -> Outcome:
        """Tell SendGrid to suppress, release or erase addresses: sent, pending (repeat it) or failed."""
        return tell_addresses(self._client, kind, addresses, self._clock())

    def sample(self, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
        """Nothing: SendGrid tells by events."""
        return ()
