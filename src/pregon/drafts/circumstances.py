"""What stands against sending that is not in the text: an embargo, a reserve period, a call that is over, dead links.

It changes while a draft waits, so it is judged anew whenever somebody looks or decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pregon.drafts.context import DraftContext
from pregon.drafts.facts import read_moment
from pregon.drafts.links import plain_address
from pregon.drafts.shown import visible_texts
from pregon.drafts.utm import untag_link
from pregon.types import Check, Content, Item

_URL = re.compile(r"https?://[^\s<>\"]+")


CIRCUMSTANCES = frozenset({"embargo", "reserve-period", "call.expired", "link.dead"})


def check_circumstances(content: Content, item: Item, context: DraftContext) -> tuple[Check, ...]:
    """Everything that stands against sending this content at its time (`send_at`, else today)."""
    return (*check_timing(content, item, context), *check_link_states(content, context))


def list_addresses(content: Content) -> tuple[str, ...]:
    """The http addresses that readers can follow, without what tells campaigns apart."""
    shown = " ".join(visible_texts(content))
    return tuple(dict.fromkeys(untag_link(url.rstrip(".,;:!?)]}'’")) for url in _URL.findall(shown)))


def check_timing(content: Content, item: Item, context: DraftContext) -> Iterator[Check]:
    """An embargo that would be broken, and a reserve period that speaks of a place in it."""
    zone = ZoneInfo(context.network.time_zone)
    sent_on = content.send_at.astimezone(zone).date() if content.send_at else context.today
    if sent_on is None:
        return
    yield from _check_embargo(content, item, sent_on, zone)
    yield from _check_reserve(content, item, context, sent_on)
    yield from _check_calls(item, sent_on)


def _check_calls(item: Item, sent_on: date) -> Iterator[Check]:
    for call in item.calls:
        if call.deadline and call.deadline < sent_on:
            message = f"The call ended on {call.deadline.isoformat()}."
            fix = "Ask whether the deadline was extended, or cancel this draft."
            yield Check("call.expired", "error", message, fix)


def _check_embargo(content: Content, item: Item, sent_on: date, zone: ZoneInfo) -> Iterator[Check]:
    if item.embargo is None:
        return
    until = read_moment(item.embargo)
    if isinstance(until, datetime):
        until = until if until.tzinfo else until.replace(tzinfo=zone)
        early = content.send_at < until if content.send_at else sent_on <= until.astimezone(zone).date()
        written = until.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    else:
        early, written = sent_on < until, until.isoformat()
    if early:
        message = f"The source is under embargo until {written} ({zone.key})."
        yield Check("embargo", "error", message, "Set a time to send that is not before it.")


def _check_reserve(content: Content, item: Item, context: DraftContext, sent_on: date) -> Iterator[Check]:
    shown = " ".join(visible_texts(content)).casefold()
    for period in context.network.reserve_periods:
        if item.kind not in period.kinds or not period.start <= sent_on <= period.end:
            continue
        named = [place for place in period.places if re.search(rf"(?<!\w){re.escape(place.casefold())}(?!\w)", shown)]
        if named:
            message = (
                f"{named[0]} is in its reserve period ({period.name}) until {period.end.isoformat()}: what public "
                "bodies achieved may not be praised."
            )
            yield Check("reserve-period", "error", message, "Send it after that day, or leave the place out.")


def check_link_states(content: Content, context: DraftContext) -> Iterator[Check]:
    """Links that were found dead, or could not be reached."""
    found = {plain_address(address): state for address, state in context.links.items()}
    for url in list_addresses(content):
        if state := found.get(plain_address(url)):
            level, message = state
            yield Check("link.dead", level, f"{url}: {message}", "Find where the page is now, or take the link out.")
