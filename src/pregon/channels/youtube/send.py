"""Carry out one playlist operation, at most once. Never raises for YouTube or the network.

An ordinary playlist takes the same video twice, so an insert is always preceded by a read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from googleapiclient.errors import HttpError

from pregon.channels.answers import RAW_LIMIT, is_settled_absence
from pregon.channels.youtube.answers import ALREADY_THERE, Trouble, read_reason, read_trouble
from pregon.channels.youtube.payload import build_item, select_operation
from pregon.types import DeliveryState, Outcome, Outgoing, PlaylistOperation, Shipment


def send_operation(service: Any, shipment: Shipment, delivery: Outgoing, now: datetime) -> Outcome:
    """Add the video unless the playlist has it already."""
    operation = select_operation(shipment, delivery)
    if operation.op != "add":
        detail = f"the operation {operation.op!r} is done by hand on YouTube"
        return Outcome(delivery.delivery_id, DeliveryState.HELD, None, detail)
    try:
        item_id = find_item(service, operation)
    except Trouble as error:
        return read_trouble(delivery.delivery_id, error, now, is_write=False)
    if item_id:
        return Outcome(delivery.delivery_id, DeliveryState.SENT, item_id, "the playlist already had the video")
    return _insert(service, operation, delivery, now)


def settle_operation(
    service: Any, shipment: Shipment, delivery: Outgoing, now: datetime, grace_seconds: float
) -> Outcome:
    """Sent when the playlist has the video; pending when it has not, `grace_seconds` after the attempt."""
    operation = select_operation(shipment, delivery)
    try:
        item_id = find_item(service, operation)
    except Trouble as error:
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, "the playlist could not be read", repr(error))
    if item_id:
        return Outcome(delivery.delivery_id, DeliveryState.SENT, item_id, "found in the playlist")
    if is_settled_absence((delivery,), now, grace_seconds):
        return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, "the playlist does not have the video")
    return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, "not in the playlist yet")


def find_item(service: Any, operation: PlaylistOperation) -> str | None:
    """The id of the playlist's item with this video, or None. Raises the library's errors."""
    request = service.playlistItems().list(
        part="snippet", playlistId=operation.playlist_id, videoId=operation.video_id, maxResults=5
    )
    items = request.execute(num_retries=0).get("items", [])
    return str(items[0]["id"]) if items else None


def _insert(service: Any, operation: PlaylistOperation, delivery: Outgoing, now: datetime) -> Outcome:
    request = service.playlistItems().insert(part="snippet", body=build_item(operation))
    try:
        answer = request.execute(num_retries=0)
        item_id = str(answer["id"])
    except Trouble as error:
        if isinstance(error, HttpError) and read_reason(error) == ALREADY_THERE:
            return Outcome(delivery.delivery_id, DeliveryState.SENT, None, "the playlist already had the video")
        return read_trouble(delivery.delivery_id, error, now, is_write=True)
    return Outcome(delivery.delivery_id, DeliveryState.SENT, item_id, "added to the playlist", str(answer)[:RAW_LIMIT])
