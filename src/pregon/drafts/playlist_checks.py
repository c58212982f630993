"""What is wrong with a playlist plan before a person looks. Judges values; reads no channel."""

from __future__ import annotations

from collections.abc import Iterator

from pregon.drafts.context import DraftContext
from pregon.types import ChannelState, Check, PlaylistBody, PlaylistOperation

MAX_TITLE = 150
MAX_DESCRIPTION = 5000


def check_playlists(body: PlaylistBody, context: DraftContext) -> Iterator[Check]:
    """Playlists that nobody creates, texts that YouTube refuses, videos without captions, a channel not read."""
    if not body.operations:
        return
    yield from _check_references(body)
    for operation in body.operations:
        yield from _check_texts(operation)
    if context.youtube_state is None:
        message = (
            "YouTube could not be read, so it is unknown whether the playlist has the video already and whether the "
            "video has captions."
        )
        fix = "Draft again later, or look on YouTube; nothing is added twice, since the playlist is read before."
        yield Check("playlist.unread", "warning", message, fix)
        return
    yield from _check_known(body, context.youtube_state)
    yield from _check_videos(body, context.youtube_state)


def _check_references(body: PlaylistBody) -> Iterator[Check]:
    created: set[str] = set()
    for operation in body.operations:
        if operation.op == "create":
            created.add(operation.playlist_title)
        elif not operation.playlist_id and operation.playlist_title not in created:
            message = f"Nothing in this plan creates the playlist “{operation.playlist_title}”."
            fix = "Keep the change that creates it, or take this one out, too."
            yield Check("playlist.missing", "error", message, fix)


def _check_known(body: PlaylistBody, state: ChannelState) -> Iterator[Check]:
    known = {playlist.id for playlist in state.playlists}
    wanted = dict.fromkeys(operation.playlist_id for operation in body.operations if operation.playlist_id)
    for playlist_id in wanted:
        if playlist_id not in known:
            message = f"The channel has no playlist {playlist_id}."
            yield Check("playlist.unknown", "error", message, "Correct its id in config/playbooks.yaml.")


def _check_texts(operation: PlaylistOperation) -> Iterator[Check]:
    if operation.op not in ("create", "retitle"):
        return
    texts = [(operation.playlist_title, operation.description)]
    texts += [(text.title, text.description) for text in operation.localizations]
    for title, description in texts:
        if not 0 < len(title) <= MAX_TITLE or "<" in title or ">" in title:
            message = f"YouTube takes no playlist title such as “{title}”: 1 to {MAX_TITLE} characters, no < or >."
            yield Check("playlist.title", "error", message, "Correct the title in config/playbooks.yaml.")
        if len(description) > MAX_DESCRIPTION:
            message = (
                f"The description of “{title}” has {len(description)} characters; YouTube takes {MAX_DESCRIPTION}."
            )
            yield Check("playlist.description", "error", message, "Shorten it in config/playbooks.yaml.")


def _check_videos(body: PlaylistBody, state: ChannelState) -> Iterator[Check]:
    videos = {video.id: video for video in state.videos}
    for operation in body.operations:
        if operation.op != "add":
            continue
        video = videos.get(operation.video_id)
        name = operation.video_title or operation.video_id
        if video is None:
            message = f"YouTube shows no video {operation.video_id}: it is private, deleted or not yet there."
            yield Check("video.unknown", "error", message, "Publish the video first, or correct its address.")
        elif video.has_captions is False:
            message = f"The video “{name}” has no captions, so people who do not hear it are left out."
            yield Check("video.no-captions", "warning", message, "Add captions on YouTube, then draft again.")
        elif video.has_captions is None:
            message = f"YouTube does not say whether the video “{name}” has captions."
            yield Check("video.captions-unknown", "warning", message, "Look on YouTube before approving.")
