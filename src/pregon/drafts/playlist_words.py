"""A playlist operation as an officer reads it before approving. Changes nothing."""

from __future__ import annotations

from pregon.types import PlaylistOperation


def describe_operation(operation: PlaylistOperation) -> str:
    """One sentence that says what will be done, to which video and which playlist."""
    playlist = operation.playlist_title or operation.playlist_id
    video = operation.video_title or operation.video_id
    if operation.op == "retitle" and operation.earlier_title not in ("", playlist):
        return f"Rename the playlist “{operation.earlier_title}” to “{playlist}”, with its texts"
    place = operation.position + 1 if operation.position is not None else 0
    # Whole sentences, so that the desk can say each in another language.
    sentences = {
        "create": f"Create the playlist “{playlist}” ({operation.privacy or 'public'})",
        "retitle": f"Change the texts of the playlist “{playlist}”",
        "add": f"Add “{video}” to the playlist “{playlist}” at place {place}"
        if place
        else f"Add “{video}” to the playlist “{playlist}”",
        "move": f"Move “{video}” in the playlist “{playlist}” to place {place}"
        if place
        else f"Move “{video}” in the playlist “{playlist}”",
        "remove": f"Remove one copy of “{video}” from the playlist “{playlist}”",
    }
    return sentences.get(operation.op, f"{operation.op}: “{video}”, the playlist “{playlist}”")


def list_texts(operation: PlaylistOperation) -> tuple[tuple[str, str], ...]:
    """(language or "", text) of what viewers will read in the playlist besides its title."""
    own = [(operation.language, operation.description)] if operation.description else []
    further = [(text.language, part) for text in operation.localizations for part in (text.title, text.description)]
    return tuple((language, text) for language, text in (*own, *further) if text)
