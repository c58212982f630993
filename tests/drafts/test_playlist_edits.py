"""Whatever an officer changes of a plan, a playlist is created before it is filled and found by its title."""

from dataclasses import replace

from pregon.drafts.playlist_edits import ALL_TAKEN_OUT, OperationEdit, edit_operations
from pregon.types import PlaylistFields, PlaylistOperation

CREATE = PlaylistOperation("create", "", "Quays 2026", description="All", privacy="public")
ADD = PlaylistOperation("add", "", "Quays 2026", "v1", "A video")
MOVE = PlaylistOperation("move", "PL1", "Quays", "v2", "Another", 4, "i2")
PLAN = PlaylistFields((CREATE, ADD, MOVE))


def test_what_stays_as_it_is_gives_the_same_plan():
    assert edit_operations(PLAN, [OperationEdit(kept=True, place=place) for place in (1, 2, 3)]) == PLAN


def test_a_new_title_is_the_one_that_its_videos_look_for():
    edits = [OperationEdit(True, 1, "Quays", "Some"), OperationEdit(True, 2), OperationEdit(False)]
    operations = edit_operations(PLAN, edits).operations
    assert [op.playlist_title for op in operations] == ["Quays", "Quays"]
    assert operations[0].description == "Some"


def test_the_order_is_the_officers_except_that_creating_comes_first():
    edits = [OperationEdit(True, 3), OperationEdit(True, 2), OperationEdit(True, 1, position=0)]
    assert edit_operations(PLAN, edits).operations == (replace(MOVE, position=0), CREATE, ADD)


def test_no_position_leaves_it_to_youtube_and_none_kept_says_so():
    edits = [OperationEdit(False), OperationEdit(False), OperationEdit(True, position=-1)]
    assert edit_operations(PLAN, edits).operations == (replace(MOVE, position=None),)
    assert edit_operations(PLAN, [OperationEdit(False)] * 3) == PlaylistFields((), ALL_TAKEN_OUT)
