"""The bodies of YouTube Data API v3 writes. Pure.

No `position` is ever sent: on a playlist that YouTube sorts itself it is refused (manualSortRequired).
"""

from __future__ import annotations

from typing import Any

from pregon.types import Outgoing, PlaylistBody, PlaylistOperation, Shipment


def select_operation(shipment: Shipment, delivery: Outgoing) -> PlaylistOperation:
    """The operation that this delivery is. Raises ValueError when the content has no such operation."""
    body = shipment.content.body
    if not isinstance(body, PlaylistBody) or not 0 <= delivery.position < len(body.operations):
        raise ValueError(f"the content has no playlist operation {delivery.position}")
    return body.operations[delivery.position]


def build_item(operation: PlaylistOperation) -> dict[str, Any]:
    """The body of playlistItems.insert."""
    resource = {"kind": "youtube#video", "videoId": operation.video_id}
    return {"snippet": {"playlistId": operation.playlist_id, "resourceId": resource}}
