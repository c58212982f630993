"""Who caused an event: a person, a mailbox's machine, or a security scanner that follows every link.

Pure. Each label comes with the name of the rule that gave it, so that a figure can be questioned. The thresholds
are our own conservative reading of how scanners behave: they follow links within seconds of delivery, and all at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pregon.types import EventType, Label, ProviderEvent

SCAN_AFTER_DELIVERY = timedelta(seconds=10)
BURST_WINDOW = timedelta(seconds=2)
BURST_LINKS = 3
_BOTS = re.compile(
    r"bot\b|crawler|spider|scanner|safelinks|barracuda|proofpoint|mimecast|python-requests|curl/", re.IGNORECASE
)

Labelled = tuple[Label, str]


def label_event(event: ProviderEvent) -> Labelled:
    """The label that an event's own fields give it; clicks are looked at again beside one another."""
    if event.type not in (EventType.OPENED, EventType.CLICKED):
        return Label.UNKNOWN, "not-engagement"
    if event.machine_open:
        return Label.MACHINE, "provider-flag"
    if event.user_agent and _BOTS.search(event.user_agent):
        return Label.SCANNER, "user-agent"
    if event.type is EventType.OPENED:
        # An image that loads is no proof of a reader: proxies and previews load it as well.
        return Label.UNKNOWN, "open-proves-nothing"
    return Label.HUMAN, "click"


def label_clicks(
    clicks: Sequence[tuple[str, datetime, str]], delivered_at: datetime | None, given: Mapping[str, Labelled]
) -> dict[str, Labelled]:
    """Labels for all clicks of one delivery: (key, at, url) each; `given` are those from `label_event`.

    A click within 10 s of delivery, or one of at least 3 different links within 2 s, is a scanner's.
    """
    labels = dict(given)
    for key, at, _ in clicks:
        if labels.get(key, (Label.HUMAN, ""))[0] is not Label.HUMAN:
            continue
        if delivered_at is not None and at - delivered_at < SCAN_AFTER_DELIVERY:
            labels[key] = (Label.SCANNER, "within-10s-of-delivery")
        elif _is_burst(at, clicks):
            labels[key] = (Label.SCANNER, "three-links-in-2s")
    return labels


def _is_burst(at: datetime, clicks: Sequence[tuple[str, datetime, str]]) -> bool:
    for start in (moment for _, moment, _ in clicks if timedelta(0) <= at - moment <= BURST_WINDOW):
        links = {url for _, moment, url in clicks if timedelta(0) <= moment - start <= BURST_WINDOW}
        if len(links) >= BURST_LINKS:
            return True
    return False
