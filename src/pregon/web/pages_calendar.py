"""The calendar of the desk: a month as a table, a list on a phone."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from fastapi.responses import Response

from pregon.errors import NotFoundError
from pregon.types import ChannelName
from pregon.web.desk import AnyDesk
from pregon.web.security import SignedIn
from pregon.web.workings import list_used_channels

router = APIRouter()
_YEARS = range(2000, 2101)


@router.get("/calendar")
def show_calendar(desk: AnyDesk, session: SignedIn, month: str = "", channel: str = "") -> Response:
    """One month, this one unless `month` (YYYY-MM) says another; of every channel or of one."""
    today = desk.pipeline.calendar.today()
    year, number = read_month(month) if month else (today.year, today.month)
    chosen = channel if channel in set(ChannelName) else ""
    return desk.show(
        "calendar.html",
        session,
        month=desk.pipeline.calendar.month(year, number, chosen),
        before=_shift(year, number, -1),
        after=_shift(year, number, 1),
        today=today,
        channel=chosen,
        channels=list_used_channels(desk),
    )


def read_month(text: str) -> tuple[int, int]:
    """Year and month of YYYY-MM. Raises `NotFoundError` for anything else."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise NotFoundError("There is no such month; write it as 2027-03.") from error
    if first.year not in _YEARS:
        raise NotFoundError("The calendar shows the years 2000 to 2100.")
    return first.year, first.month


def _shift(year: int, month: int, by: int) -> str:
    count = year * 12 + month - 1 + by
    return f"{count // 12:04}-{count % 12 + 1:02}"
