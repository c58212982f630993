"""A playlist operation as an officer reads it before approving. Changes nothing."""

from __future__ import annotations

from pregon.types import PlaylistOperation


def describe_operation(operation: PlaylistOperation) -> str:
    """One sentence that says what will be done, to which video and which playlist."""
    playlist = f"the playlist “{operation.playlist_title or operation.playlist_id}”"
    video = f"“{operation.video_title or operation.video_id}”"
    place = f" at place {operation.position + 1}" if operation.position is not None else ""
    renamed = operation.earlier_title not in ("", operation.playlist_title)
    sentences = {
        "create": f"Create {playlist} ({operation.privacy or 'public'})",
        "retitle": f"Change the texts of {playlist}",
        "add": f"Add {video} to {playlist}{place}",
        "move": f"Move {video} in {playlist}{place.replace(' at ', ' to ')}",
        "remove": f"Remove one copy of {video} from {playlist}",
    }
    if operation.op == "retitle" and renamed:
        return f"Rename the playlist “{operation.earlier_title}” to “{operation.playlist_title}”, with its texts"
    return sentences.get(operation.op, f"{operation.op}: {video}, {playlist}")


def list_texts(operation: PlaylistOperation) -> tuple[tuple[str, str], ...]:
    """(language or "", text) of what viewers will read in the playlist besides its title."""
    own = [(operation.language, operation.description)] if operation.description else []
    further = [(text.language, part) for text in operation.localizations for part in (text.title, text.description)]
    return tuple((language, text) for language, text in (*own, *further) if text)
