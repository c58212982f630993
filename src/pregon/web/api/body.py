"""How large a body may be, whatever its headers say."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Pictures come as base64 with an edit; contacts come as files.
_MOST, _MOST_FILE = 25 * 1024 * 1024, 50 * 1024 * 1024
_IMPORT = "/contacts/import"


class SmallBodies:
    """ASGI middleware: refuses a body as soon as it is too large, and reads no more of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most, size = _MOST_FILE if scope["path"].endswith(_IMPORT) else _MOST, 0

        async def count() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                # Raised where the body is read, so that it is answered like every other refusal.
                raise HTTPException(413)
            return message

        await self._app(scope, count, send)
