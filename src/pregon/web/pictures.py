"""Pictures that come with a form: what kind they are by their own bytes, and how large they may be. Pure.

What a browser says a file is counts for nothing: the kind is read from the content (the formats' published signatures).
"""

from __future__ import annotations

from starlette.datastructures import FormData, UploadFile

from pregon.errors import PregonError
from pregon.types import Media

MOST_BYTES = 5_000_000
_SIGNATURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF87a", "image/gif"))
_FURTHER = ((b"GIF89a", "image/gif"),)


def find_picture_type(data: bytes) -> str | None:
    """image/png, image/jpeg, image/gif or image/webp; None for anything else."""
    for signature, media_type in _SIGNATURES + _FURTHER:
        if data.startswith(signature):
            return media_type
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def read_upload(form: FormData, name: str, alt_text: str) -> Media | None:
    """The picture of a file field; None when none was chosen. Raises `PregonError` for what is no picture or too large."""
    upload = form.get(name)
    if not isinstance(upload, UploadFile) or not upload.filename:
        return None
    title = upload.filename.replace("\\", "/").rsplit("/", 1)[-1][:200]
    data = upload.file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise PregonError(f"{title} has more than 5 MB; save it smaller and attach it again.")
    media_type = find_picture_type(data)
    if media_type is None:
        raise PregonError(f"{title} is no PNG, JPEG, WebP or GIF picture; save it as one of them and attach it again.")
    return Media(title, media_type, data, alt_text)
