"""What the use cases need beside storage: ways out, translators, events, and what asks the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from pregon.settings import SourceConfig
from pregon.types import (
    Account,
    ChannelName,
    ChannelState,
    LinkState,
    Outcome,
    Outgoing,
    Poll,
    ProviderEvent,
    Sample,
    Shipment,
    SourceState,
)

Clock = Callable[[], datetime]
Poller = Callable[[SourceConfig, SourceState, datetime], Poll]
LinkAsker = Callable[[Sequence[str]], Mapping[str, LinkState]]
"""Asks addresses whether they are alive, within a time that it bounds itself; `unchecked` for those it did not get to."""
ChannelReader = Callable[[tuple[str, ...]], ChannelState | None]
"""Reads what the YouTube channel has with regard to these videos; None when it cannot be read."""
TemplateReader = Callable[[], Mapping[str, str]]


class Channel(Protocol):
    """A way out, in one provider's hands."""

    name: ChannelName
    batch_size: int

    def send(self, shipment: Shipment) -> Sequence[Outcome]:
        """Send once; one outcome per delivery. Never raises for what a provider or the network does."""
        ...

    def settle(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Read the provider back for deliveries whose outcome is unknown."""
        ...

    def sample(self, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
        """The provider's counters for what was sent."""
        ...


class Translator(Protocol):
    """A machine translator."""

    name: str

    def translate(self, texts: Sequence[str], source: str, target: str) -> tuple[str, ...]:
        """The texts in another language, in their order. Raises `TranslationError`."""
        ...


@runtime_checkable
class EventSource(Protocol):
    """A provider that does not push its events: they are fetched."""

    def take_events(self, keep: Callable[[Sequence[ProviderEvent]], object]) -> str:
        """Hand new events to `keep`; the next call goes on behind them. Returns what went wrong, or "". Never raises."""
        ...


@runtime_checkable
class BatchKeeper(Protocol):
    """A provider that keeps mails until their time and gives them back. Nothing here raises for what it does."""

    def open_batch(self) -> str | Outcome:
        """A name to hand mails over with, or why there is none."""
        ...

    def cancel_batch(self, batch_id: str, status: str) -> None:
        """Ask for a batch back that has this status; only reading it tells whether that worked."""
        ...

    def read_batch(self, batch_id: str) -> str | None:
        """cancel, pause, "" when it will leave; None when the provider could not be asked."""
        ...


@runtime_checkable
class AccountReader(Protocol):
    """A provider that can be asked whom we write as, without writing."""

    def read_account(self) -> Account:
        """The account, or what is wrong with it. Never raises."""
        ...


@runtime_checkable
class MailTrier(Protocol):
    """A provider that checks a mail without sending it."""

    def try_out(self, shipment: Shipment) -> str:
        """What is wrong with it, "" for nothing. Never raises."""
        ...


@runtime_checkable
class AddressKeeper(Protocol):
    """A provider that keeps addresses itself: what was suppressed, whom it has written to."""

    def tell_addresses(self, kind: str, addresses: Sequence[str]) -> Outcome:
        """Suppress, release (one at a time) or erase: sent, pending (repeat it) or failed. Never raises."""
        ...


EventReader = Callable[[Mapping[str, str], bytes], tuple[ProviderEvent, ...]]
"""Verifies and parses one provider's event webhook from headers and raw body; raises `SignatureError`."""
