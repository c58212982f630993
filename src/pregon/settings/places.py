"""Where the data and the database are, and the port of the desk: from the environment. Looks at folders, makes none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pregon.errors import Finding

_DATABASES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Places:
    """The data folder, the SQLAlchemy address of the database, the port."""

    home: Path
    database_url: str
    port: int


def read_places(root: Path, environment: Mapping[str, str], findings: list[Finding]) -> Places:
    """What the environment says, or the defaults; a finding for each that cannot be."""

    def find(identity: str, variable: str, message: str, hint: str) -> None:
        findings.append(Finding(identity, "environment", variable, message, hint))

    home = Path(environment.get("PREGON_HOME") or root / "data").absolute()
    if problem := _find_home_problem(home):
        find("env.home", "PREGON_HOME", problem, "name a folder that pregon may write to")
    given = environment.get("PREGON_DATABASE_URL", "")
    if given and not _is_database(given):
        hint = "write sqlite:////folder/pregon.db or postgresql+psycopg://user:password@host/name"
        find("env.database", "PREGON_DATABASE_URL", "this is no address of a database", hint)
    port = environment.get("PREGON_PORT", "8321")
    if not (is_port := port.isdecimal() and 0 < int(port) < 65536):
        find("env.port", "PREGON_PORT", f"{port!r} is not a port", "give a number from 1 to 65535")
    return Places(home, given or f"sqlite:///{home / 'pregon.db'}", int(port) if is_port else 0)


def _find_home_problem(home: Path) -> str:
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    if not nearest.is_dir():
        return f"{nearest} is no folder"
    return "" if os.access(nearest, os.W_OK | os.X_OK) else f"{nearest} cannot be written to"


def _is_database(url: str) -> bool:
    # Half a second that a command without the variable does not wait for.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (SQLAlchemyError, ValueError, ImportError):
        return False
    return parsed.get_backend_name() in _DATABASES
