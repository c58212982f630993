"""Find out what became of mails whose answer was lost, by reading SendGrid's Email Logs. Sends nothing.

A request is accepted or refused as a whole, so one of its mails in the log tells of all of them: a thousand mails are
settled by a handful of calls. What proves it is a mail whose details name one of our deliveries, never an address alone.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

import sendgrid
from python_http_client.exceptions import HTTPError

from pregon.channels.answers import is_settled_absence, read_wait, spread
from pregon.channels.sendgrid.log import Entry, Log, is_quotable
from pregon.types import DeliveryState, Outcome, Outgoing, Shipment

# A delivery that is sent again keeps its id. Its earlier request was given up a quarter of an hour later, so what is no
# older than the claim, but for so much that clocks differ by, is of this request.
_CLOCKS_DIFFER = timedelta(minutes=5)
# So many addresses of a request are asked for one by one when the campaign has more in the log than one answer holds.
_ASKED_ALONE = 5
# The details of so many different requests are read to settle one of ours.
_MOST_READ = 20


def settle_mail(
    client: sendgrid.SendGridAPIClient, shipment: Shipment, now: datetime, grace_seconds: float
) -> tuple[Outcome, ...]:
    """Sent for what the log shows to have been accepted; pending when it shows nothing of it after `grace_seconds`.

    The mails of a shipment were claimed together, for one request. `retry_after` is set when the log cannot be asked at all
    for now, so that nobody asks for others before.
    """
    # Whenever it was: by a clock that was days off the claim would be taken for absent, and sent a second time.
    log = Log(client, shipment.content.campaign)
    try:
        return _settle_request(log, shipment, now, grace_seconds)
    except HTTPError as error:
        return _refused(shipment, error, now)
    except (OSError, http.client.HTTPException) as error:
        return _unreadable(shipment, error, 0.0)
    except (ValueError, KeyError, TypeError) as error:
        return _unreadable(shipment, error)


def _refused(shipment: Shipment, error: HTTPError, now: datetime) -> tuple[Outcome, ...]:
    if int(error.status_code) != 429:
        return _unreadable(shipment, error, 0.0 if int(error.status_code) >= 500 else None)
    detail = "SendGrid asks to wait before its log is read again"
    wait = read_wait(error.headers or {}, "X-RateLimit-Reset", now)
    return spread(shipment.deliveries, DeliveryState.UNKNOWN, detail, raw=repr(error), retry_after=wait)


def _unreadable(shipment: Shipment, error: Exception, wait: float | None = None) -> tuple[Outcome, ...]:
    detail = "SendGrid's log could not be read"
    return spread(shipment.deliveries, DeliveryState.UNKNOWN, detail, raw=repr(error), retry_after=wait)


def _settle_request(log: Log, shipment: Shipment, now: datetime, grace_seconds: float) -> tuple[Outcome, ...]:
    """One outcome for all mails of a claim, unless the log has some of an earlier request of theirs.

    When the campaign fills an answer, absence is told by five addresses that are each asked for alone, spread over the
    request. The log may lag, but by minutes, and it takes a request in as a whole: that it had the others of it and
    none of these five a quarter of an hour later would be no lag. Whatever could not be asked or read to its end is no absence.
    """
    trace = _Trace(log, shipment.deliveries)
    entries, is_whole = log.search()
    trace.look(entries)
    if not is_whole:
        trace.ask_alone()
    absent = trace.is_empty and is_settled_absence(shipment.deliveries, now, grace_seconds)
    return tuple(trace.judge(delivery, absent) for delivery in shipment.deliveries)


class _Kind(Enum):
    """What the details of one of its mails say of a request in the log.

    It is the one that we look for, an earlier one with some of the same deliveries, somebody else's, or was not read.
    """

    OURS = auto()
    EARLIER = auto()
    OTHER = auto()
    UNCLEAR = auto()


@dataclass
class _Trace:
    """What the log shows of one request of ours. `read` is what became clear of each request in the log, by its id.

    `proof` is the mail that shows it was accepted, and the delivery that this one is; `earlier` are deliveries that an
    earlier request took along: delivery id -> sg_message_id.
    """

    log: Log
    deliveries: Sequence[Outgoing]
    read: dict[str, _Kind] = field(default_factory=dict)
    proof: tuple[str, str] | None = None
    earlier: dict[str, str] = field(default_factory=dict)
    is_doubtful: bool = False

    def __post_init__(self) -> None:
        self._ids = {delivery.delivery_id for delivery in self.deliveries}
        self._by_address = {delivery.address.lower(): delivery.delivery_id for delivery in self.deliveries}
        times = [delivery.attempted_at for delivery in self.deliveries if delivery.attempted_at]
        self._since = min(times) - _CLOCKS_DIFFER if times else None

    @property
    def is_empty(self) -> bool:
        """Whether all that was asked was answered to its end, and nothing of it is ours."""
        return not (self.proof or self.earlier or self.is_doubtful)

    def look(self, entries: Iterable[Entry]) -> None:
        """Look at the mails to our addresses, the likely ones first, until one proves the request."""
        to_us = [entry for entry in entries if entry.address in self._by_address]
        for entry in sorted(to_us, key=self._is_older):
            if self.proof:
                return
            kind = self._find_kind(entry)
            if kind is _Kind.EARLIER:
                self.earlier.setdefault(self._by_address[entry.address], entry.message_id)
            self.is_doubtful |= kind is _Kind.UNCLEAR

    def ask_alone(self) -> None:
        """Ask for a few of our addresses, one at a time."""
        askable = [delivery.address for delivery in self.deliveries if is_quotable(delivery.address)]
        self.is_doubtful |= not askable
        for address in _pick(askable, _ASKED_ALONE):
            if self.proof:
                return
            entries, is_whole = self.log.search(f'to_email = "{address}"')
            self.is_doubtful |= not is_whole
            self.look(entries)

    def judge(self, delivery: Outgoing, absent: bool) -> Outcome:
        """What became of one of them."""
        identity = delivery.delivery_id
        if self.proof:
            message_id, read_id = self.proof
            detail = "found in SendGrid's log" if identity == read_id else "a mail of its request is in SendGrid's log"
            return _sent(identity, message_id, detail)
        if identity in self.earlier:
            return _sent(identity, self.earlier[identity])
        return _missing(identity, absent)

    def _is_older(self, entry: Entry) -> bool:
        return not (self._since and entry.created_at and entry.created_at >= self._since)

    def _find_kind(self, entry: Entry) -> _Kind:
        """The kind of an entry's request, by the details of the first of its mails that comes along."""
        known = self.read.get(entry.request_id)
        if known is None and len(self.read) < _MOST_READ:
            known = self.read[entry.request_id] = self._read_kind(entry)
        return known or _Kind.UNCLEAR

    def _read_kind(self, entry: Entry) -> _Kind:
        details = self.log.read(entry)
        if not details.is_told:
            return _Kind.UNCLEAR  # every mail of ours has arguments
        if details.delivery_id not in self._ids or details.is_cancelled:
            return _Kind.OTHER
        if self._is_older(entry):
            return _Kind.EARLIER
        self.proof = (entry.message_id, details.delivery_id)
        return _Kind.OURS


def _pick(addresses: Sequence[str], count: int) -> list[str]:
    """So many of them, from the first to the last at even distances."""
    if len(addresses) <= count:
        return list(addresses)
    return [addresses[index * (len(addresses) - 1) // (count - 1)] for index in range(count)]


def _sent(delivery_id: str, message_id: str, detail: str = "found in SendGrid's log") -> Outcome:
    return Outcome(delivery_id, DeliveryState.SENT, message_id.split(".", 1)[0], detail, message_id)


def _missing(delivery_id: str, absent: bool) -> Outcome:
    if absent:
        return Outcome(delivery_id, DeliveryState.PENDING, None, "SendGrid's log has none of this request")
    return Outcome(delivery_id, DeliveryState.UNKNOWN, None, "not in SendGrid's log yet")
