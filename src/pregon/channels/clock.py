"""Whether this machine's clock can be believed: what a provider is asked about depends on when something was sent.

A provider says the time in the Date of each answer (RFC 9110, 6.6.1). Knows no provider and does no I/O.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

# A machine whose clock is wrong by less still finds what it sent when it reads a provider back.
CLOCK_SKEW = timedelta(days=1)
# Both the time of an attempt and that of the question may be wrong, so half of that is believed.
_BELIEVED = CLOCK_SKEW / 2


class ClockError(requests.RequestException):
    """This machine's clock and the provider's are so far apart that what was not found may still be there."""


def check_clock(date: str | None, believed: timedelta = _BELIEVED) -> None:
    """Compare the Date of an answer with this machine's clock. Raises `ClockError`; nothing where there is no Date."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return
    difference = read_clock() - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))
    if abs(difference) > believed:
        raise ClockError(
            f"the clocks of this machine and of the provider are {abs(difference)} apart; correct this machine's"
        )


def read_clock() -> datetime:
    """This machine's clock, whatever the stages are told of the time."""
    return datetime.now(UTC)
