"""Prefect's server as a child process: started, watched by its health address, restarted when it stalls, stopped."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from pregon.errors import PregonError

_log = logging.getLogger(__name__)
_START_TIMEOUT = 90.0
_CHECK_EVERY = 10.0
_FAILURES_BEFORE_RESTART = 4


class ServerProcess:
    """One Prefect server on loopback."""

    def __init__(self, port: int, environment: Mapping[str, str], log_file: Path) -> None:
        self._port, self._environment, self._log_file = port, dict(environment), log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._watchdog: threading.Thread | None = None
        self.restarts = 0

    def start(self) -> None:
        """Start the server and return when it answers. Raises `PregonError` when it does not in 90 s."""
        self._launch()
        self._wait_until_healthy()
        self._watchdog = threading.Thread(target=self._watch, name="prefect-watchdog", daemon=True)
        self._watchdog.start()

    def stop(self) -> None:
        """End the server, kindly first."""
        self._stopping.set()
        self._end_process()

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        return self._process.pid if self._process else None

    def _launch(self) -> None:
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pregon.engine.child", str(self._port)]
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                command, env=self._environment, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )

    def _wait_until_healthy(self) -> None:
        ends = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < ends and not self._stopping.is_set():
            if self._process is not None and self._process.poll() is not None:
                break
            if self._is_healthy(timeout=1):
                return
            self._stopping.wait(0.1)
        self._end_process()
        raise PregonError(f"Prefect's server did not start; {self._log_file} says why.")

    def _is_healthy(self, timeout: float) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/health", timeout=timeout) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _watch(self) -> None:
        failures = 0
        while not self._stopping.wait(_CHECK_EVERY):
            failures = 0 if self._is_healthy(timeout=5) else failures + 1
            if failures >= _FAILURES_BEFORE_RESTART and not self._stopping.is_set():
                _log.warning("Prefect's server does not answer; starting it again.")
                self._end_process()
                self._launch()
                self.restarts += 1
                failures = 0

    def _end_process(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
