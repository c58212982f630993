"""What there is to tell hooks of: found in the rows that the pipeline wrote in its own transactions, never in passing.

Each fact has a name of its own, so that it is told once however often it is found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pregon.pipeline.protocols import Storage
from pregon.pipeline.sources import Sources
from pregon.types import ChannelName, Decision, DeliveryState, Funnel

EVENTS = (
    "campaign.opened",
    "draft.approved",
    "draft.withdrawn",
    "campaign.sent",
    "delivery.held",
    "delivery.unknown",
    "source.failing",
)
# How long after it was due an approval is still looked at; longer than anything is retried or settled.
_WATCHED = timedelta(days=14)
# Reasons that differ only in the address that they quote become one, so more are read than told.
_READ_REASONS, _TOLD_REASONS = 1_000, 20
# A provider's answer may quote whom it was about.
_ADDRESS = re.compile(r"<?[^\s<>\"',;:()]+@[^\s<>\"',;:()]+>?")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened. `name` is the same however often it is found."""

    name: str
    event: str
    at: datetime
    data: dict[str, Any]


class Facts:
    """Reads facts from storage."""

    def __init__(self, store: Storage, sources: Sources, base_url: str) -> None:
        self._store, self._sources, self._base = store, sources, base_url

    def find(self, since: datetime, now: datetime) -> tuple[Fact, ...]:
        """What happened since then, and what stands now of what was approved in the last two weeks."""
        return (*self._opened(since), *self._decided(since), *self._outcomes(now), *self._failing(now))

    def _opened(self, since: datetime) -> Iterator[Fact]:
        for each in self._store.opened_campaigns(since):
            data = {
                "campaign": each.slug,
                "title": each.title,
                "kind": each.kind.value,
                "url": self._address(each.slug),
            }
            yield Fact(f"campaign.opened:{each.id}", "campaign.opened", each.created_at, data)

    def _decided(self, since: datetime) -> Iterator[Fact]:
        for decision, slug, channel, language in self._store.effective_decisions(since):
            event = "draft.approved" if decision.decision is Decision.APPROVED else "draft.withdrawn"
            data = {
                "campaign": slug,
                "draft_id": decision.draft_id,
                "revision": decision.revision,
                "digest": decision.digest,
                "channel": channel,
                "language": language,
                "by": decision.decided_by,
                "due_at": decision.due_at.isoformat() if decision.due_at else None,
                "url": self._address(slug),
            }
            yield Fact(f"{event}:{decision.id}", event, decision.decided_at, data)

    def _outcomes(self, now: datetime) -> Iterator[Fact]:
        standing = self._store.standing_approvals(now - _WATCHED)
        ids = list(dict.fromkeys(campaign_id for campaign_id, *_ in standing))
        funnels = self._store.count_funnels(ids) if ids else {}
        planning = {plan.campaign_id for plan in self._store.list_open_plans()} if ids else set()
        newest: dict[tuple[int, str], int] = {}
        for (campaign_id, slug, channel, language), approval in standing.items():
            newest[campaign_id, slug] = max(approval, newest.get((campaign_id, slug), 0))
            rows = [
                row for row in funnels.get(campaign_id, ()) if (row.channel, row.language or "") == (channel, language)
            ]
            for row in rows:
                yield from self._stuck(campaign_id, slug, channel, language, approval, row, now)
        for (campaign_id, slug), approval in newest.items():
            if campaign_id not in planning:
                yield from self._sent(campaign_id, slug, approval, funnels.get(campaign_id, ()), now)

    def _stuck(
        self,
        campaign_id: int,
        slug: str,
        channel: ChannelName,
        language: str,
        approval: int,
        row: Funnel,
        now: datetime,
    ) -> Iterator[Fact]:
        for state, count in ((DeliveryState.HELD, row.held), (DeliveryState.UNKNOWN, row.unknown)):
            if count:
                found = self._store.count_reasons(campaign_id, channel, language, state, _READ_REASONS)
                data = {"campaign": slug, "channel": channel.value, "language": language, "count": count}
                name = f"delivery.{state}:{campaign_id}:{channel}:{language}:{approval}"
                told = {"reasons": _tell_reasons(found), "url": f"{self._address(slug)}/result"}
                yield Fact(name, f"delivery.{state}", now, data | told)

    def _sent(
        self, campaign_id: int, slug: str, approval: int, rows: tuple[Funnel, ...], now: datetime
    ) -> Iterator[Fact]:
        sent, failed = sum(row.sent for row in rows), sum(row.failed for row in rows)
        if sent and not any(row.pending or row.unknown for row in rows):
            data = {"campaign": slug, "sent": sent, "failed": failed, "url": f"{self._address(slug)}/result"}
            yield Fact(f"campaign.sent:{campaign_id}:{approval}", "campaign.sent", now, data)

    def _failing(self, now: datetime) -> Iterator[Fact]:
        for line in self._sources.list_sources():
            if line.state in ("failing", "gone"):
                data = {"source": line.source.id, "state": line.state, "message": " ".join(line.sentences)}
                # Told once a day for as long as it lasts.
                name = f"source.failing:{line.source.id}:{now.date().isoformat()}"
                yield Fact(name, "source.failing", now, data | {"url": f"{self._base}/sources"})

    def _address(self, slug: str) -> str:
        return f"{self._base}/campaigns/{slug}"


def _tell_reasons(found: Mapping[str, int]) -> list[dict[str, Any]]:
    """The reasons without addresses, the most frequent first."""
    told: Counter[str] = Counter()
    for reason, count in found.items():
        told[_ADDRESS.sub("…", reason)] += count
    return [{"reason": reason, "count": count} for reason, count in told.most_common(_TOLD_REASONS)]
