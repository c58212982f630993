"""Add up what became of a campaign. Pure; a rate states its denominator or is None."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields, replace

from pregon.types import ChannelName, Funnel

_COUNTS = tuple(f.name for f in fields(Funnel) if f.name not in ("channel", "language", "samples"))


def add_funnels(funnels: Iterable[Funnel], channel: ChannelName, language: str | None = None) -> Funnel:
    """One funnel with the sums of all; samples are added up per metric."""
    rows = tuple(funnels)
    samples: Counter[str] = Counter()
    for row in rows:
        samples.update(row.samples)
    sums = {name: sum(getattr(row, name) for row in rows) for name in _COUNTS}
    return replace(Funnel(channel, language), samples=dict(samples), **sums)


def click_rate(funnel: Funnel) -> float | None:
    """People who clicked, of those delivered who agreed to click tracking (0 to 1); None when nobody agreed."""
    return funnel.clickers / funnel.trackable if funnel.trackable else None
