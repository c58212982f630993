"""The settings under which Prefect runs beside us. Must be applied before prefect is imported."""

from __future__ import annotations

import os
from pathlib import Path


def prefect_environment(home: Path, root: Path, port: int, database_url: str | None = None) -> dict[str, str]:
    """Environment for the server, the worker and `prefect deploy`: loopback only, no telemetry, few polls.

    `database_url` is Prefect's own database; SQLite below `home` by default.
    """
    folder = home / "prefect"
    return {
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": database_url or f"sqlite+aiosqlite:///{folder / 'prefect.db'}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_SERVER_UI_ENABLED": "true",
        # The worker is woken by events; polling is the safety net.
        "PREFECT_WORKER_QUERY_SECONDS": "5",
        "PREGON_ROOT": str(root),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", "")))),
    }


def apply_environment(values: dict[str, str]) -> None:
    """Put the settings into this process's environment."""
    os.environ.update(values)
