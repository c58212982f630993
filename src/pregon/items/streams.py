"""Bytes as the file-like object that format libraries want. The one place of this stage that names `io`; no file is opened."""

from __future__ import annotations

from io import BytesIO


def open_bytes(data: bytes) -> BytesIO:
    """`data` as a binary stream in memory."""
    return BytesIO(data)
