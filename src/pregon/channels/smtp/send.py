"""Hand a shipment's mails to a mail server over a few connections: one outcome each. Never raises for the server.

A connection is used for many mails of the shipment and closed with it, so none has grown stale when it is needed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from pregon.channels.answers import CREDENTIALS, RAW_LIMIT, spread
from pregon.channels.smtp.connection import Connection, LostError, NotOpenError, Reply, Server
from pregon.channels.smtp.naming import Naming
from pregon.channels.smtp.payload import MailForm, build_form, fill_form, find_address_problem
from pregon.channels.smtp.reports import is_address_gone
from pregon.types import DeliveryState, Outcome, Outgoing, Shipment

# A claim is taken for lost after three minutes, so a slow server must not hold one batch, and another one that waits for
# it, for longer than this each.
MOST_SECONDS = 75.0
MOST_PER_CONNECTION = 500
_MOST_LOSSES = 2
SENDER = "sender"


def send_mails(
    server: Server, shipment: Shipment, naming: Naming, connections: int, now: datetime
) -> tuple[Outcome, ...]:
    """Send once. 250 is sent, 4xx pending, 5xx failed; lost after the whole message was written is unknown."""
    job = _Job(server, naming, build_form(shipment, now), deque(shipment.deliveries), time.monotonic() + MOST_SECONDS)
    workers = min(connections, len(shipment.deliveries))
    if workers <= 1:
        job.work()
    else:
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(job.work) for _ in range(workers)]:
                done.result()
    rest = [delivery for delivery in shipment.deliveries if delivery.delivery_id not in job.outcomes]
    job.outcomes.update((outcome.delivery_id, outcome) for outcome in job.explain_rest(rest))
    return tuple(job.outcomes[delivery.delivery_id] for delivery in shipment.deliveries)


@dataclass
class _Job:
    """What the connections of one shipment share."""

    server: Server
    naming: Naming
    form: MailForm
    waiting: deque[Outgoing]
    ends_at: float
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    problem: NotOpenError | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Send over one connection after another until nothing waits, the time is over or the server is gone."""
        losses = 0
        while self.waiting and losses < _MOST_LOSSES and not self._is_over():
            try:
                connection = Connection(self.server)
            except NotOpenError as problem:
                self.problem = problem
                return
            try:
                losses = 0 if self._use(connection) else losses + 1
            finally:
                connection.close()

    def _use(self, connection: Connection) -> bool:
        """Send over this connection; False when it was lost before it was of any use."""
        was_useful = False
        for _ in range(MOST_PER_CONNECTION):
            if self._is_over():
                break
            try:
                delivery = self.waiting.popleft()
            except IndexError:
                break
            outcome, goes_on = self._send_one(connection, delivery)
            self.outcomes[delivery.delivery_id] = outcome
            if not goes_on:
                return was_useful
            was_useful = True
        return True

    def _send_one(self, connection: Connection, delivery: Outgoing) -> tuple[Outcome, bool]:
        problem = find_address_problem(delivery.address)
        if problem:
            return Outcome(delivery.delivery_id, DeliveryState.FAILED, None, problem), True
        message = fill_form(self.form, delivery, self.naming)
        try:
            reply = connection.hand_in(self.naming.envelope_sender(delivery.delivery_id), delivery.address, message)
        except LostError as lost:
            return _read_loss(delivery, lost), False
        outcome = read_reply(delivery, reply, self.naming)
        if outcome.pause:
            self.stopped.set()
        return outcome, reply.code != 421

    def _is_over(self) -> bool:
        return self.stopped.is_set() or time.monotonic() > self.ends_at

    def explain_rest(self, rest: list[Outgoing]) -> tuple[Outcome, ...]:
        """The outcome of what was never handed in."""
        problem = self.problem
        if problem and not self.stopped.is_set():
            return spread(
                rest, DeliveryState.PENDING, problem.detail, raw=problem.raw, pause=problem.pause, is_unsent=True
            )
        return spread(rest, DeliveryState.PENDING, "its turn did not come; nothing was sent", is_unsent=True)


def read_reply(delivery: Outgoing, reply: Reply, naming: Naming) -> Outcome:
    """What a server's answer means for the delivery."""
    raw = f"{reply.stage}: {reply.code} {reply.text}"[:RAW_LIMIT]
    sentence = f"the mail server answered {reply.code} {reply.text}"[:300]
    if reply.stage == "message" and 200 <= reply.code < 300:
        message_id = naming.message_id(delivery.delivery_id)
        return Outcome(delivery.delivery_id, DeliveryState.SENT, message_id, "the mail server took it", raw)
    if reply.stage == "message" and not 400 <= reply.code < 600:
        detail = f"{sentence}, which says neither yes nor no; it may have been sent"
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, detail, raw)
    if reply.stage == "sender" and reply.code >= 500:
        # Not this recipient's fault: every other mail would be refused alike.
        pause = CREDENTIALS if reply.code in (530, 535, 538) else SENDER
        detail = f"the mail server refuses to send for us: {sentence}"
        return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, detail, raw, pause=pause)
    state = DeliveryState.FAILED if 500 <= reply.code < 600 else DeliveryState.PENDING
    is_gone = reply.stage == "recipient" and state is DeliveryState.FAILED and is_address_gone(reply.text)
    return Outcome(delivery.delivery_id, state, None, sentence, raw, is_gone=is_gone)


def _read_loss(delivery: Outgoing, lost: LostError) -> Outcome:
    if lost.is_written:
        detail = "the connection to the mail server broke before its answer; it may have been sent"
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, detail, lost.raw)
    detail = "the connection to the mail server broke before the mail was complete; nothing was sent"
    return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, detail, lost.raw)
