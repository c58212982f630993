"""The files of `templates/`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def read_templates(root: Path) -> Mapping[str, str]:
    """Every text file below `root`/templates, by its path there; read again only when one of them has changed."""
    folder = root / "templates"
    return _read_files(folder, tuple(_stamp_files(folder)))


def _stamp_files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """(path, size, time of the last change in ns) of each file below a folder."""
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.startswith("."):
                path = os.path.join(at, name)
                known = os.stat(path)
                yield path, known.st_size, known.st_mtime_ns


@lru_cache(maxsize=4)
def _read_files(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> Mapping[str, str]:
    paths = (Path(path) for path, _, _ in stamps)
    return MappingProxyType({path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths})
