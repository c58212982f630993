"""The whole engine of `pregon serve`: server, worker, deployments, folder watcher, hints; started and stopped together."""

from __future__ import annotations

import logging
import os
import socket
import sys
from pathlib import Path

from pregon.engine.environment import apply_environment, prefect_environment
from pregon.engine.hints import Hints
from pregon.settings import Settings
from pregon.types import SourceKind

_log = logging.getLogger(__name__)
POOL = "pregon"
_DRAIN_SECONDS = 5


class Engine:
    """Prefect embedded in this process. Prefect itself is imported in `start`, after its settings are in place."""

    def __init__(self, settings: Settings, *, port: int | None = None) -> None:
        self._settings = settings
        self._port = port or _free_port()
        folders = tuple(settings.home / s.address for s in settings.sources if s.active and s.kind is SourceKind.FOLDER)
        self._folders: tuple[Path, ...] = folders
        self._hints = Hints(_emit)

    @property
    def ui_url(self) -> str:
        """Where Prefect's own pages are."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def server_restarts(self) -> int:
        """How often the watchdog had to start Prefect's server again."""
        return self._server.restarts

    def start(self) -> None:
        """Start everything; returns when triggers work. Raises `PregonError`."""
        root = self._settings.root.absolute()
        database = os.environ.get("PREGON_PREFECT_DATABASE_URL")
        values = prefect_environment(self._settings.home, root, self._port, database)
        apply_environment(values)
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        from pregon.engine.deploying import deploy_all
        from pregon.engine.folders import FolderWatcher
        from pregon.engine.server import ServerProcess
        from pregon.engine.worker import WorkerThread

        environment = dict(os.environ)
        self._server = ServerProcess(self._port, environment, self._settings.home / "logs" / "prefect-server.log")
        self._server.start()
        self._worker = WorkerThread(POOL, root)
        self._worker.start()
        deploy_all(root, self._settings.home, environment)
        self._watcher = FolderWatcher(self._folders, self._watch_now)
        self._watcher.start()
        self.hint("pregon.source.hinted", "pregon.source.start")

    def _watch_now(self) -> None:
        """Run the watch flow at once, in the watcher's thread: an event would pass through a queue of scheduled runs first."""
        from pregon.engine.runs import call_flow

        try:
            entrypoint = self._settings.root.absolute() / "flows" / "watch.py:watch"
            # Not by force: a folder is always due, and a file in it is no reason to ask every host again.
            call_flow(entrypoint, lambda flow: flow(force=False, return_state=True))
        except Exception:
            _log.warning("The watch flow could not run at once; its schedule will.", exc_info=True)
            self.hint("pregon.source.hinted", "pregon.source.folder")

    def hint(self, event: str, resource: str) -> None:
        """Tell Prefect that something happened, at once or with the next of its kind. Losing it only costs time."""
        self._hints.give(event, resource)

    def stop(self) -> None:
        """Stop everything that was started, in the opposite order."""
        self._hints.stop()
        for part in ("_watcher", "_worker"):
            self._end(part)
        if getattr(self, "_worker", None) is not None:
            _drain()
        self._end("_server")

    def _end(self, part: str) -> None:
        running = getattr(self, part, None)
        if running is not None:
            running.stop()


def _emit(event: str, resource: str) -> None:
    from prefect.events import emit_event

    emit_event(event=event, resource={"prefect.resource.id": resource})


def _drain() -> None:
    """Let Prefect's client send what it has queued while its server is still there to take it.

    It does so when the interpreter ends, too; without a server each of some hundred events is then tried for long.
    """
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for service in (EventsWorker, APILogWorker):
        service.drain_all(timeout=_DRAIN_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
