"""Funnels as bars, for the hand-written SVG of `pages/chart.html`. Pure; widths are in the drawing's own units."""

from __future__ import annotations

from dataclasses import dataclass

from pregon.types import ChannelName, Funnel

WIDTH = 320


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a funnel: `value` of the `base` named in words."""

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
    left = funnel.planned - funnel.sent
    bars = [
        Bar("Planned", funnel.planned, funnel.planned, "planned", "base"),
        Bar("Sent", funnel.sent, funnel.planned, "planned"),
    ]
    if left:
        bars.append(Bar("Not sent", left, funnel.planned, "planned", "bad"))
    if funnel.channel is ChannelName.EMAIL:
        bars += [
            Bar("Delivered", funnel.delivered, funnel.sent, "sent"),
            Bar("Bounced", funnel.bounced, funnel.sent, "sent", "bad"),
            Bar("Agreed to tracking", funnel.trackable, funnel.delivered, "delivered", "base"),
            Bar("Clicked", funnel.clickers, funnel.trackable, "who agreed"),
            Bar("Unsubscribed", funnel.unsubscribed, funnel.delivered, "delivered", "bad"),
        ]
    return tuple(bars)
