"""What is proposed to an officer, what it renders to, and what was found about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pregon.types.contacts import Rule
from pregon.types.items import Span


class ChannelName(StrEnum):
    """A way out."""

    EMAIL = "email"
    X = "x"
    YOUTUBE = "youtube"
    MASTODON = "mastodon"
    BLUESKY = "bluesky"
    DISCOURSE = "discourse"


class DraftState(StrEnum):
    """Where a draft stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    NEEDS_CHANGES = "needs_changes"
    APPROVED = "approved"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mail is from."""

    name: str
    address: str
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a mail addresses: on any of `lists`, reading any of `languages`, and within the segment's `rule`.

    Without lists the rule alone selects; without either nobody is selected.
    """

    name: str
    lists: tuple[str, ...]
    languages: tuple[str, ...]
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """A picture in a post, by content. `alt_text` at most 1,000 characters (X)."""

    name: str
    media_type: str
    data: bytes
    alt_text: str


@dataclass(frozen=True, slots=True)
class MailSection:
    """A heading ("" for none) and its paragraphs, as the officer edits them.

    A paragraph that starts with "- " is a list entry, one with "> " a quotation; `[text](address)` is a link.
    """

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MailFields:
    """What an officer edits of a newsletter: fields, not HTML. An empty button_url leaves the button out.

    `eyebrow` stands above the title ("Circular 46"), `dateline` below it; `call` is the text beside the button;
    `facts` are (label, value) and `links` (label, address) pairs; `closing` is signed line by line; `notice` is
    what must be carried along, e.g. who paid; `calendar` is the iCalendar text of the item's events ("" for none).
    `translated_by` names the translator of a text that nobody has confirmed yet. `audience` is whom an officer chose
    instead of the playbook's; its languages are empty, since they follow the draft.
    """

    subject: str
    preheader: str
    title: str
    lead: str
    sections: tuple[MailSection, ...]
    button_label: str = ""
    button_url: str = ""
    closing: str = ""
    eyebrow: str = ""
    dateline: str = ""
    salutation: str = ""
    call: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    notice: str = ""
    calendar: str = ""
    translated_by: str = ""
    audience: Audience | None = None


@dataclass(frozen=True, slots=True)
class PostFields:
    """What an officer edits of a post or thread: the parts in order, and for each the pictures that a person attached.

    `media` stands beside `parts`; parts beyond its end have no picture. `translated_by` as in `MailFields`.
    """

    parts: tuple[str, ...]
    media: tuple[tuple[Media, ...], ...] = ()
    translated_by: str = ""


@dataclass(frozen=True, slots=True)
class PlaylistText:
    """What a playlist is called in one language."""

    language: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """One copy of a video in a playlist. `position` counts from 0."""

    item_id: str
    video_id: str
    position: int


@dataclass(frozen=True, slots=True)
class PlaylistState:
    """A playlist as the channel has it. `size` counts all of its items; `items` are those of the videos asked for."""

    id: str
    title: str
    description: str = ""
    language: str = ""
    size: int = 0
    items: tuple[PlaylistEntry, ...] = ()
    localizations: tuple[PlaylistText, ...] = ()


@dataclass(frozen=True, slots=True)
class VideoState:
    """A video as YouTube has it. `has_captions` None: not said."""

    id: str
    title: str = ""
    has_captions: bool | None = None


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A YouTube channel as it was read: every playlist of its own, and the videos asked for that exist."""

    playlists: tuple[PlaylistState, ...] = ()
    videos: tuple[VideoState, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaylistOperation:
    """One change to a channel.

    `op` is create, retitle (a playlist), add, move or remove (a video). An empty `playlist_id` stands for the
    playlist called `playlist_title` that an operation before this one creates. `position` counts from 0; None is
    wherever YouTube puts it. `item_id` is the copy that moves or goes. For create and retitle `playlist_title`,
    `description`, `language` and `localizations` are what shall be; `earlier_title` is what retitle replaces.
    """

    op: str
    playlist_id: str
    playlist_title: str
    video_id: str = ""
    video_title: str = ""
    position: int | None = None
    item_id: str = ""
    description: str = ""
    language: str = ""
    localizations: tuple[PlaylistText, ...] = ()
    privacy: str = ""
    earlier_title: str = ""


@dataclass(frozen=True, slots=True)
class PlaylistFields:
    """What an officer edits of a playlist plan: which operations stay. `reason` says why there are none."""

    operations: tuple[PlaylistOperation, ...]
    reason: str = ""


Fields = MailFields | PostFields | PlaylistFields


@dataclass(frozen=True, slots=True)
class MailBody:
    """A compiled mail. Per-recipient values stand in it as the tokens of `drafts.tokens`, once per mail, never recompiled."""

    subject: str
    preheader: str
    html: str
    text: str
    mjml: str
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class PostPart:
    """One post of a thread. `weighted_length` by the published rules of its channel (X: 280 at most)."""

    text: str
    weighted_length: int
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadBody:
    """The posts in order, and what they cost at X's published prices.

    `reply_fallback`: when X refuses replies, the thread ends as the posts that are out instead of waiting for a person.
    """

    parts: tuple[PostPart, ...]
    cost_usd: float
    reply_fallback: bool = False


@dataclass(frozen=True, slots=True)
class TopicBody(ThreadBody):
    """A forum topic: one part, whose first line is the title. `category` is the forum's own number, 0 for none."""

    category: int = 0
    tags: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The first line of the part; "" without a part."""
        return self.parts[0].text.strip().partition("\n")[0].strip() if self.parts else ""

    @property
    def text(self) -> str:
        """What stands below the title, in Markdown."""
        return self.parts[0].text.strip().partition("\n")[2].strip() if self.parts else ""


@dataclass(frozen=True, slots=True)
class PlaylistBody:
    """The playlist changes in order; with none, `reason` says why."""

    operations: tuple[PlaylistOperation, ...]
    reason: str = ""


Body = MailBody | ThreadBody | TopicBody | PlaylistBody


@dataclass(frozen=True, slots=True)
class Content:
    """All that a reader or a provider will get, and who gets it: what the digest covers."""

    channel: ChannelName
    language: str | None
    campaign: str
    body: Body
    audience: Audience | None = None
    sender: Sender | None = None
    account: str | None = None
    send_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A finding about a draft before a person looks. `level` is error or warning; errors stop approval."""

    id: str
    level: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a fact of a draft comes from: a span of the source, or (span None) the configuration key that holds it."""

    text: str
    span: Span | None
    origin: str = "source"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One draft as composed or as edited: the fields, what they render to, and what was found about it."""

    channel: ChannelName
    language: str | None
    fields: Fields
    content: Content
    digest: str
    checks: tuple[Check, ...]
    trace: tuple[Trace, ...]
