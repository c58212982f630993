"""Find out by reading whether an operation whose answer was lost has been done. Writes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pregon.channels.answers import is_settled_absence
from pregon.channels.youtube.answers import Trouble
from pregon.channels.youtube.payload import has_texts, select_operation
from pregon.channels.youtube.reading import find_items, find_playlist, read_playlist
from pregon.channels.youtube.send import locate_playlist
from pregon.types import DeliveryState, Outcome, Outgoing, PlaylistOperation, Shipment

# Whether it is done, and the provider's id of what there is.
Found = tuple[bool, str | None]


def settle_operation(
    service: Any, shipment: Shipment, delivery: Outgoing, now: datetime, grace_seconds: float
) -> Outcome:
    """Sent when the channel shows it done; pending when it does not, `grace_seconds` after the attempt."""
    name, operation = delivery.delivery_id, select_operation(shipment, delivery)
    try:
        located = locate_playlist(service, shipment, delivery, operation)
        is_done, provider_id = _look(service, located) if located else (False, None)
    except Trouble as error:
        detail = "YouTube could not be read, so it is not yet known whether it was done"
        return Outcome(name, DeliveryState.UNKNOWN, None, detail, repr(error))
    if is_done:
        return Outcome(name, DeliveryState.SENT, provider_id, "YouTube shows it done")
    if is_settled_absence((delivery,), now, grace_seconds):
        return Outcome(name, DeliveryState.PENDING, None, "YouTube shows that it was not done")
    return Outcome(name, DeliveryState.UNKNOWN, None, "YouTube does not show it yet")


def _look(service: Any, operation: PlaylistOperation) -> Found:
    if operation.op == "create":
        found = find_playlist(service, operation.playlist_title)
        return found is not None, found
    if operation.op == "retitle":
        has = read_playlist(service, operation.playlist_id)
        return has is not None and has_texts(operation, has), operation.playlist_id
    items = find_items(service, operation.playlist_id, operation.video_id)
    if operation.op == "remove":
        return operation.item_id not in [item.item_id for item in items], None
    if operation.op == "move":
        item = next((each for each in items if each.position == operation.position), None)
        return item is not None, item.item_id if item else None
    return bool(items), items[0].item_id if items else None
