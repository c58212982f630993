"""The use cases: watch, draft, review, deliver, receive, measure. Declares the Protocols that it needs of the world."""

from __future__ import annotations

from dataclasses import dataclass

from pregon.pipeline.calendar import Calendar, CalendarDay, CalendarMonth
from pregon.pipeline.composing import Composing
from pregon.pipeline.contacts import Contacts, ContactView
from pregon.pipeline.delivering import Delivering, DeliverResult
from pregon.pipeline.digesting import Digesting, DigestResult
from pregon.pipeline.drafting import Drafting
from pregon.pipeline.duties import Duties
from pregon.pipeline.facts import EVENTS, Facts
from pregon.pipeline.handing import build_calling_back
from pregon.pipeline.importing import ImportResult
from pregon.pipeline.inbox import Inbox, InboxPage, InboxRow
from pregon.pipeline.linking import Linking
from pregon.pipeline.material import Material, Materials
from pregon.pipeline.measuring import CampaignFunnels, Measuring
from pregon.pipeline.noticing import Noticing
from pregon.pipeline.notifying import HookView, Notifying
from pregon.pipeline.people import People, Session
from pregon.pipeline.planning import Planning
from pregon.pipeline.protocols import Channel, Clock, EventReader, Poller, Storage, Translator
from pregon.pipeline.receiving import PushResult, Receiving
from pregon.pipeline.reporting import FEWEST_PEOPLE, Report, Reporting
from pregon.pipeline.reviewing import Reviewing
from pregon.pipeline.signups import Signups
from pregon.pipeline.sources import SourceLine, Sources
from pregon.pipeline.stopping import GoingOut, Stopping
from pregon.pipeline.subscribing import SubscribeResult, Subscribing
from pregon.pipeline.translating import Translating
from pregon.pipeline.trying import Trying
from pregon.pipeline.views import AudienceChoice, CampaignRow, CampaignView, DraftView, SourceView
from pregon.pipeline.watching import Watching, WatchResult
from pregon.settings import Settings

__all__ = [
    "EVENTS",
    "FEWEST_PEOPLE",
    "AudienceChoice",
    "Calendar",
    "CalendarDay",
    "CalendarMonth",
    "CampaignFunnels",
    "CampaignRow",
    "CampaignView",
    "Channel",
    "Clock",
    "Composing",
    "ContactView",
    "Contacts",
    "DeliverResult",
    "Delivering",
    "DigestResult",
    "Digesting",
    "DraftView",
    "Drafting",
    "Duties",
    "EventReader",
    "Facts",
    "GoingOut",
    "HookView",
    "ImportResult",
    "Inbox",
    "InboxPage",
    "InboxRow",
    "Linking",
    "Material",
    "Materials",
    "Measuring",
    "Noticing",
    "Notifying",
    "People",
    "Pipeline",
    "Planning",
    "Poller",
    "PushResult",
    "Receiving",
    "Report",
    "Reporting",
    "Reviewing",
    "Session",
    "Signups",
    "SourceLine",
    "SourceView",
    "Sources",
    "Stopping",
    "Storage",
    "SubscribeResult",
    "Subscribing",
    "Translating",
    "Translator",
    "Trying",
    "WatchResult",
    "Watching",
    "build_calling_back",
]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Every use case, wired."""

    settings: Settings
    store: Storage
    composing: Composing
    watching: Watching
    sources: Sources
    subscribing: Subscribing
    receiving: Receiving
    linking: Linking
    drafting: Drafting
    digesting: Digesting
    reviewing: Reviewing
    stopping: Stopping
    trying: Trying
    inbox: Inbox
    calendar: Calendar
    delivering: Delivering
    measuring: Measuring
    reporting: Reporting
    people: People
    contacts: Contacts
    signups: Signups
    noticing: Noticing
    notifying: Notifying
    duties: Duties
