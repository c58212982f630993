"""The desk's own files: one style sheet and small modules. Each address carries its content's hash, so it may be kept."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@lru_cache(maxsize=32)
def asset_address(name: str) -> str:
    """The address of a static file, with the hash of what it holds."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
