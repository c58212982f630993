"""Notice files that appear in watched folders, and say that a poll is worth while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from watchfiles import watch


class FolderWatcher:
    """One thread over all watched folders. It reads nothing itself."""

    def __init__(self, folders: tuple[Path, ...], changed: Callable[[], None]) -> None:
        self._folders, self._changed = folders, changed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder-watcher", daemon=True)

    def start(self) -> None:
        """Begin watching; folders that do not exist are made."""
        for folder in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
        if self._folders:
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        for _ in watch(*self._folders, stop_event=self._stop, debounce=100, step=50, rust_timeout=500):
            self._changed()
