"""What providers push to us. The signature is the only key: no session, no cookie.

204 kept, 403 not signed by the provider, 404 unknown provider, 413 too large, 500 not kept, so that it is sent again.
"""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, Response

from pregon.errors import NotFoundError, SignatureError
from pregon.web.desk import AnyDesk

router = APIRouter()
# A batch of SendGrid's events is at most 768 kB as documented; this leaves room for other providers.
MOST_BYTES = 10 * 1024 * 1024
_log = logging.getLogger(__name__)


@router.post("/webhooks/{provider}")
async def receive(provider: str, request: Request, desk: AnyDesk) -> Response:
    """Keep a provider's events, each once."""
    body = await _read_body(request)
    if body is None:
        return PlainTextResponse("The body is larger than 10 MB.", 413)
    try:
        await run_in_threadpool(desk.pipeline.measuring.receive_events, provider, dict(request.headers.items()), body)
    except NotFoundError as error:
        return PlainTextResponse(str(error), 404)
    except SignatureError as error:
        return PlainTextResponse(str(error), 403)
    except Exception:
        _log.exception("events of %s were not kept", provider)
        return PlainTextResponse("The events were not kept; send them again.", 500)
    return Response(status_code=204)


async def _read_body(request: Request) -> bytes | None:
    """The raw bytes, which the signature is over; None as soon as they are too many."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
