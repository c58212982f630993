"""Sources and channels, the calendar, the audit log, and who one is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from pregon.errors import PregonError
from pregon.types import Account, ChannelName, Role, SourceKind
from pregon.web.api.access import Approver, Editor, Viewer
from pregon.web.api.models import Filled, In, Out
from pregon.web.desk import AnyDesk
from pregon.web.pages_workings import check_all_sources

router = APIRouter(tags=["workings"])
_LONGEST = timedelta(days=400)


class MeOut(Out):
    """Whom the token acts for, and with which role."""

    name: str
    role: Role


class SourceOut(Out):
    """A watched source. `sentences` say what a person should know or do."""

    id: str
    kind: SourceKind
    state: str
    where: str
    last_polled_at: datetime | None
    last_seen_at: datetime | None
    next_check_at: datetime | None
    sentences: list[str]


class CheckedOut(Out):
    """Whether the sources were checked, or will be in a moment."""

    done: bool


class ChannelOut(Out):
    """A way out. `paused` says why, null when it goes."""

    name: ChannelName
    provider: str
    mode: str
    account: str
    paused: str | None


class AccountOut(Out):
    """Whom a channel writes as; or the problem, in one sentence."""

    name: str
    problem: str


class PauseIn(In):
    """Why nothing may go out by this channel for now."""

    reason: Filled


class ScheduledOut(Out):
    """A draft with the time at which it goes or went out."""

    campaign: str
    title: str
    draft_id: int
    channel: ChannelName
    language: str
    due_at: datetime
    is_approved: bool
    is_sent: bool


class DayOut(Out):
    """A day that an item names: a deadline or a meeting."""

    campaign: str
    title: str
    day: date
    kind: str
    text: str


class ReserveOut(Out):
    """Days before an election on which some things may not be published."""

    name: str
    start: date
    end: date


class CalendarOut(Out):
    """What goes out, what falls due, and what may not go out."""

    scheduled: list[ScheduledOut]
    days: list[DayOut]
    reserve_periods: list[ReserveOut]


class AuditLine(Out):
    """One line of the audit log; `hash` seals it and all before it."""

    at: datetime
    person: str
    action: str
    subject: str
    detail: str
    hash: str


@router.get("/me")
def show_me(user: Viewer) -> MeOut:
    """Whom the token acts for."""
    return MeOut.model_validate(user)


@router.get("/sources")
def list_sources(desk: AnyDesk, user: Viewer) -> list[SourceOut]:
    """What is watched, and how the last polls went."""
    return [
        SourceOut(
            id=line.source.id,
            kind=line.source.kind,
            state=line.state,
            where=line.where,
            last_polled_at=line.last_polled_at,
            last_seen_at=line.last_seen_at,
            next_check_at=line.next_check_at,
            sentences=list(line.sentences),
        )
        for line in desk.pipeline.sources.list_sources()
    ]


@router.post("/sources/check", status_code=202)
def check_sources(desk: AnyDesk, user: Editor) -> CheckedOut:
    """Look at every source now and draft what it brings."""
    return CheckedOut(done=check_all_sources(desk))


@router.get("/channels")
def list_channels(desk: AnyDesk, user: Viewer) -> list[ChannelOut]:
    """The ways out: sandbox or live, going or paused."""
    settings, read = desk.pipeline.settings, desk.pipeline.store.read_pause
    return [
        ChannelOut(name=name, provider=c.provider, mode=c.mode, account=c.account, paused=read(name))
        for name, c in ((name, settings.channel(name)) for name in ChannelName)
    ]


@router.post("/channels/{name}/pause")
def pause_channel(name: ChannelName, why: PauseIn, desk: AnyDesk, user: Approver) -> ChannelOut:
    """Let nothing go out by a channel until somebody resumes it."""
    desk.pipeline.stopping.pause_channel(name, why.reason, user)
    return _channel(desk, name)


@router.post("/channels/{name}/resume")
def resume_channel(name: ChannelName, desk: AnyDesk, user: Approver) -> ChannelOut:
    """Let a paused channel go on."""
    desk.pipeline.stopping.resume_channel(name, user)
    return _channel(desk, name)


@router.get("/channels/{name}/account")
def ask_account(name: ChannelName, desk: AnyDesk, user: Approver) -> AccountOut:
    """Ask the provider whom a channel writes as; nothing is sent or posted. Both are empty for a channel that is off."""
    account = desk.pipeline.trying.ask_account(name) or Account()
    return AccountOut(name=account.name, problem=account.problem)


def _channel(desk: AnyDesk, name: ChannelName) -> ChannelOut:
    config, paused = desk.pipeline.settings.channel(name), desk.pipeline.store.read_pause(name)
    return ChannelOut(name=name, provider=config.provider, mode=config.mode, account=config.account, paused=paused)


@router.get("/calendar")
def show_calendar(
    desk: AnyDesk,
    user: Viewer,
    start: Annotated[date, Query(ge=date(2000, 1, 1), le=date(2200, 1, 1))],
    end: Annotated[date, Query(ge=date(2000, 1, 1), le=date(2200, 1, 1), description="The last day, included.")],
) -> CalendarOut:
    """What goes out between two days of the network's time zone, what falls due, and the reserve periods."""
    if not start <= end <= start + _LONGEST:
        raise PregonError("The last day comes after the first, and at most 400 days after it.")
    network, store = desk.pipeline.settings.network, desk.pipeline.store
    zone = ZoneInfo(network.time_zone)
    first, last = (datetime.combine(day, time(), zone) for day in (start, end + timedelta(days=1)))
    periods = [each for each in network.reserve_periods if each.start <= end and each.end >= start]
    return CalendarOut(
        scheduled=[ScheduledOut.model_validate(each) for each in store.scheduled_drafts(first, last)],
        days=[DayOut.model_validate(each) for each in store.announced_days(start, end + timedelta(days=1))],
        reserve_periods=[ReserveOut.model_validate(each) for each in periods],
    )


class Lines(StreamingResponse):
    """JSON lines."""

    media_type = "application/x-ndjson"


@router.get(
    "/audit",
    # Not Lines: what it is called would then be the type of the errors, too.
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One JSON object a line.",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        }
    },
)
def export_audit(
    desk: AnyDesk,
    user: Approver,
    since: Annotated[
        date | None, Query(ge=date(2000, 1, 1), le=date(2200, 1, 1), description="From this day on, UTC.")
    ] = None,
) -> Lines:
    """The whole audit log, oldest first, one JSON object a line: at, person, action, subject, detail, hash."""
    return Lines(_lines(desk, since))


def _lines(desk: AnyDesk, since: date | None) -> Iterator[str]:
    for entry in desk.pipeline.store.walk_audit():
        if since is None or entry.at.date() >= since:
            yield json.dumps(AuditLine.model_validate(entry).model_dump(mode="json"), ensure_ascii=False) + "\n"
