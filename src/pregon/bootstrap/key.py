"""The secret key of this house."""

from __future__ import annotations

import secrets

from pregon.settings import Settings


def read_key(settings: Settings) -> bytes:
    """The key that signs links: from the environment, else made once and kept in the data folder."""
    if settings.secret_key:
        return settings.secret_key.encode()
    path = settings.home / "secret.key"
    try:
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii").strip().encode()
