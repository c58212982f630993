"""The outreach report: what the campaigns of a period reached, each figure with what it is a share of. Computes, writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pregon.errors import PregonError
from pregon.metrics import add_funnels
from pregon.pipeline.measuring import CampaignFunnels
from pregon.pipeline.protocols import Clock, Storage
from pregon.settings import Settings
from pregon.types import ChannelName, Funnel

# Fewer people than this could be recognised, so a report for others does not say how many they were.
FEWEST_PEOPLE = 5


@dataclass(frozen=True, slots=True)
class Report:
    """`start` and `end` are the first and the last day; `as_of` is when the newest fact came in, None when none has."""

    start: date | None
    end: date
    made_at: datetime
    as_of: datetime | None
    campaigns: tuple[CampaignFunnels, ...]
    totals: tuple[Funnel, ...]
    languages: tuple[Funnel, ...]


class Reporting:
    """Funnels -> a report."""

    def __init__(self, store: Storage, settings: Settings, clock: Clock) -> None:
        self._store, self._settings, self._clock = store, settings, clock

    def build(self, start: date | None = None, end: date | None = None) -> Report:
        """The campaigns that were opened from `start` to `end` (both included; today by default).

        Raises `PregonError` when the period ends before it starts.
        """
        zone, now = ZoneInfo(self._settings.network.time_zone), self._clock()
        last = end or self._settings.network.day_of(now)
        if start is not None and start > last:
            raise PregonError("The period ends before it starts; choose another first or last day.")
        since = datetime.combine(start, time(), zone) if start else None
        before = datetime.combine(last + timedelta(days=1), time(), zone)
        found = self._store.period_funnels(since, before)
        rows = tuple(CampaignFunnels(campaign, funnels) for campaign, funnels in found)
        every = [funnel for each in rows for funnel in each.rows]
        events, samples = self._store.newest_facts()
        return Report(
            start=start,
            end=last,
            made_at=now,
            as_of=max((at for at in (events, samples) if at), default=None),
            campaigns=rows,
            totals=tuple(_sum(every, name) for name in ChannelName if any(f.channel is name for f in every)),
            languages=_by_language(every),
        )


def _sum(funnels: list[Funnel], channel: ChannelName) -> Funnel:
    return add_funnels((funnel for funnel in funnels if funnel.channel is channel), channel)


def _by_language(funnels: list[Funnel]) -> tuple[Funnel, ...]:
    """The newsletters' sums per language: whether everybody is reached alike."""
    mails = [funnel for funnel in funnels if funnel.channel is ChannelName.EMAIL]
    languages = dict.fromkeys(funnel.language for funnel in mails)
    return tuple(
        add_funnels((f for f in mails if f.language == language), ChannelName.EMAIL, language) for language in languages
    )
