"""What composing and rendering need besides the item. Values only; whoever calls has read them already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pregon.settings import ForumConfig, Network, Playbook
from pregon.types import ChannelState, Item, Span


@dataclass(frozen=True)
class DraftContext:
    """The network, the playbook of the item's kind and the templates (path below templates/ -> text).

    `campaign` is the campaign's slug, `account` the X account, `accounts` those of further channels,
    `youtube_channel` the channel's name or id.
    `answers` holds what an officer answered to a question, by the question's span: for a placeholder link the
    address it should have, or "-" to leave it as text; for a call its deadline as YYYY-MM-DD, or "-" for none. With `today` given, calls that have ended are found.
    `languages` are those of the campaign's drafts, where they are more than this item's own; `previous` is the version
    of the item that went out, when the drafts correct it. `calendar_id` names its
    events for life, `campaign` unless given; `calendar_sequence` counts the changes of the item's events, `is_cancelled` says that they do not take place.
    `links` maps addresses that were found dead to (error or warning, what was found). `siblings` are the campaign's
    versions of the item in other languages.
    `forum` says what the forum takes, and which category is for which language.
    `youtube_state` is what the YouTube channel has; None: not read, or not readable.
    """

    network: Network
    playbook: Playbook
    templates: Mapping[str, str]
    campaign: str
    account: str = ""
    accounts: Mapping[str, str] = field(default_factory=dict)
    youtube_channel: str = ""
    answers: Mapping[Span, str] = field(default_factory=dict)
    today: date | None = None
    languages: tuple[str, ...] = ()
    previous: Item | None = None
    siblings: tuple[Item, ...] = ()
    calendar_id: str = ""
    calendar_sequence: int = 0
    is_cancelled: bool = False
    links: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    youtube_state: ChannelState | None = None
    forum: ForumConfig | None = None

    def draft_languages(self, item: Item) -> tuple[str, ...]:
        """The languages in which the playbook asks for drafts of this item, in the playbook's order."""
        if self.languages:
            return self.languages
        if self.playbook.languages != "source":
            return self.playbook.languages
        known = self.network.languages
        return (item.language if item.language in known and item.language else known[0],)
