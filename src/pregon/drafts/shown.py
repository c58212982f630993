"""What a reader of a content sees."""

from __future__ import annotations

import re
from html import unescape

from pregon.types import Content, MailBody, PlaylistOperation, ThreadBody

_HREF = re.compile(r'href="([^"]*)"')
_NUMBERING = re.compile(r"\n\d+/\d+$")


def visible_texts(content: Content) -> tuple[str, ...]:
    """All that a reader sees or can follow: the texts, and the addresses behind the links."""
    body = content.body
    if isinstance(body, MailBody):
        addresses = "\n".join(unescape(address) for address in _HREF.findall(body.html))
        return (body.subject, body.preheader, body.text, addresses)
    if isinstance(body, ThreadBody):
        pictures = tuple(media.alt_text for part in body.parts for media in part.media)
        texts = [part.text if len(body.parts) == 1 else _NUMBERING.sub("", part.text) for part in body.parts]
        return (*texts, *pictures)
    return tuple(text for operation in body.operations for text in list_operation_texts(operation))


def list_operation_texts(operation: PlaylistOperation) -> tuple[str, ...]:
    """What viewers read of one change: the video's title and, where the playlist gets them, its texts."""
    if operation.op not in ("create", "retitle"):
        return (operation.video_title,)
    further = [part for text in operation.localizations for part in (text.title, text.description)]
    return (operation.playlist_title, operation.description, *further)
