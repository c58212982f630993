"""`pregon serve` as a process of its own for measuring: what all of its processes use of the processor and of memory.

Read from /proc, so Linux only. Memory is the proportional set size: what processes share is counted once.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PREGON = Path(sys.executable).parent / "pregon"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Served:
    """A running `pregon serve` and where its desk is."""

    pid: int
    url: str
    home: Path

    def processor_seconds(self) -> float:
        """What the process and its children, ended ones included, have used until now."""
        return sum(sum(map(int, _stat(pid)[11:15])) for pid in self.processes()) / _TICKS

    def megabytes(self) -> float:
        """What all of them hold now."""
        return sum(self.megabytes_each())

    def megabytes_each(self) -> tuple[float, float]:
        """What the desk with its worker holds, and what Prefect's server beside it does."""
        own, *others = (_proportional(pid) / 1024 for pid in self.processes())
        return own, sum(others)

    def processes(self) -> list[int]:
        """The process and all below it."""
        parents = {int(path.name): int(_stat(int(path.name))[1] or 0) for path in Path("/proc").iterdir()
                   if path.name.isdigit() and _stat(int(path.name))}  # fmt: skip
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found


@contextmanager
def serving(home: Path) -> Iterator[Served]:
    """The sample configuration, once its engine is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PREGON_HOME": str(home), "PREGON_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    home.mkdir(parents=True, exist_ok=True)
    log = home / "serve.log"
    with log.open("w") as lines:
        process = subprocess.Popen([PREGON, "serve"], cwd=ROOT, env=environment, stdout=lines, stderr=lines)
    try:
        _await_ready(process, log)
        yield Served(process.pid, f"http://127.0.0.1:{port}", home)
    finally:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        print(f"pregon serve ended after {time.monotonic() - began:.0f} s", flush=True)


def _await_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + 120
    while "engine is ready" not in log.read_text():
        if process.poll() is not None or time.monotonic() > ends:
            raise SystemExit(f"pregon serve did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


def _stat(pid: int) -> list[str]:
    """/proc/PID/stat behind the name, which may hold spaces: state, parent, ..., utime at 11; [] when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
