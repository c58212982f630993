"""What channels that post threads have in common: which part a delivery is, and one part after another. Does no I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pregon.types import DeliveryState, Outcome, Outgoing, PostPart, Shipment, ThreadBody

SendOne = Callable[[PostPart, Outgoing], Outcome]


def select_part(shipment: Shipment, delivery: Outgoing) -> PostPart:
    """The part of the thread that this delivery is. Raises ValueError when the content has no such part."""
    body = shipment.content.body
    if not isinstance(body, ThreadBody) or not 0 <= delivery.position < len(body.parts):
        raise ValueError(f"the content has no thread part {delivery.position}")
    return body.parts[delivery.position]


def send_in_order(shipment: Shipment, send_one: SendOne) -> tuple[Outcome, ...]:
    """Send each delivery's part; after one that was not posted the rest stay pending."""
    outcomes: list[Outcome] = []
    for delivery in shipment.deliveries:
        if outcomes and outcomes[-1].state is not DeliveryState.SENT:
            waits = "waits for the part before it"
            outcomes.append(Outcome(delivery.delivery_id, DeliveryState.PENDING, None, waits))
            continue
        outcomes.append(send_one(select_part(shipment, delivery), delivery))
    return tuple(outcomes)


def without_post(outcome: Outcome) -> Outcome:
    """The outcome of an upload: nothing was posted, so what would be unknown is pending."""
    if outcome.state is not DeliveryState.UNKNOWN:
        return outcome
    return replace(outcome, state=DeliveryState.PENDING, detail="a picture could not be uploaded; nothing was posted")
