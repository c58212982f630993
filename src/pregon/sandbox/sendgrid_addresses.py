"""The stand-in for what SendGrid keeps of addresses: global suppressions, bounced ones and erase jobs."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pregon.sandbox import accounts
from pregon.sandbox.state import State

MOST_ADDRESSES, MOST_BYTES = 5_000, 256 * 1024


# The lists that SendGrid writes itself; of these the stand-in keeps who has bounced.
LISTS = ("bounces", "blocks", "invalid_emails")


def find_drops(state: State, addresses: Collection[str], *, bypasses: bool) -> dict[str, str]:
    """The addresses to which SendGrid sends nothing though it accepts a mail, and why, in its words.

    `bypasses`: the mail is one that goes to who unsubscribed, too.
    """
    bounced = {each["email"].lower() for each in state.all("bounces", "on")}
    out = set() if bypasses else {each["email"].lower() for each in state.all("suppression", "on")}
    why = {address: "Unsubscribed Address" for address in addresses if address.lower() in out}
    return why | {address: "Bounced Address" for address in addresses if address.lower() in bounced}


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

    async def take_off(self, request: Request) -> Response:
        """DELETE /v3/suppression/{list}/{email}: 204, or 404 for who is not on it."""
        if not _is_authorized(request):
            return _refuse(401, "authorization required")
        name, address = request.path_params["list"], request.path_params["email"]
        if name not in LISTS or address not in {each["email"] for each in self._state.all(name, "on")}:
            return _refuse(404, "not found")
        self._state.mark(name, [address], "off")
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
