"""What every provider's answers have in common: outcomes for a whole shipment, and how long to wait.

Knows no provider and does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from pregon.types import DeliveryState, Outcome, Outgoing

RAW_LIMIT = 4000
DEFAULT_WAIT = 60.0
CREDENTIALS = "credentials"
CREDIT = "credit"
QUOTA = "quota"
ADDRESS = "address"


def spread(
    deliveries: Iterable[Outgoing],
    state: DeliveryState,
    detail: str,
    *,
    raw: str = "",
    provider_id: str | None = None,
    retry_after: float | None = None,
    pause: str | None = None,
    is_unsent: bool = False,
) -> tuple[Outcome, ...]:
    """The same outcome for each delivery, in order; `raw` is cut to `RAW_LIMIT` characters."""
    same = Outcome("", state, provider_id, detail, raw[:RAW_LIMIT], retry_after, pause, is_unsent=is_unsent)
    return tuple(replace(same, delivery_id=delivery.delivery_id) for delivery in deliveries)


def read_wait(headers: Mapping[str, str], reset_header: str, now: datetime) -> float:
    """Seconds to wait after a 429, from Retry-After (seconds or a date), else from a header with a Unix time.

    Without either, `DEFAULT_WAIT`; never negative.
    """
    given = headers.get("Retry-After")
    reset = headers.get(reset_header)
    if given and given.strip().isdecimal():
        return float(given)
    if given:
        try:
            return max(0.0, (parsedate_to_datetime(given) - now).total_seconds())
        except (ValueError, TypeError):
            return DEFAULT_WAIT
    if reset and reset.strip().isdecimal():
        return max(0.0, float(reset) - now.timestamp())
    return DEFAULT_WAIT


def is_settled_absence(deliveries: Iterable[Outgoing], now: datetime, grace_seconds: float) -> bool:
    """Whether enough time has passed since the attempt that a provider's not knowing it means it was not done.

    A delivery without a time of attempt is never settled this way.
    """
    return all(
        delivery.attempted_at is not None and (now - delivery.attempted_at).total_seconds() >= grace_seconds
        for delivery in deliveries
    )
