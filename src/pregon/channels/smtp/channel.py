"""SMTP as a channel: any mail server, one mail per delivery, and reports from the mailbox that bounces come to.

SMTP cannot track, so opens and clicks are never known. Nothing can be read back either: what is unknown stays so until
a report names it, and is then held for a person.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

from pregon.channels.answers import spread
from pregon.channels.smtp.connection import Connection, NotOpenError, Server
from pregon.channels.smtp.mailbox import MailboxError, check_mailbox, read_new
from pregon.channels.smtp.naming import Naming
from pregon.channels.smtp.reports import parse_report
from pregon.channels.smtp.send import send_mails
from pregon.types import Account, ChannelName, DeliveryState, Outcome, Outgoing, ProviderEvent, Sample, Shipment

PORTS = {"starttls": 587, "tls": 465, "none": 25}


class PlaceKeeper(Protocol):
    """Where it is kept up to where the mailbox was read."""

    def read(self) -> str | None:
        """The place, or None at the start."""
        ...

    def write(self, value: str) -> bool:
        """Keep another place."""
        ...


class SmtpChannel:
    """Newsletters through a mail server.

    `return_path` is the mailbox that bounces come to and `key` signs what names our mails; with `bounces`
    (imaps://USER@HOST/FOLDER) that mailbox is read, and `place` keeps up to where.
    """

    name = ChannelName.EMAIL

    def __init__(
        self,
        host: str,
        *,
        return_path: str,
        key: bytes,
        port: int | None = None,
        security: str = "starttls",
        user: str = "",
        password: str = "",
        connections: int = 4,
        batch_size: int = 500,
        timeout: float = 10.0,
        bounces: str = "",
        bounces_password: str = "",
        place: PlaceKeeper | None = None,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.batch_size = batch_size
        self._server = Server(host, port or PORTS[security], security, user, password, timeout, context)
        self._naming = Naming(return_path, key)
        self._connections, self._timeout, self._clock = connections, timeout, clock
        self._bounces, self._bounces_password, self._place = bounces, bounces_password, place
        self._turn = threading.Lock()

    def send(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Hand each mail to the server: one outcome per delivery, in order."""
        # One shipment at a time, whoever else waits, so that there are never more connections than were allowed.
        with self._turn:
            return send_mails(self._server, shipment, self._naming, self._connections, self._clock())

    def read_account(self) -> Account:
        """The server that takes our user and password, and the mailbox of bounces when there is one. Hands in nothing."""
        try:
            Connection(self._server).close()
        except NotOpenError as problem:
            return Account(problem=problem.detail)
        name = f"{self._server.host}:{self._server.port}"
        if not self._bounces:
            return Account(name)
        try:
            check_mailbox(self._bounces, self._bounces_password, timeout=self._timeout)
        except MailboxError as error:
            return Account(problem=str(error))
        return Account(f"{name}, bounces at {urlsplit(self._bounces).hostname}")

    def settle(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Nothing can be read back: unknown until a report arrives or the time is over."""
        detail = "a mail server cannot be asked what it took; ask whoever runs it, or wait for a bounce"
        return spread(shipment.deliveries, DeliveryState.UNKNOWN, detail)

    def sample(self, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
        """Nothing: SMTP counts nothing."""
        return ()

    def take_events(self, keep: Callable[[Sequence[ProviderEvent]], object]) -> str:
        """Read new reports and hand them to `keep`; only then are they passed. Returns what went wrong, or ""."""
        if not self._bounces or self._place is None:
            return ""
        now = self._clock()
        try:
            messages, place = read_new(
                self._bounces, self._bounces_password, self._place.read() or "", timeout=self._timeout
            )
        except MailboxError as error:
            return str(error)
        found = [event for raw in messages if (event := parse_report(raw, self._naming, now))]
        keep(found)
        self._place.write(place)
        return ""
