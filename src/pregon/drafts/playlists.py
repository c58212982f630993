"""An item as a plan of playlist changes: the difference between what the playbook asks for and what the channel has.

With no video there is no change, and the plan says so. What the channel has comes in as a value; without it the plan
is what a channel that has nothing of it would need, and the channel reads before each change anyway.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from string import Formatter

from pregon.drafts.context import DraftContext
from pregon.settings import PlaylistRule, PlaylistTarget
from pregon.types import (
    ChannelState,
    Item,
    PlaylistFields,
    PlaylistOperation,
    PlaylistState,
    PlaylistText,
    Video,
)

NO_VIDEO = "This item announces no video, so no playlist changes."
NO_PLAYLIST = "The playbook names no playlist for the language {language}, so no playlist changes."
NO_FACT = "The playlist is called “{title}”, and the item does not state its {fact}, so no playlist changes."
IN_PLACE = "The playlist “{title}” has it already as it should be, so no playlist changes."


def compose_playlists(item: Item, language: str, context: DraftContext) -> PlaylistFields:
    """Each of the item's videos into the playlist that the playbook names for the item's axis and language.

    A playlist that the channel lacks is created, one that is called otherwise retitled, a video that stands elsewhere
    than the playbook says moved, further copies removed. Nothing to do gives no operation and the reason.
    """
    rule = context.playbook.youtube
    target = choose_target(rule, item, language) if rule else None
    if not item.videos:
        return PlaylistFields((), NO_VIDEO)
    if rule is None or target is None:
        return PlaylistFields((), NO_PLAYLIST.format(language=language))
    missing = find_missing_fact(target, item)
    if missing:
        return PlaylistFields((), NO_FACT.format(title=target.title, fact=missing))
    wanted = _write_texts(target, item, language)
    state = context.youtube_state
    playlist = find_playlist(state, target.id, wanted.playlist_title) if state else None
    operations = (
        *_begin(wanted, playlist),
        *_place(item, target, wanted, playlist),
        *(_remove(item, rule, state, playlist) if state and playlist else ()),
    )
    title = playlist.title if playlist else wanted.playlist_title
    return PlaylistFields(operations, "" if operations else IN_PLACE.format(title=title))


def choose_target(rule: PlaylistRule, item: Item, language: str) -> PlaylistTarget | None:
    """The playlist for the item's axis in this language, else the language's own, else none."""
    axis = _fold(state_fact(item, "axis"))
    for name, targets in rule.axes.items():
        if axis and _fold(name) == axis and language in targets:
            return targets[language]
    return rule.playlists.get(language)


def state_fact(item: Item, name: str) -> str:
    """What the item states for `{axis}` or `{year}` in a title; "" when it does not."""
    if name == "axis":
        return (item.practice.axis if item.practice else None) or ""
    year = item.year or (item.date.year if item.date else None)
    return str(year) if year else ""


def find_missing_fact(target: PlaylistTarget, item: Item) -> str | None:
    """The first fact that the playlist's texts need and the item does not state."""
    texts = (target.title, target.description, *target.titles.values(), *target.descriptions.values())
    needed = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}
    return next((name for name in sorted(needed) if not state_fact(item, name)), None)


def find_playlist(state: ChannelState, playlist_id: str, title: str) -> PlaylistState | None:
    """The channel's playlist with this id or, without an id, the one called so."""
    if playlist_id:
        return next((each for each in state.playlists if each.id == playlist_id), None)
    return next((each for each in state.playlists if _fold(each.title) == _fold(title)), None)


def _write_texts(target: PlaylistTarget, item: Item, language: str) -> PlaylistOperation:
    """What the playlist shall be called, as an operation that only lacks its name."""
    facts = {"axis": state_fact(item, "axis"), "year": state_fact(item, "year")}
    further = tuple(
        PlaylistText(other, title.format(**facts), target.descriptions.get(other, "").format(**facts))
        for other, title in sorted(target.titles.items())
        if other != language
    )
    return PlaylistOperation(
        "",
        target.id,
        target.title.format(**facts),
        description=target.description.format(**facts),
        language=language,
        localizations=further,
        privacy=target.privacy,
    )


def _begin(wanted: PlaylistOperation, playlist: PlaylistState | None) -> Iterator[PlaylistOperation]:
    """The playlist itself: created when the channel has none so called, retitled when its texts differ."""
    if playlist is None and not wanted.playlist_id:
        yield replace(wanted, op="create")
    elif playlist is not None and wanted.playlist_title and is_called_otherwise(wanted, playlist):
        yield replace(wanted, op="retitle", playlist_id=playlist.id, privacy="", earlier_title=playlist.title)


def is_called_otherwise(wanted: PlaylistOperation, playlist: PlaylistState) -> bool:
    """Whether a text that the playbook gives is not the playlist's; what the playbook leaves out is left alone."""
    has = {text.language: text for text in playlist.localizations}
    return (
        wanted.playlist_title != playlist.title
        or (wanted.description not in ("", playlist.description))
        or any(_is_another(text, has.get(text.language)) for text in wanted.localizations)
    )


def _is_another(wanted: PlaylistText, has: PlaylistText | None) -> bool:
    return has is None or wanted.title != has.title or wanted.description not in ("", has.description)


def _place(
    item: Item, target: PlaylistTarget, wanted: PlaylistOperation, playlist: PlaylistState | None
) -> Iterator[PlaylistOperation]:
    """Each video that the playlist lacks is added, each that stands elsewhere than the playbook says moved."""
    playlist_id = playlist.id if playlist else wanted.playlist_id
    title = wanted.playlist_title or (playlist.title if playlist else "")
    size = playlist.size if playlist else 0
    for count, video in enumerate(item.videos):
        operation = PlaylistOperation("add", playlist_id, title, video.video_id, video.title or "")
        copies = _copies(playlist, video) if playlist else ()
        if not copies:
            yield replace(operation, position=_choose_position(target, count, size))
            size += 1
            continue
        place = _choose_position(target, count, size - 1)
        if place is not None and copies[0][1] != place:
            yield replace(operation, op="move", item_id=copies[0][0], position=place)


def _choose_position(target: PlaylistTarget, count: int, last: int) -> int | None:
    """Several videos of one item keep their order at either end."""
    if target.position == "first":
        return count
    return last if target.position == "last" and count == 0 else None


def _copies(playlist: PlaylistState, video: Video) -> tuple[tuple[str, int], ...]:
    """(item id, position) of the video's copies in the playlist, the first one first."""
    found = ((entry.item_id, entry.position) for entry in playlist.items if entry.video_id == video.video_id)
    return tuple(sorted(found, key=lambda copy: copy[1]))


def _remove(
    item: Item, rule: PlaylistRule, state: ChannelState, playlist: PlaylistState
) -> Iterator[PlaylistOperation]:
    """Further copies in the playlist; and with an exclusive rule every copy in the rule's other playlists."""
    others = [each for each in _list_playlists(rule, item, state) if each.id != playlist.id] if rule.exclusive else []
    for video in item.videos:
        spare = [(playlist, item_id) for item_id, _ in _copies(playlist, video)[1:]]
        spare += [(other, item_id) for other in others for item_id, _ in _copies(other, video)]
        for where, item_id in spare:
            yield PlaylistOperation("remove", where.id, where.title, video.video_id, video.title or "", item_id=item_id)


def _list_playlists(rule: PlaylistRule, item: Item, state: ChannelState) -> list[PlaylistState]:
    """The playlists of the channel that the rule names, for any language and axis."""
    targets = [target for each in (rule.playlists, *rule.axes.values()) for target in each.values()]
    found: dict[str, PlaylistState] = {}
    for target in targets:
        title = "" if find_missing_fact(target, item) else _write_texts(target, item, "").playlist_title
        playlist = find_playlist(state, target.id, title)
        if playlist:
            found[playlist.id] = playlist
    return list(found.values())


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
