"""The receive and measure use cases: provider events, unsubscribes, polled counters, and the figures made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from pregon.audiences import may_track, normalise_address
from pregon.deliveries import AHEAD_MARK, read_token
from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL, substitute
from pregon.errors import NoCampaignError, NotFoundError
from pregon.metrics import add_funnels, label_clicks, label_event
from pregon.pipeline.contact_rows import mark_address
from pregon.pipeline.protocols import Channel, Clock, EventReader, EventSource, Storage
from pregon.settings import Settings
from pregon.types import (
    Campaign,
    ChannelName,
    Contact,
    ContactState,
    Delivery,
    DeliveryState,
    EventType,
    Funnel,
    Label,
    MailBody,
    Outcome,
    Outgoing,
    ProviderEvent,
    StoredEvent,
    SuppressionReason,
)

_ENGAGEMENT = (EventType.OPENED, EventType.CLICKED)
_LEFT = (EventType.DELIVERED, EventType.BOUNCED, EventType.DEFERRED)
_SAMPLE_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CampaignFunnels:
    """One campaign's figures: per channel and language, and per channel in all."""

    campaign: Campaign
    rows: tuple[Funnel, ...]

    def total(self, channel: ChannelName) -> Funnel:
        """The sums of one channel over its languages."""
        return add_funnels((row for row in self.rows if row.channel is channel), channel)


class Measuring:
    """Deliveries -> metrics, and the one loop back: events -> suppressions -> audiences."""

    def __init__(
        self,
        store: Storage,
        channels: Mapping[ChannelName, Channel],
        readers: Mapping[str, EventReader],
        settings: Settings,
        clock: Clock,
        *,
        key: bytes,
    ) -> None:
        self._store, self._channels, self._readers = store, channels, readers
        self._settings, self._clock, self._key = settings, clock, key

    # --- receiving

    def receive_events(self, provider: str, headers: Mapping[str, str], body: bytes) -> int:
        """Keep a provider's signed events, each once. Returns how many were new. Raises `SignatureError`."""
        reader = self._readers.get(provider)
        if reader is None:
            raise NotFoundError(f"No webhook is set up for {provider!r}.")
        return self._keep_events(provider, reader(headers, body))

    def fetch_events(self) -> tuple[str, ...]:
        """Take events from the providers that push none, e.g. bounces from a mailbox. Returns what went wrong."""
        sources = [(name, channel) for name, channel in self._channels.items() if isinstance(channel, EventSource)]
        problems = (channel.take_events(partial(self._keep_events, name.value)) for name, channel in sources)
        return tuple(problem for problem in problems if problem)

    def _keep_events(self, provider: str, given: Iterable[ProviderEvent]) -> int:
        events = [self._matched(event) for event in given]
        rows = self._store.read_deliveries(sorted({event.delivery_id for event in events if event.delivery_id}))
        people = self._store.read_contacts(sorted({row.contact_id for row in rows.values() if row.contact_id}))
        forgotten = self._find_forgotten(events, rows)
        known = self._store.known_events({(event.provider, event.key) for event in events})
        self._settle_by(events, rows)
        # Followed before they are kept: what is sent again because this was interrupted is followed again, and what is
        # known already lifts no later word, such as the release of an address.
        for event in events:
            row = rows.get(event.delivery_id or "")
            if (event.provider, event.key) not in known and self._address_of(event, row) not in forgotten:
                self._follow(event, row)
        kept = [self._without_name(event, forgotten, people, rows) for event in events]
        new = [self._labelled(event, rows.get(event.delivery_id or ""), people) for event in kept]
        added = self._store.add_events(new, self._clock())
        self._relabel(provider, list(rows))
        return added

    @staticmethod
    def _address_of(event: ProviderEvent, row: Delivery | None) -> str:
        return normalise_address(event.address or (row.address if row else ""))

    def _find_forgotten(self, events: Iterable[ProviderEvent], rows: Mapping[str, Delivery]) -> set[str]:
        """Which addresses of events are of people who were erased. Who is known by their delivery need not be looked up."""
        followed = (EventType.BOUNCED, EventType.COMPLAINED, EventType.DROPPED, EventType.UNSUBSCRIBED)
        asked = [(event, rows.get(event.delivery_id or "")) for event in events]
        addresses = {self._address_of(*each) for each in asked if each[1] is None or each[0].type in followed} - {""}
        marks = {mark_address(address, self._key): address for address in addresses}
        found = self._store.read_suppressions(list(marks)) if marks else {}
        # A row of an erased person has no address any more.
        return {marks[mark] for mark in found} | {address for address in addresses if "@" not in address}

    def _without_name(
        self, event: ProviderEvent, forgotten: set[str], people: Mapping[int, Contact], rows: Mapping[str, Delivery]
    ) -> ProviderEvent:
        """The event as it may be kept: what the provider said names a person, and some asked to be forgotten."""
        row = rows.get(event.delivery_id or "")
        contact = people.get(row.contact_id or 0) if row else None
        is_erased = contact is not None and "@" not in contact.address
        if is_erased or self._address_of(event, row) in forgotten:
            return replace(event, raw="", url=None)
        return event

    def _matched(self, event: ProviderEvent) -> ProviderEvent:
        if event.delivery_id is None and event.provider_id:
            return replace(event, delivery_id=self._store.delivery_by_provider_id(event.provider_id))
        return event

    @staticmethod
    def _labelled(
        event: ProviderEvent, row: Delivery | None, people: Mapping[int, Contact]
    ) -> tuple[ProviderEvent, Label, str, bool]:
        """Event, label, rule, and whether it counts: tracking obeys today's consent, also for mails of long ago."""
        label, rule = label_event(event)
        if event.type not in _ENGAGEMENT:
            return event, label, rule, row is not None
        contact = people.get(row.contact_id or 0) if row else None
        if contact is None or row is None:
            return event, label, "no-delivery", False
        consent = contact.open_tracking if event.type is EventType.OPENED else contact.click_tracking
        asked = row.track_opens if event.type is EventType.OPENED else row.track_clicks
        if not (may_track(consent) and asked):
            return replace(event, raw="", url=None), label, "no-consent", False
        return event, label, rule, True

    def _follow(self, event: ProviderEvent, row: Delivery | None) -> None:
        """The loop back: what an event says of an address."""
        address, now = self._address_of(event, row), self._clock()
        detail = "the provider reported it"
        if address and event.type is EventType.BOUNCED and event.permanent:
            self._store.add_suppression(address, SuppressionReason.BOUNCED, detail, now)
        if address and event.type is EventType.COMPLAINED:
            self._store.add_suppression(address, SuppressionReason.COMPLAINED, detail, now)
        # Without a delivery it may be about the mails of another program that sends by the same account.
        is_gone = event.type is EventType.UNSUBSCRIBED or event.kept_out is SuppressionReason.UNSUBSCRIBED
        kept_out = SuppressionReason.UNSUBSCRIBED if is_gone else event.kept_out
        if address and kept_out and row is not None:
            if is_gone and row.contact_id is not None:
                self._store.set_contact_state(row.contact_id, ContactState.UNSUBSCRIBED, now, detail)
            self._store.add_suppression(address, kept_out, detail, now)

    def _settle_by(self, events: Iterable[ProviderEvent], rows: Mapping[str, Delivery]) -> None:
        """What is reported of a mail by our id has left, also if it was taken for absent, or stopped as such."""
        found: dict[str, Outcome] = {}
        for event in events:
            row = rows.get(event.delivery_id or "")
            if row is not None and _is_news_of(row, event.type):
                detail = f"the provider reported {event.type} by our id"
                found[row.id] = Outcome(row.id, DeliveryState.SENT, event.provider_id, detail, event.raw)
        if found:
            self._store.record_outcomes([(outcome, None) for outcome in found.values()], "event", self._clock())

    def _relabel(self, provider: str, delivery_ids: list[str]) -> None:
        by_delivery: dict[str, list[StoredEvent]] = {}
        for event in self._store.list_events(delivery_ids):
            by_delivery.setdefault(event.delivery_id or "", []).append(event)
        for events in by_delivery.values():
            clicks = [e for e in events if e.type is EventType.CLICKED and e.counted]
            if not clicks:
                continue
            delivered = min((e.at for e in events if e.type is EventType.DELIVERED), default=None)
            given = {e.key: (e.label, e.rule) for e in clicks}
            labels = label_clicks([(e.key, e.at, e.url or "") for e in clicks], delivered, given)
            changed = {key: value for key, value in labels.items() if value != given[key]}
            self._store.relabel_events(provider, changed)

    # --- the reader's own pages

    def recipient_of(self, token: str) -> Delivery:
        """The delivery that a link of a mail stands for. Raises `SignatureError` or `NotFoundError`."""
        row = self._store.read_delivery(read_token(token, self._key))
        if row is None:
            raise NotFoundError("This mail is no longer known here.")
        return row

    def unsubscribe(self, token: str) -> Delivery:
        """Act on an unsubscribe link: at once, for everything not yet claimed, however often it is repeated."""
        row, now = self.recipient_of(token), self._clock()
        if row.contact_id is not None:
            self._store.set_contact_state(row.contact_id, ContactState.UNSUBSCRIBED, now)
        event = ProviderEvent("desk", f"unsubscribe:{row.id}", EventType.UNSUBSCRIBED, now, row.id, row.address)
        if not self._find_forgotten([event], {row.id: row}):
            address, detail = normalise_address(row.address), "by the link in a mail"
            self._store.add_suppression(address, SuppressionReason.UNSUBSCRIBED, detail, now)
        self._store.add_events([(event, Label.HUMAN, "confirmed-by-post", True)], now)
        return row

    def view_mail(self, token: str) -> str:
        """The HTML of a mail as this recipient got it."""
        row = self.recipient_of(token)
        revision = self._store.read_revision(row.draft_id, row.revision)
        if revision is None or not isinstance(revision.content.body, MailBody):
            raise NotFoundError("This mail is no longer known here.")
        base = self._settings.base_url
        links = {UNSUBSCRIBE_URL: f"{base}/unsubscribe/{token}", VIEW_URL: f"{base}/mail/{token}"}
        return substitute(revision.content.body.html, links)

    # --- measuring

    def measure(self) -> int:
        """Poll the counters of what was sent in the last 30 days. Returns how many samples were added."""
        now, added = self._clock(), 0
        for name, channel in self._channels.items():
            if (self._store.read_pause(name) or "").startswith("credentials"):
                continue  # asking again with the same credentials is a loop, not a measurement
            sent = self._store.sent_deliveries(name, now - _SAMPLE_FOR)
            outgoing = [_sampled(row) for row in sent if row.provider_id]
            samples = channel.sample(outgoing, now) if outgoing else ()
            self._store.add_samples(samples)
            added += len(samples)
        return added

    def forget_old_events(self) -> int:
        """Strip the raw provider data of events past their retention; the counted facts stay. Returns how many."""
        kept = timedelta(days=self._settings.network.event_retention_days)
        return self._store.strip_events(self._clock() - kept)

    def refresh_figures(self) -> int:
        """Count what has changed, so that nobody who opens a page waits for it. Returns how many campaigns."""
        return self._store.refresh_funnels()

    def funnels(self, slug: str | None = None) -> tuple[CampaignFunnels, ...]:
        """The figures of one campaign, or of all, newest first."""
        if slug is not None:
            one = self._store.read_campaign(slug)
            if one is None:
                raise NoCampaignError(f"There is no campaign {slug!r}.")
            return (CampaignFunnels(one, self._store.count_funnels([one.id]).get(one.id, ())),)
        campaigns = self._store.list_campaigns()
        counted = self._store.count_funnels([campaign.id for campaign in campaigns])
        return tuple(CampaignFunnels(c, counted.get(c.id, ())) for c in campaigns)

    def page_funnels(self, limit: int, offset: int) -> tuple[tuple[CampaignFunnels, ...], int]:
        """The figures of some campaigns that have any, newest first; and how many have."""
        found, count = self._store.page_funnels(limit, offset)
        return tuple(CampaignFunnels(campaign, rows) for campaign, rows in found), count

    def totals(self) -> tuple[Funnel, ...]:
        """The sums of every campaign there is, per channel and language."""
        return self._store.total_funnels()


def _is_news_of(row: Delivery, event_type: EventType) -> bool:
    """Whether an event proves that something is out which the ledger does not count as sent.

    That it was accepted says so only of a request whose answer has not come. What is handed over ahead may have been called
    back since, and handed over again: only what has left proves anything of it.
    """
    if event_type is EventType.PROCESSED:
        is_ahead = AHEAD_MARK in (row.claimed_by or "")
        return row.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN) and not is_ahead
    return event_type in _LEFT and row.state not in (DeliveryState.SENT, DeliveryState.FAILED)


def _sampled(row: Delivery) -> Outgoing:
    return Outgoing(row.id, row.position, row.address, provider_id=row.provider_id)
