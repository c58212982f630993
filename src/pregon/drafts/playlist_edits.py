"""What an officer changes of a playlist plan: which changes stay, their order, positions and texts. Pure.

Whatever is done here, a playlist stays created before it is filled, and under the title that its videos look for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pregon.types import PlaylistFields, PlaylistOperation

ALL_TAKEN_OUT = "An officer took every change out."
_TEXTS = ("create", "retitle")
_PLACED = ("add", "move")


@dataclass(frozen=True, slots=True)
class OperationEdit:
    """How one change of the plan shall be: None leaves a value as it is; `position` counts from 0, -1 for YouTube's choice."""

    kept: bool
    place: int = 0
    title: str | None = None
    description: str | None = None
    position: int | None = None


def edit_operations(before: PlaylistFields, edits: Sequence[OperationEdit]) -> PlaylistFields:
    """The plan with one edit for each of its changes, in the order of their places."""
    renamed = _list_renamed(before.operations, edits)
    pairs = zip(before.operations, edits, strict=True)
    kept = [(edit.place, _edit_one(operation, edit, renamed)) for operation, edit in pairs if edit.kept]
    # Stable: changes with the same place stay as they stood.
    ordered = [operation for _, operation in sorted(kept, key=lambda pair: pair[0])]
    operations = tuple(_put_creations_first(ordered))
    reason = before.reason if operations or not before.operations else ALL_TAKEN_OUT
    return PlaylistFields(operations, reason)


def _list_renamed(operations: Sequence[PlaylistOperation], edits: Sequence[OperationEdit]) -> dict[str, str]:
    pairs = zip(operations, edits, strict=True)
    return {op.playlist_title: edit.title for op, edit in pairs if op.op == "create" and edit.title is not None}


def _edit_one(operation: PlaylistOperation, edit: OperationEdit, renamed: Mapping[str, str]) -> PlaylistOperation:
    if operation.op in _TEXTS:
        title = operation.playlist_title if edit.title is None else edit.title
        description = operation.description if edit.description is None else edit.description
        return replace(operation, playlist_title=title, description=description)
    if not operation.playlist_id:
        # It looks for the playlist that the plan creates, by its title.
        title = renamed.get(operation.playlist_title, operation.playlist_title)
        operation = replace(operation, playlist_title=title)
    if operation.op in _PLACED and edit.position is not None:
        operation = replace(operation, position=edit.position if edit.position >= 0 else None)
    return operation


def _put_creations_first(operations: Sequence[PlaylistOperation]) -> list[PlaylistOperation]:
    """Each playlist's creation before whatever fills it, everything else as it stands."""
    ordered: list[PlaylistOperation] = []
    for operation in operations:
        creation = next((op for op in operations if _creates(op, operation) and op not in ordered), None)
        if creation is not None:
            ordered.append(creation)
        if operation not in ordered:
            ordered.append(operation)
    return ordered


def _creates(candidate: PlaylistOperation, operation: PlaylistOperation) -> bool:
    waits = not operation.playlist_id and operation.op != "create"
    return waits and candidate.op == "create" and candidate.playlist_title == operation.playlist_title
