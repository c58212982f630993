"""What a picture is called where its bytes do not stand."""

from __future__ import annotations

import hashlib


def name_picture(data: bytes) -> str:
    """The SHA-256 of a picture's bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
