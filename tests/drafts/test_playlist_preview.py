"""A plan is shown as before and after, as YouTube would carry it out."""

from pregon.drafts.playlist_preview import preview_playlists
from pregon.types import ChannelState, PlaylistEntry, PlaylistOperation, PlaylistState

STATE = ChannelState(
    (PlaylistState("PL1", "Quays", size=5, items=(PlaylistEntry("i1", "v1", 1), PlaylistEntry("i2", "v1", 4))),)
)


def test_a_created_playlist_has_no_before():
    create = PlaylistOperation("create", "", "New")
    add = PlaylistOperation("add", "", "New", "v1", "A video")
    (change,) = preview_playlists((create, add), STATE)
    assert change.before is None
    assert (change.after.title, change.after.size, change.after.places) == ("New", 1, (("A video", (1,)),))


def test_moving_removing_and_renaming_follow_one_another():
    rename = PlaylistOperation("retitle", "PL1", "Harbours", earlier_title="Quays")
    move = PlaylistOperation("move", "PL1", "Harbours", "v1", "A video", 0, "i2")
    remove = PlaylistOperation("remove", "PL1", "Harbours", "v1", "A video", item_id="i1")
    (change,) = preview_playlists((rename, move, remove), STATE)
    assert (change.before.title, change.before.size, change.before.places) == ("Quays", 5, (("A video", (2, 5)),))
    assert (change.after.title, change.after.size, change.after.places) == ("Harbours", 4, (("A video", (1,)),))
