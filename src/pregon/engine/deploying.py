"""Bring the deployments of prefect.yaml to the server, with Prefect's own command, when they changed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pregon.errors import PregonError


def deploy_all(root: Path, home: Path, environment: Mapping[str, str]) -> bool:
    """Deploy everything in `root`/prefect.yaml; False when the same was deployed before. Raises `PregonError`."""
    marker = home / "prefect" / "deployed"
    state = hashlib.sha256((root / "prefect.yaml").read_bytes() + str(root).encode()).hexdigest()
    if marker.exists() and marker.read_text(encoding="utf-8") == state:
        return False
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(command, cwd=root, env=dict(environment), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise PregonError(f"prefect.yaml cannot be deployed: {(done.stderr or done.stdout).strip()[-500:]}")
    marker.write_text(state, encoding="utf-8")
    return True
