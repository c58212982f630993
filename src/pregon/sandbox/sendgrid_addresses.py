"""The stand-in for what SendGrid keeps of addresses: global suppressions and erase jobs."""

from __future__ import annotations

import json
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pregon.sandbox import accounts
from pregon.sandbox.state import State

MOST_ADDRESSES, MOST_BYTES = 5_000, 256 * 1024


class AddressStandIn:
    """Suppress, release, erase."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def suppress(self, request: Request) -> Response:
        """POST /v3/asm/suppressions/global: 201 with the addresses, also for those that are suppressed already."""
        addresses = await _read_addresses(request, "recipient_emails")
        if isinstance(addresses, Response):
            return addresses
        self._state.put("suppression", [(address, {"email": address}) for address in addresses], status="on")
        return JSONResponse({"recipient_emails": addresses}, 201)

    async def release(self, request: Request) -> Response:
        """DELETE /v3/asm/suppressions/global/{email}: 204."""
        if not _is_authorized(request):
            return _refuse(401, "authorization required")
        self._state.mark("suppression", [request.path_params["email"]], "off")
        return Response(status_code=204)

    async def erase(self, request: Request) -> Response:
        """POST /v3/recipients/erasejob: 202 with the job's id."""
        addresses = await _read_addresses(request, "email_addresses")
        if isinstance(addresses, Response):
            return addresses
        job = secrets.token_hex(16)
        self._state.put("erasure", [(job, {"job_id": job, "email_addresses": addresses})])
        return JSONResponse({"job_id": job}, 202)


async def _read_addresses(request: Request, field: str) -> list[str] | Response:
    if not _is_authorized(request):
        return _refuse(401, "authorization required")
    body = await request.body()
    try:
        found: Any = json.loads(body).get(field)
    except (ValueError, AttributeError):
        return _refuse(400, "invalid JSON")
    if not isinstance(found, list) or not 0 < len(found) <= MOST_ADDRESSES or len(body) > MOST_BYTES:
        return _refuse(400, f"{field} takes 1 to {MOST_ADDRESSES} addresses")
    wrong = [address for address in found if not isinstance(address, str) or "@" not in address]
    return _refuse(400, f"invalid address {wrong[0]!r}") if wrong else found


def _is_authorized(request: Request) -> bool:
    return request.headers.get("Authorization") == f"Bearer {accounts.SENDGRID_API_KEY}"


def _refuse(status: int, message: str) -> Response:
    return JSONResponse({"errors": [{"message": message, "field": ""}]}, status)
