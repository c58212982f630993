from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pregon.errors import SourceError
from pregon.sources import poll_folder
from pregon.types import SourceState

NEW = SourceState()


def later() -> datetime:
    """A clock at which files written just now are no longer fresh."""
    return datetime.now(UTC) + timedelta(seconds=5)


def test_files_are_sightings_by_name_with_their_time(tmp_path: Path):
    (tmp_path / "b.md").write_text("# Two", "utf-8")
    (tmp_path / "a.txt").write_text("One", "utf-8")
    os.utime(tmp_path / "a.txt", (1_700_000_000, 1_700_000_000))
    found = poll_folder(tmp_path, NEW, now=later()).sightings
    assert [(one.key, one.document.text) for one in found] == [("a.txt", "One"), ("b.md", "# Two")]
    assert found[0].published_at == datetime.fromtimestamp(1_700_000_000, UTC)


def test_hidden_unfinished_and_linked_files_and_folders_are_left(tmp_path: Path):
    for name in (".hidden", "a.txt.tmp", "b.part", "~$letter.txt", "c.crdownload", "d.md~"):
        (tmp_path / name).write_text("x", "utf-8")
    (tmp_path / "inner").mkdir()
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    assert poll_folder(tmp_path, NEW, now=later()).sightings == ()


def test_an_unreadable_file_is_a_problem_and_the_others_go_on(tmp_path: Path):
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 40)
    with (tmp_path / "huge.txt").open("wb") as huge:
        huge.truncate(50 * 1024 * 1024)
    (tmp_path / "good.txt").write_text("Good", "utf-8")
    found = {one.key: one for one in poll_folder(tmp_path, NEW, now=later()).sightings}
    assert "is empty" in found["empty.txt"].problem
    assert "is not text" in found["binary.txt"].problem
    assert "50 MB and the limit is 20 MB" in found["huge.txt"].problem
    assert found["good.txt"].document.text == "Good"


def test_a_file_that_grows_is_left_until_it_rests(tmp_path: Path):
    path = tmp_path / "growing.txt"
    path.write_text("half", "utf-8")
    stop = threading.Event()

    def grow() -> None:
        while not stop.wait(0.01):
            with path.open("a", encoding="utf-8") as file:
                file.write(" more")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert poll_folder(tmp_path, NEW, now=datetime.now(UTC)).sightings == ()
    finally:
        stop.set()
        writer.join()
    assert len(poll_folder(tmp_path, NEW, now=later()).sightings) == 1


def test_a_resting_fresh_file_is_seen_at_once(tmp_path: Path):
    (tmp_path / "new.txt").write_text("New", "utf-8")
    assert len(poll_folder(tmp_path, NEW, now=datetime.now(UTC)).sightings) == 1


def test_nothing_changed_is_an_empty_poll_and_an_edit_is_seen(tmp_path: Path):
    (tmp_path / "a.txt").write_text("One", "utf-8")
    first = poll_folder(tmp_path, NEW, now=later())
    state = SourceState(etag=first.etag)
    assert poll_folder(tmp_path, state, now=later()).sightings == ()
    (tmp_path / "a.txt").write_text("Two words", "utf-8")
    assert [one.document.text for one in poll_folder(tmp_path, state, now=later()).sightings] == ["Two words"]


def test_a_missing_folder_is_one_sentence(tmp_path: Path):
    with pytest.raises(SourceError, match="create it"):
        poll_folder(tmp_path / "none", NEW, now=later())
