"""The bodies of YouTube Data API v3 writes. Pure.

A `position` is sent only where the playbook asks for one: on a playlist that YouTube sorts itself it is refused
(manualSortRequired). An update replaces each part that it sends, so what shall stay is sent along.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pregon.types import Outgoing, PlaylistBody, PlaylistOperation, Shipment


def select_operation(shipment: Shipment, delivery: Outgoing) -> PlaylistOperation:
    """The operation that this delivery is. Raises ValueError when the content has no such operation."""
    body = shipment.content.body
    if not isinstance(body, PlaylistBody) or not 0 <= delivery.position < len(body.operations):
        raise ValueError(f"the content has no playlist operation {delivery.position}")
    return body.operations[delivery.position]


def find_created(shipment: Shipment, delivery: Outgoing, operation: PlaylistOperation) -> str | None:
    """The id of the playlist that an earlier operation of the plan created for this one, from its receipt."""
    body = shipment.content.body
    earlier = body.operations[: delivery.position] if isinstance(body, PlaylistBody) else ()
    for position, other in enumerate(earlier):
        if other.op == "create" and other.playlist_title == operation.playlist_title:
            return delivery.earlier_ids.get(position)
    return None


def build_item(operation: PlaylistOperation) -> dict[str, Any]:
    """The body of playlistItems.insert; with an item id, of playlistItems.update."""
    resource = {"kind": "youtube#video", "videoId": operation.video_id}
    snippet: dict[str, Any] = {"playlistId": operation.playlist_id, "resourceId": resource}
    if operation.position is not None:
        snippet["position"] = operation.position
    return {"snippet": snippet} | ({"id": operation.item_id} if operation.item_id else {})


def build_playlist(operation: PlaylistOperation) -> dict[str, Any]:
    """The body of playlists.insert."""
    snippet = {"title": operation.playlist_title, "description": operation.description}
    if operation.language:
        snippet["defaultLanguage"] = operation.language
    body: dict[str, Any] = {"snippet": snippet, "status": {"privacyStatus": operation.privacy or "public"}}
    if operation.localizations:
        body["localizations"] = {
            text.language: {"title": text.title, "description": text.description} for text in operation.localizations
        }
    return body


def build_retitling(operation: PlaylistOperation, has: Mapping[str, Any]) -> dict[str, Any]:
    """The body of playlists.update: what the playlist `has`, with the operation's texts over it."""
    before = has.get("snippet") or {}
    snippet = {
        "title": operation.playlist_title,
        "description": operation.description or str(before.get("description", "")),
        "defaultLanguage": str(before.get("defaultLanguage") or operation.language),
    }
    texts: dict[str, dict[str, str]] = {
        language: {"title": str(text.get("title", "")), "description": str(text.get("description", ""))}
        for language, text in (has.get("localizations") or {}).items()
    }
    for text in operation.localizations:
        kept = texts.get(text.language, {}).get("description", "")
        texts[text.language] = {"title": text.title, "description": text.description or kept}
    # The default language's own text is the snippet's; YouTube refuses nothing when both agree.
    if snippet["defaultLanguage"] in texts:
        texts[snippet["defaultLanguage"]] = {"title": snippet["title"], "description": snippet["description"]}
    body: dict[str, Any] = {"id": str(has["id"]), "snippet": {name: value for name, value in snippet.items() if value}}
    return body | ({"localizations": texts} if texts else {})


def list_parts(body: Mapping[str, Any]) -> str:
    """The `part` parameter of a write: the parts that its body sets."""
    return ",".join(name for name in ("snippet", "status", "localizations") if name in body)


def has_texts(operation: PlaylistOperation, has: Mapping[str, Any]) -> bool:
    """Whether a playlist as YouTube shows it is called as the operation wants."""
    wanted = build_retitling(operation, has)
    snippet, texts = has.get("snippet") or {}, has.get("localizations") or {}
    return all(wanted["snippet"].get(name, "") == snippet.get(name, "") for name in ("title", "description")) and all(
        (texts.get(language) or {}).get(name, "") == value
        for language, text in wanted.get("localizations", {}).items()
        for name, value in text.items()
    )
