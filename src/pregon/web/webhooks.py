"""What others push to us: providers' events, hubs' notifications, documents. The signature is the only key: no session.

Events: 204 kept, 403 not signed by the provider, 404 unknown provider, 413 too large, 500 not kept, so that it is sent
again. Documents: 202 with what became of it, 401, 404, 413 or 422 with one sentence. Notifications: 202, and 410
for a subscription that has ended, so that the hub stops.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from pregon.errors import DocumentError, NotFoundError, PregonError, SignatureError
from pregon.items import MAX_BYTES
from pregon.web.desk import AnyDesk, Desk

router = APIRouter()
# A batch of SendGrid's events is at most 768 kB as documented; this leaves room for other providers.
MOST_BYTES = 10 * 1024 * 1024
# A notification carries the feed, of which nothing is believed: it is read for its signature only.
_MOST_NOTIFICATION = 10 * 1024 * 1024
_log = logging.getLogger(__name__)


@router.post("/webhooks/{provider}")
async def receive(provider: str, request: Request, desk: AnyDesk) -> Response:
    """Keep a provider's events, each once."""
    body = await _read_body(request, MOST_BYTES)
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


@router.post("/sources/{source_id}")
async def take_push(source_id: str, request: Request, desk: AnyDesk, later: BackgroundTasks) -> Response:
    """Take a document that is pushed to a source, once however often it is sent."""
    headers = dict(request.headers.items())
    receiving = desk.pipeline.receiving
    try:
        # Who may not push is told so before up to 20 MB are read.
        await run_in_threadpool(receiving.admit, source_id, headers)
        body = await _read_body(request, MAX_BYTES)
        if body is None:
            return _refuse(f"The document is larger than {MAX_BYTES // 1_048_576} MB: shorten it, or send a link.", 413)
        result = await run_in_threadpool(receiving.receive, source_id, headers, body)
    except NotFoundError as error:
        return _refuse(str(error), 404)
    except SignatureError as error:
        return _refuse(str(error), 401, {"WWW-Authenticate": "Bearer"})
    except DocumentError as error:
        return _refuse(str(error), 422)
    except Exception:
        _log.exception("a push to %s was not taken", source_id)
        return _refuse("The document was not taken; send it again.", 500)
    if result.state != "known":
        _tell(desk, later, "pregon.item.stored", f"pregon.item.{result.item_id}", desk.pipeline.drafting.sweep)
    return JSONResponse({"source": result.source_id, "item": result.item_id, "state": result.state}, 202)


@router.get("/websub/{token}")
async def confirm_subscription(token: str, request: Request, desk: AnyDesk) -> Response:
    """Answer a hub that asks whether we meant to subscribe."""
    challenge = await run_in_threadpool(desk.pipeline.subscribing.confirm, token, dict(request.query_params.items()))
    if challenge is None:
        return PlainTextResponse("This was not asked for.", 404)
    return PlainTextResponse(challenge)


@router.post("/websub/{token}")
async def take_notification(token: str, request: Request, desk: AnyDesk, later: BackgroundTasks) -> Response:
    """Take a hub's word that a feed changed as a hint to read it."""
    body = await _read_body(request, _MOST_NOTIFICATION)
    if body is None:
        return PlainTextResponse("The notification is larger than 10 MB.", 413)
    signature = request.headers.get("x-hub-signature")
    try:
        source_id = await run_in_threadpool(desk.pipeline.subscribing.notice, token, signature, body)
    except NotFoundError as error:
        return PlainTextResponse(str(error), 410)
    except SignatureError as error:
        # WebSub §8: acknowledged, so that a forger learns nothing, and ignored.
        _log.warning("a notification was ignored: %s", error)
        return Response(status_code=202)
    _tell(desk, later, "pregon.source.hinted", f"pregon.source.{source_id}", lambda: _watch(desk))
    return Response(status_code=202)


def _tell(desk: Desk, later: BackgroundTasks, event: str, resource: str, work: Callable[[], object]) -> None:
    """Hint to the engine; without one do the work after the answer, since the sender waits for nothing else."""
    later.add_task(desk.tell, event, resource, lambda: _do_quietly(work))


def _do_quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except PregonError as error:
        _log.warning("what was pushed waits for the next pass: %s", error)


def _watch(desk: Desk) -> None:
    desk.pipeline.watching.watch()
    desk.pipeline.drafting.sweep()


def _refuse(sentence: str, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": sentence}, status, headers)


async def _read_body(request: Request, most: int) -> bytes | None:
    """The raw bytes, which the signature is over; None as soon as they are too many."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
