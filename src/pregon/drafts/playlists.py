"""An item as a plan of playlist changes. With no video there is no change, and the plan says so."""

from __future__ import annotations

from pregon.drafts.context import DraftContext
from pregon.types import Item, PlaylistFields, PlaylistOperation

NO_VIDEO = "This item announces no video, so no playlist changes."
NO_PLAYLIST = "The playbook names no playlist for the language {language}, so no playlist changes."


def compose_playlists(item: Item, language: str, context: DraftContext) -> PlaylistFields:
    """Each of the item's videos into the playlist of the item's language; without such a playlist, nothing.

    The playbook knows playlists by their id only, so the operations carry no title: it would be a guess.
    """
    rule = context.playbook.youtube
    playlists = rule.playlists if rule else {}
    if not item.videos:
        return PlaylistFields((), NO_VIDEO)
    if language not in playlists:
        return PlaylistFields((), NO_PLAYLIST.format(language=language))
    operations = tuple(
        PlaylistOperation("add", playlists[language], "", video.video_id, video.title or "") for video in item.videos
    )
    return PlaylistFields(operations)
