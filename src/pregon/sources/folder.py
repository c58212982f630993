"""Poll a folder: every readable file is a sighting, under its name.

A file that is still being written is left for the next poll; one that cannot be read is a sighting with its problem
and holds up no other. Nothing is moved, changed or deleted.
"""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from pregon.errors import DocumentError, SourceError
from pregon.items import MAX_BYTES, load_document
from pregon.types import Poll, Sighting, SourceState

_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".download", ".swp", "~")
# A file touched less than this many seconds ago may still be growing: it is looked at twice, this far apart.
_FRESH_SECONDS = 2.0
_PAUSE_SECONDS = 0.1

_Stamp = tuple[int, int]


def poll_folder(path: Path, state: SourceState, *, now: datetime) -> Poll:
    """Look at the files directly in `path` once. `etag` of the poll stands for the names, sizes and times seen.

    Raises `SourceError` when there is no such folder or it may not be read.
    """
    stamps = _list_files(path)
    settled = _leave_growing(path, stamps, now)
    etag = hashlib.sha256(repr(sorted(settled.items())).encode()).hexdigest()
    if etag == state.etag:
        return Poll((), etag=etag)
    return Poll(tuple(_sight(path, name, stamp) for name, stamp in sorted(settled.items())), etag=etag)


def _list_files(path: Path) -> dict[str, _Stamp]:
    try:
        with os.scandir(path) as entries:
            return {
                entry.name: stamp
                for entry in entries
                if not _is_ignored(entry.name) and entry.is_file(follow_symlinks=False) and (stamp := _stamp(entry))
            }
    except FileNotFoundError as error:
        raise SourceError(f"there is no folder {path}: create it, or correct the address of this source") from error
    except OSError as error:
        raise SourceError(f"the folder {path} cannot be read ({error.strerror}): check its permissions") from error


def _is_ignored(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED)


def _stamp(entry: os.DirEntry[str] | Path) -> _Stamp | None:
    try:
        known = entry.stat()
    except OSError:  # gone since it was listed
        return None
    return (known.st_size, known.st_mtime_ns)


def _leave_growing(path: Path, stamps: dict[str, _Stamp], now: datetime) -> dict[str, _Stamp]:
    latest = now.timestamp() - _FRESH_SECONDS
    fresh = [name for name, stamp in stamps.items() if stamp[1] / 1e9 > latest]
    if not fresh:
        return stamps
    time.sleep(_PAUSE_SECONDS)
    growing = {name for name in fresh if _stamp(path / name) != stamps[name] or stamps[name][0] == 0}
    return {name: stamp for name, stamp in stamps.items() if name not in growing}


def _sight(path: Path, name: str, stamp: _Stamp) -> Sighting:
    written = datetime.fromtimestamp(stamp[1] / 1e9, UTC)
    try:
        if stamp[0] > MAX_BYTES:
            raise DocumentError(
                f"{name} has {stamp[0] / 1_048_576:.0f} MB and the limit is {MAX_BYTES // 1_048_576} MB: "
                "shorten it, or save its text without pictures"
            )
        document = load_document((path / name).read_bytes(), name=name, origin=str(path / name))
    except DocumentError as error:
        return Sighting(name, None, written, str(error))
    except OSError as error:
        return Sighting(name, None, written, f"{name} cannot be read ({error.strerror}): check its permissions")
    return Sighting(name, document, written)
