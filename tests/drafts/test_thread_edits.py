"""Parts are split, joined and moved with their pictures, and their numbers follow."""

from pregon.drafts.thread_edits import join_parts, move_part, renumber_parts, split_part
from pregon.types import Media, PostFields

ONE, TWO = (Media("1.png", "image/png", b"1", "one"),), (Media("2.png", "image/png", b"2", "two"),)


def test_numbers_are_written_anew_only_where_there_were_some():
    assert renumber_parts(["a\n1/2", "b", "c\n2/2"]) == ("a\n1/3", "b\n2/3", "c\n3/3")
    assert renumber_parts(["a", "b"]) == ("a", "b")
    assert renumber_parts(["a\n1/2"]) == ("a",)
    assert renumber_parts(["until 3/12", "b"]) == ("until 3/12", "b")
    assert renumber_parts(["a\n1/1", "b"]) == ("a\n1/1", "b")


def test_a_part_is_split_at_the_cursor_or_at_the_sentence_nearest_its_middle():
    fields = PostFields(("One one. Two two. Three three.",), (ONE,))
    assert split_part(fields, 0, 8) == PostFields(("One one.", "Two two. Three three."), (ONE, ()))
    assert split_part(fields, 0).parts == ("One one. Two two.", "Three three.")
    assert split_part(PostFields(("A heading\nand a text",)), 0).parts == ("A heading", "and a text")
    assert split_part(PostFields(("no end at all",)), 0).parts == ("no end at all",)
    assert split_part(fields, 7) == fields


def test_joined_parts_keep_all_pictures_and_one_number():
    fields = PostFields(("a\n1/3", "b\n2/3", "c\n3/3"), (ONE, TWO))
    assert join_parts(fields, 0) == PostFields(("a\n\nb\n1/2", "c\n2/2"), (ONE + TWO, ()))
    assert join_parts(fields, 2) == fields


def test_a_moved_part_takes_its_pictures_along():
    fields = PostFields(("a\n1/2", "b\n2/2"), (ONE,))
    assert move_part(fields, 0, 1) == PostFields(("b\n1/2", "a\n2/2"), ((), ONE))
    assert move_part(fields, 0, -1) == fields
