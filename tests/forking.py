"""Processes that start at once: forked from one that has imported the project, and as separate and mortal as any other.

Starting an interpreter and importing takes more than a second of processor time, which is not what the tests are about.
What a start of its own shows (the installed command, lazy imports) a few tests still show with one.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

_FORKING = multiprocessing.get_context("forkserver")
# None of these starts a thread or opens anything, so a fork has what they have.
_FORKING.set_forkserver_preload(
    [
        "pregon.bootstrap",
        "pregon.cli.desk",
        "pregon.cli.people",
        "pregon.cli.reading",
        "pregon.cli.report",
        "pregon.cli.stages",
        "pregon.drafts",
        "pregon.channels.bluesky",
        "pregon.channels.discourse",
        "pregon.channels.mastodon",
        "pregon.channels.sendgrid",
        "pregon.channels.smtp",
        "pregon.channels.x",
        "pregon.channels.youtube",
        "pregon.sandbox",
        "pregon.sources",
        "pregon.sources.hubs",
        "pregon.sources.links",
        "pregon.storage",
        "alembic.command",
        "uvicorn.lifespan.on",
        "uvicorn.loops.auto",
        "mjml",
        "tweepy",
    ]
)


def start(work: Callable[..., None], *words: Any) -> tuple[BaseProcess, Connection]:
    """A process that runs `work(connection, *words)`, and this end of its connection."""
    here, there = _FORKING.Pipe()
    process = _FORKING.Process(target=work, args=(there, *words))
    process.start()
    there.close()
    return process, here


def run_pregon(words: Sequence[str], *, cwd: Path, env: Mapping[str, str], out: Path) -> CompletedProcess[str]:
    """The command `pregon` in a process of its own; what it says goes through two files in the folder `out`."""
    process = _FORKING.Process(target=_be_pregon, args=(words, cwd, dict(env), out))
    process.start()
    process.join()
    said = [(out / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
    return CompletedProcess(words, process.exitcode or 0, *said)


def _be_pregon(words: Sequence[str], cwd: Path, env: dict[str, str], out: Path) -> None:
    for name, number in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(out / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["pregon", *words]
    from pregon.cli import main

    main()
