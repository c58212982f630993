"""Funnels as bars, for the hand-written SVG of `pages/chart.html`. Pure; widths are in the drawing's own units."""

from __future__ import annotations

from dataclasses import dataclass

from pregon.types import ChannelName, Funnel

WIDTH = 320


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a funnel: `value`, and `of` what `base` it is, as texts that the page translates ("": it is the base)."""

    label: str
    value: int
    base: int
    of: str
    tone: str = "good"

    @property
    def width(self) -> float:
        """How much of the drawing's width it takes."""
        return round(WIDTH * min(self.value / self.base, 1), 1) if self.base else 0


def build_bars(funnel: Funnel) -> tuple[Bar, ...]:
    """The lines of a funnel, each with its own denominator; a mail's engagement is out of those who agreed."""
    left = funnel.planned - funnel.sent - funnel.pending
    bars = [
        Bar("Planned", funnel.planned, funnel.planned, "", "base"),
        Bar("Sent", funnel.sent, funnel.planned, "of %(count)s planned"),
    ]
    if funnel.pending:
        bars.append(Bar("Still to go", funnel.pending, funnel.planned, "of %(count)s planned", "base"))
    if left:
        bars.append(Bar("Not sent", left, funnel.planned, "of %(count)s planned", "bad"))
    if funnel.channel is ChannelName.EMAIL:
        bars += [
            Bar("Delivered", funnel.delivered, funnel.sent, "of %(count)s sent"),
            Bar("Bounced", funnel.bounced, funnel.sent, "of %(count)s sent", "bad"),
            Bar("Agreed to tracking", funnel.trackable, funnel.delivered, "of %(count)s delivered", "base"),
            Bar("Clicked", funnel.clickers, funnel.trackable, "of %(count)s who agreed"),
            Bar("Unsubscribed", funnel.unsubscribed, funnel.delivered, "of %(count)s delivered", "bad"),
        ]
    return tuple(bars)
