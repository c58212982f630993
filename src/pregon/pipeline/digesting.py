"""The digest use case: what was announced in a week or a month, as one newsletter in each language that has enough of it.

A digest is a campaign like any other: a person reads and approves it. The same period never makes two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pregon.drafts import compose_digest, join_items, propose
from pregon.items import fingerprint_item
from pregon.pipeline.composing import Composing
from pregon.pipeline.protocols import Clock, Storage
from pregon.settings import DigestRule, Settings
from pregon.types import Campaign, ChannelName, Item, MailFields, Proposal, StoredItem


@dataclass(frozen=True, slots=True)
class DigestResult:
    """The digest that was opened, or the sentence why there is none."""

    campaign: Campaign | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of the network's time zone; `end` is the day after the last. `name` is part of the slug."""

    start: date
    end: date
    name: str


class Digesting:
    """Announced items -> a digest's drafts."""

    def __init__(self, store: Storage, composing: Composing, settings: Settings, clock: Clock) -> None:
        self._store, self._composing, self._settings, self._clock = store, composing, settings, clock

    def gather(self) -> DigestResult:
        """Open the digest of the last whole period, unless there is one or too little was announced."""
        rule = self._settings.digest
        if rule is None:
            return DigestResult(None, "config/playbooks.yaml asks for no digest.")
        zone = ZoneInfo(self._settings.network.time_zone)
        period = last_period(rule, self._settings.network.day_of(self._clock()))
        members = self._store.announced_items(_begin(period.start, zone), _begin(period.end, zone))
        versions = self._compose(rule, period, members)
        if not versions:
            return DigestResult(
                None, f"Fewer than {rule.minimum} items were announced in {period.name} in any language."
            )
        opened = [self._store.campaign_of_item(stored.id) for stored, _ in versions]
        if any(opened):
            return DigestResult(None, f"There is a digest of {period.name} already.")
        return DigestResult(self._open(period, versions, members))

    def _compose(
        self, rule: DigestRule, period: Period, members: tuple[StoredItem, ...]
    ) -> list[tuple[StoredItem, Proposal]]:
        """A joined item and its draft for each language with enough items, in the network's order."""
        slug, items = period.name, [stored.item for stored in members]
        composed: list[tuple[str, Item, MailFields]] = []
        for language in self._settings.network.languages:
            context = self._composing.digest_context(slug, ())
            fields = compose_digest(items, language, context, minimum=rule.minimum)
            if fields is not None:
                own = [item for item in items if item.language == language]
                composed.append((language, replace(join_items(own), language=language, title=fields.title), fields))
        languages = tuple(language for language, _, _ in composed)
        context = self._composing.digest_context(slug, languages if len(languages) > 1 else ())
        return [
            (self._save(period, language, item), propose(ChannelName.EMAIL, language, fields, item, context))
            for language, item, fields in composed
        ]

    def _save(self, period: Period, language: str, item: Item) -> StoredItem:
        identity, fingerprint, now = f"digest:{period.name}:{language}", fingerprint_item(item), self._clock()
        saved = self._store.save_item(identity, fingerprint, item, "text/plain", "", now)
        return StoredItem(saved.id, identity, saved.version, fingerprint, item, "", now)

    def _open(
        self, period: Period, versions: list[tuple[StoredItem, Proposal]], members: tuple[StoredItem, ...]
    ) -> Campaign:
        (first, proposal), *others = versions
        title, now = first.item.title or period.name, self._clock()
        campaign = self._store.create_campaign(period.name, first, title, [proposal], now)
        for stored, each in others:
            self._store.join_campaign(campaign.id, stored, [each], now)
        self._store.add_digest_items(campaign.id, members)
        return campaign


def last_period(rule: DigestRule, today: date) -> Period:
    """The last whole week (Monday to Sunday) or month before `today`."""
    if rule.every == "week":
        end = today - timedelta(days=today.weekday())
        start = end - timedelta(days=7)
        year, week, _ = start.isocalendar()
        return Period(start, end, f"{year}-digest-w{week:02}")
    end = today.replace(day=1)
    start = (end - timedelta(days=1)).replace(day=1)
    return Period(start, end, f"{start.year}-digest-{start.month:02}")


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
