"""The colours of a mail, from the network's two. Each text colour has a contrast of at least 4.5 on its ground.

Source of the contrast formula: WCAG 2.1, relative luminance.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache

MINIMUM_CONTRAST = 4.5
COMFORTABLE_CONTRAST = 7.0
_INK, _INK_DARK = "#1d2b33", "#e8edf0"
_PAPER, _PAPER_DARK = "#ffffff", "#16222a"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as #rrggbb; the `_dark` ones are for readers who prefer dark screens."""

    brand: str
    accent: str
    link: str
    tint: str
    ink: str = _INK
    muted: str = "#51626c"
    paper: str = _PAPER
    ground: str = "#f2f5f6"
    line: str = "#d9e1e5"
    accent_dark: str = ""
    link_dark: str = ""
    tint_dark: str = "#1f303a"
    ink_dark: str = _INK_DARK
    muted_dark: str = "#a9b8c0"
    paper_dark: str = _PAPER_DARK
    ground_dark: str = "#0e171d"
    line_dark: str = "#31454f"


@lru_cache(maxsize=8)
def choose_palette(colour: str, accent: str) -> Palette:
    """The palette of a brand: its colours where they can be read, darkened or lightened where they cannot."""
    tint = mix(colour, "#ffffff", 0.93)
    link = darken_until(colour, tint)
    return Palette(
        brand=darken_until(colour, "#ffffff"),
        accent=darken_until(accent, tint),
        link=link,
        tint=tint,
        link_dark=lighten_until(colour, "#1f303a"),
        accent_dark=lighten_until(accent, "#1f303a"),
    )


def contrast(first: str, second: str) -> float:
    """The WCAG contrast ratio of two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """`colour` with `share` (0 to 1) of `other` in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return _to_hex(tuple(a + (b - a) * share for a, b in pairs))


def darken_until(colour: str, ground: str) -> str:
    """`colour` with as little black as makes it readable on `ground`."""
    shades = (mix(colour, "#000000", step / 50) for step in range(51))
    return next((shade for shade in shades if contrast(shade, ground) >= MINIMUM_CONTRAST), "#000000")


def lighten_until(colour: str, ground: str) -> str:
    """`colour` as light as makes it easy to read on a dark `ground`, and a little paler: bright colours glare there."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    steps = (lightness + (1 - lightness) * step / 50 for step in range(51))
    shades = (_to_hex(colorsys.hls_to_rgb(hue, step, saturation * 0.7)) for step in steps)
    return next((shade for shade in shades if contrast(shade, ground) >= COMFORTABLE_CONTRAST), "#ffffff")


def _channels(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _to_hex(channels: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _luminance(colour: str) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
