"""The stand-in for SendGrid v3: Mail Send, Email Logs; scheduled sends are beside it. Accepts what the published rules allow and keeps it."""

from __future__ import annotations

import json
import operator
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pregon.sandbox import accounts
from pregon.sandbox.faults import Faults, with_faults
from pregon.sandbox.sendgrid_addresses import AddressStandIn, find_drops
from pregon.sandbox.sendgrid_rules import find_problems, is_only_tried
from pregon.sandbox.sendgrid_scheduled import Scheduled, ScheduledStandIn
from pregon.sandbox.state import Record, State

MAX_BYTES = 30_000_000
_CONDITION = re.compile(
    r"""^(?P<field>\w+)\s*(?P<operator>=|>=|<=|>|<|IN)\s*(?P<kind>TIMESTAMP\s*)?(?P<value>"[^"]*"|'[^']*'|\([^)]*\))$"""
)
_COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_LISTS: dict[str, Callable[[Record], set[str]]] = {
    "categories": lambda mail: set(mail["categories"]),
    "status": lambda mail: {mail.get("status", "processed")},
}


def sendgrid_routes(state: State, faults: Faults) -> list[Route]:
    """The stand-in's routes."""
    endpoint, addresses, later = SendGridStandIn(state), AddressStandIn(state), Scheduled(state)
    batches = ScheduledStandIn(state, later, _authorize, _errors)

    def guard(call: Any, on: str = "read") -> Any:
        return with_faults(faults, "sendgrid", call, refuse, on)

    return [
        Route("/v3/mail/send", guard(endpoint.accept, "write"), methods=["POST"]),
        Route("/v3/mail/batch", guard(batches.open_batch, "batch"), methods=["POST"]),
        Route("/v3/user/scheduled_sends", guard(batches.call_back, "cancel"), methods=["POST"]),
        Route("/v3/user/scheduled_sends", guard(batches.list_all), methods=["GET"]),
        Route("/v3/user/scheduled_sends/{batch_id}", guard(batches.read), methods=["GET"]),
        Route("/v3/user/scheduled_sends/{batch_id}", guard(batches.change, "cancel"), methods=["PATCH"]),
        Route("/v3/user/scheduled_sends/{batch_id}", guard(batches.resume, "cancel"), methods=["DELETE"]),
        Route("/v3/logs", guard(endpoint.search), methods=["POST"]),
        Route("/v3/logs/{message_id}", guard(endpoint.read), methods=["GET"]),
        Route("/v3/asm/suppressions/global", guard(addresses.suppress, "write"), methods=["POST"]),
        Route("/v3/asm/suppressions/global/{email:path}", guard(addresses.release, "write"), methods=["DELETE"]),
        Route("/v3/suppression/{list}/{email:path}", guard(addresses.take_off, "write"), methods=["DELETE"]),
        Route("/v3/recipients/erasejob", guard(addresses.erase, "write"), methods=["POST"]),
    ]


def refuse(name: str) -> Response:
    """SendGrid's own answer for a fault."""
    if name.startswith("429"):
        reset = str(int(datetime.now(UTC).timestamp()) + 30)
        headers = {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return _errors(429, [("too many requests", None)], headers if name == "429_with_reset" else {})
    if name in ("401", "expired_token"):
        return _errors(401, [("The provided authorization grant is invalid, expired, or revoked", None)])
    if name == "402":
        return _errors(402, [("Maximum credits exceeded", None)])
    return _errors(403, [("The from address does not match a verified Sender Identity.", "from")])


class SendGridStandIn:
    """Mail Send and Email Logs over the state."""

    def __init__(self, state: State) -> None:
        self._state, self._scheduled = state, Scheduled(state)

    async def accept(self, request: Request) -> Response:
        """POST /v3/mail/send: 202 with X-Message-Id, or SendGrid's errors; 200 in its sandbox mode, which keeps nothing."""
        body = await request.body()
        refusal = _authorize(request)
        if refusal:
            return refusal
        if len(body) >= MAX_BYTES:
            return _errors(413, [("The request body is too large.", None)])
        try:
            payload = json.loads(body)
        except ValueError:
            return _errors(400, [("Bad Request", None)])
        problems = find_problems(payload) or [found for found in [self._scheduled.find_problem(payload)] if found]
        if problems:
            return _errors(400, problems)
        if is_only_tried(payload):
            return Response(status_code=200)
        message_id = secrets.token_urlsafe(16)
        self._keep(message_id, payload)
        return Response(status_code=202, headers={"X-Message-Id": message_id})

    def _keep(self, message_id: str, payload: dict[str, Any]) -> None:
        entries = payload.pop("personalizations")
        now = self._scheduled.now().isoformat()
        self._state.put("message", [(message_id, payload)])
        mails = [_build_mail(message_id, index, entry, payload, now) for index, entry in enumerate(entries)]
        bypass = payload.get("mail_settings", {}).get("bypass_unsubscribe_management", {})
        drops = find_drops(self._state, [mail["to_email"] for mail in mails], bypasses=bool(bypass.get("enable")))
        mails = [mail | {"drop": drops.get(mail["to_email"])} for mail in mails]
        self._scheduled.keep(mails, payload)

    async def search(self, request: Request) -> Response:
        """POST /v3/logs: the mails that match every condition, newest first, and of these the first `limit`."""
        refusal = _authorize(request)
        if refusal:
            return refusal
        wanted = json.loads(await request.body())
        limit = wanted.get("limit", 10)
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= 1000:
            return _errors(400, [("limit must be between 1 and 1000", "limit")])
        tests = [_read_condition(text) for text in str(wanted.get("query", "")).split(" AND ") if text.strip()]
        if None in tests:
            return _errors(400, [("invalid query", "query")])
        mails = [mail for mail in self._list_log() if all(test(mail) for test in tests if test)]
        return JSONResponse({"messages": [_summarize(mail) for mail in mails[:limit]]})

    def _list_log(self) -> list[Record]:
        """What the log has, newest first: what was sent, and what was called back and discarded when its time came."""
        self._scheduled.leave()
        mails = [*self._state.all("mail"), *self._list_discarded()]
        return sorted(mails, key=lambda mail: datetime.fromisoformat(mail["created_at"]), reverse=True)

    def _list_discarded(self) -> list[Record]:
        found = self._state.all("scheduled", "discarded")
        return [mail | {"created_at": mail["leaves_at"], "status": "dropped"} for mail in found]

    async def read(self, request: Request) -> Response:
        """GET /v3/logs/{sg_message_id}: one mail with its custom arguments."""
        refusal = _authorize(request)
        if refusal:
            return refusal
        wanted = request.path_params["message_id"]
        mail = self._state.get("mail", wanted)
        mail = mail or next((each for each in self._list_discarded() if each["sg_message_id"] == wanted), None)
        if mail is None:
            return _errors(404, [("message not found", None)])
        event = "cancel_drop" if mail.get("status") == "dropped" else "processed"
        events = [{"event": event, "email": mail["to_email"], "sg_message_id": mail["sg_message_id"]}]
        details = _summarize(mail) | {"events": events, "category": mail["categories"]}
        return JSONResponse(details | {"custom_args": mail["custom_args"]})


def _build_mail(message_id: str, index: int, entry: Record, payload: Record, now: str) -> Record:
    return {
        "sg_message_id": f"{message_id}.recvd-sandbox-1-{index:04X}.0",
        "message_id": message_id,
        "to_email": entry["to"][0]["email"],
        "from_email": payload["from"]["email"],
        "subject": entry.get("subject") or payload.get("subject", ""),
        "categories": payload.get("categories", []),
        "custom_args": payload.get("custom_args", {}) | entry.get("custom_args", {}),
        "headers": payload.get("headers", {}) | entry.get("headers", {}),
        "substitutions": entry.get("substitutions", {}),
        "tracking": payload.get("tracking_settings", {}),
        "created_at": now,
    }


def _summarize(mail: Record) -> Record:
    names = ("from_email", "sg_message_id", "subject", "to_email")
    summary = {name: mail[name] for name in names}
    return summary | {"status": mail.get("status", "processed"), "sg_message_id_created_at": mail["created_at"]}


def _authorize(request: Request) -> Response | None:
    if request.headers.get("Authorization") == f"Bearer {accounts.SENDGRID_API_KEY}":
        return None
    return _errors(401, [("The provided authorization grant is invalid, expired, or revoked", None)])


def _errors(status: int, problems: Any, headers: dict[str, str] | None = None) -> Response:
    errors = [{"message": message, "field": field, "help": None} for message, field in problems]
    return JSONResponse({"errors": errors}, status, headers)


def _read_condition(text: str) -> Callable[[Record], bool] | None:
    """One condition of the log's query language as a test of a mail, or None when it is not one."""
    match = _CONDITION.match(text.strip())
    if match is None:
        return None
    field, sign, value = match["field"], match["operator"], match["value"].strip("\"'")
    if field == "sg_message_id_created_at":
        return _compare_time(sign, value) if match["kind"] else None
    if field in _LISTS and sign == "IN":
        names = set(re.findall(r"'([^']*)'", match["value"]))
        return lambda mail: bool(names & _LISTS[field](mail))
    if field in ("to_email", "subject", "sg_message_id") and sign == "=":
        return lambda mail: str(mail[field]).lower() == value.lower()
    return None


def _compare_time(sign: str, text: str) -> Callable[[Record], bool] | None:
    compare = _COMPARISONS.get(sign)
    try:
        limit = datetime.fromisoformat(text)
    except ValueError:
        return None
    if compare is None or limit.tzinfo is None:
        return None
    return lambda mail: bool(compare(datetime.fromisoformat(mail["created_at"]), limit))
