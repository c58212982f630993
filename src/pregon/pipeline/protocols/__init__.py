"""What the use cases need from the world, as the use cases want it. Storage, sources and channels fit themselves to this."""

from __future__ import annotations

from typing import Protocol

from pregon.pipeline.protocols.campaigns import (
    CampaignStore,
    DayStore,
    DraftStore,
    InboxStore,
    ItemStore,
    LinkStore,
    SubscriptionStore,
)
from pregon.pipeline.protocols.deliveries import (
    BatchStore,
    DeliveryStore,
    DeskStore,
    LedgerStore,
    MetricStore,
    PlanStore,
)
from pregon.pipeline.protocols.people import ContactStore, HookStore, NoticeStore, PeopleStore, SessionStore
from pregon.pipeline.protocols.world import (
    AccountReader,
    AddressKeeper,
    BatchKeeper,
    Channel,
    ChannelReader,
    Clock,
    EventReader,
    EventSource,
    LinkAsker,
    MailTrier,
    Poller,
    TemplateReader,
    Translator,
)

__all__ = [
    "AccountReader",
    "AddressKeeper",
    "BatchKeeper",
    "BatchStore",
    "CampaignStore",
    "Channel",
    "ChannelReader",
    "Clock",
    "ContactStore",
    "DayStore",
    "DeliveryStore",
    "DeskStore",
    "DraftStore",
    "EventReader",
    "EventSource",
    "HookStore",
    "InboxStore",
    "ItemStore",
    "LedgerStore",
    "LinkAsker",
    "LinkStore",
    "MailTrier",
    "MetricStore",
    "NoticeStore",
    "PeopleStore",
    "PlanStore",
    "Poller",
    "SessionStore",
    "Storage",
    "SubscriptionStore",
    "TemplateReader",
    "Translator",
]


class Storage(
    ItemStore,
    CampaignStore,
    DraftStore,
    InboxStore,
    PlanStore,
    DeliveryStore,
    BatchStore,
    LedgerStore,
    DayStore,
    DeskStore,
    MetricStore,
    SubscriptionStore,
    LinkStore,
    ContactStore,
    NoticeStore,
    PeopleStore,
    SessionStore,
    HookStore,
    Protocol,
):
    """All of it."""

    def close(self) -> None: ...
