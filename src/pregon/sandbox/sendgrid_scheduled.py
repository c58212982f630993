"""The stand-in's scheduled sends: batch ids, cancelling and pausing, and the clock by which what was scheduled leaves.

What is promised is kept to the letter, and nothing beyond: a cancellation later than ten minutes before the time is
accepted and does not work, since SendGrid does not guarantee it either.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pregon.sandbox.state import Record, State

MOST_CALLED_BACK = 10
LATEST = timedelta(minutes=10)
FURTHEST = timedelta(hours=72)
_Errors = Callable[..., Response]


class Scheduled:
    """What waits for its time. The clock is this machine's, moved by `set_clock`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def now(self) -> datetime:
        """The stand-in's time."""
        ahead = (self._state.get("setting", "sendgrid_clock") or {}).get("ahead", 0.0)
        return datetime.now(UTC) + timedelta(seconds=ahead)

    def set_clock(self, at: datetime) -> None:
        """Let it be this time now."""
        ahead = (at - datetime.now(UTC)).total_seconds()
        self._state.put("setting", [("sendgrid_clock", {"ahead": ahead})])

    def find_problem(self, payload: Record) -> tuple[str, str] | None:
        """What is wrong with the time or the batch of a mail, as (message, field)."""
        send_at, batch_id = payload.get("send_at"), payload.get("batch_id")
        if send_at is not None:
            if not isinstance(send_at, int) or isinstance(send_at, bool):
                return "The send_at parameter must be a unix timestamp.", "send_at"
            if send_at > (self.now() + FURTHEST).timestamp():
                return "Scheduling more than 72 hours in advance is forbidden.", "send_at"
        if batch_id is not None and self._state.get("batch", str(batch_id)) is None:
            return "The batch_id is not valid.", "batch_id"
        return None

    def keep(self, mails: list[Record], payload: Record) -> None:
        """Accepted mails wait for their time, or leave at once."""
        leaves_at = datetime.fromtimestamp(payload.get("send_at") or 0, UTC)
        if leaves_at <= self.now():
            self._state.put("mail", [(mail["sg_message_id"], mail) for mail in mails], status="accepted")
            return
        batch = {"batch_id": payload.get("batch_id"), "leaves_at": leaves_at.isoformat()}
        waiting = [(mail["sg_message_id"], mail | batch) for mail in mails]
        self._state.put("scheduled", waiting, status="waiting")

    def leave(self, until: float | None = None) -> None:
        """Let go what is due by `until` (Unix time; now), and discard what was called back in time."""
        limit = self.now().timestamp() if until is None else until
        due = [mail for mail in self._state.all("scheduled", "waiting") if _unix(mail["leaves_at"]) <= limit]
        gone = {mail["sg_message_id"] for mail in due if self._is_called_back(mail)}
        left = [mail for mail in due if mail["sg_message_id"] not in gone]
        mails = [(mail["sg_message_id"], mail | {"created_at": mail["leaves_at"]}) for mail in left]
        self._state.put("mail", mails, status="accepted")
        self._state.mark("scheduled", gone, "discarded")
        self._state.mark("scheduled", [name for name, _ in mails], "left")

    def _is_called_back(self, mail: Record) -> bool:
        status = self._state.get("called_back", str(mail["batch_id"]))
        if not status or not status["status"]:
            return False
        return _unix(status["at"]) <= _unix(mail["leaves_at"]) - LATEST.total_seconds()

    def statuses(self) -> list[Record]:
        """Every batch that is cancelled or paused, as SendGrid lists them."""
        return [_show(each) for each in self._state.all("called_back") if each["status"]]

    def count_ahead(self) -> int:
        """How many batches are cancelled or paused whose time has not come."""
        waiting = {mail["batch_id"] for mail in self._state.all("scheduled", "waiting")}
        return sum(each["batch_id"] in waiting for each in self._state.all("called_back") if each["status"])

    def change(self, batch_id: str, status: str) -> None:
        """Cancel or pause a batch, or let it go on ("")."""
        changed = {"batch_id": batch_id, "status": status, "at": self.now().isoformat()}
        self._state.put("called_back", [(batch_id, changed)])


class ScheduledStandIn:
    """The routes over it. `authorize` and `errors` are those of the other routes."""

    def __init__(
        self, state: State, scheduled: Scheduled, authorize: Callable[[Request], Response | None], errors: _Errors
    ) -> None:
        self._state, self._scheduled, self._authorize, self._errors = state, scheduled, authorize, errors

    async def open_batch(self, request: Request) -> Response:
        """POST /v3/mail/batch: 201 with a new id."""
        if refusal := self._authorize(request):
            return refusal
        # The official description of scheduled sends takes ids that begin with a letter or a digit only.
        batch_id = secrets.token_hex(24)
        self._state.put("batch", [(batch_id, {"batch_id": batch_id})])
        return JSONResponse({"batch_id": batch_id}, 201)

    async def call_back(self, request: Request) -> Response:
        """POST /v3/user/scheduled_sends: cancel or pause a batch for the first time."""
        if refusal := self._authorize(request):
            return refusal
        wanted = _read(await request.body())
        batch_id, status = str(wanted.get("batch_id")), wanted.get("status")
        if status not in ("cancel", "pause"):
            return self._errors(400, [("status must be one of cancel, pause", "status")])
        if self._state.get("batch", batch_id) is None:
            return self._errors(400, [("invalid batch id", "batch_id")])
        if self._status(batch_id):
            return self._errors(400, [("a status for this batch id exists, try PATCH to update the status", None)])
        self._scheduled.leave()
        if self._scheduled.count_ahead() >= MOST_CALLED_BACK:
            return self._errors(400, [("the maximum number of cancelled and paused batches is reached", None)])
        self._scheduled.change(batch_id, str(status))
        return JSONResponse({"batch_id": batch_id, "status": status}, 201)

    async def list_all(self, request: Request) -> Response:
        """GET /v3/user/scheduled_sends: every batch that is cancelled or paused."""
        return self._authorize(request) or JSONResponse(self._scheduled.statuses())

    async def read(self, request: Request) -> Response:
        """GET /v3/user/scheduled_sends/{batch_id}: its status in a list; an empty list where it has none."""
        if refusal := self._authorize(request):
            return refusal
        wanted = request.path_params["batch_id"]
        return JSONResponse([each for each in self._scheduled.statuses() if each["batch_id"] == wanted])

    async def change(self, request: Request) -> Response:
        """PATCH /v3/user/scheduled_sends/{batch_id}: from pause to cancel or back."""
        if refusal := self._authorize(request):
            return refusal
        batch_id, status = request.path_params["batch_id"], _read(await request.body()).get("status")
        if status not in ("cancel", "pause"):
            return self._errors(400, [("status must be one of cancel, pause", "status")])
        if not self._status(batch_id):
            return self._errors(404, [("batch id not found", None)])
        self._scheduled.change(batch_id, str(status))
        return Response(status_code=204)

    async def resume(self, request: Request) -> Response:
        """DELETE /v3/user/scheduled_sends/{batch_id}: it goes on as if it had never been called back."""
        if refusal := self._authorize(request):
            return refusal
        batch_id = request.path_params["batch_id"]
        if not self._status(batch_id):
            return self._errors(404, [("batch id not found", None)])
        self._scheduled.change(batch_id, "")
        return Response(status_code=204)

    def _status(self, batch_id: str) -> str:
        return str((self._state.get("called_back", batch_id) or {}).get("status", ""))


def _show(record: Record) -> Record:
    return {"batch_id": record["batch_id"], "status": record["status"]}


def _read(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
