"""The standing rule for each kind of item, and the segments they address: `playbooks.yaml`."""

from __future__ import annotations

from string import Formatter
from typing import Any, Literal

from pydantic import Field, model_validator

from pregon.settings.part import Part, PerLanguage
from pregon.types import ChannelName, Rule

PLAYLIST_FACTS = frozenset({"axis", "year"})


class SegmentRule(Part):
    """A rule that selects contacts: every part that is given must hold. See `pregon.types.Rule`."""

    lists: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    all: tuple[SegmentRule, ...] = ()
    any: tuple[SegmentRule, ...] = ()
    none: tuple[SegmentRule, ...] = Field(default=(), alias="not")

    def as_rule(self) -> Rule:
        """The same as a noun of the pipeline."""
        names = ("lists", "languages", "countries", "cities", "organisations")
        values = {name: getattr(self, name) for name in names}
        parts = {name: tuple(part.as_rule() for part in getattr(self, name)) for name in ("all", "any", "none")}
        return Rule(**values, **parts)


class AudienceConfig(Part):
    """Whom a newsletter addresses: who is on any of the lists, and within the segment when one is named."""

    name: str
    lists: tuple[str, ...] = ()
    segment: str = ""
    rule: SegmentRule | None = None

    @model_validator(mode="after")
    def _addresses_somebody(self) -> AudienceConfig:
        if not (self.lists or self.segment or self.rule):
            raise ValueError("name the lists, or a segment")
        if self.segment and self.rule:
            raise ValueError("name a segment or write a rule, not both")
        return self


class MailRule(Part):
    """How an item of this kind becomes a newsletter."""

    template: str = "circular"
    audience: AudienceConfig


class PostRule(Part):
    """How an item of this kind becomes a post or thread."""

    template: str = "circular"
    max_parts: int = Field(default=4, ge=1, le=25)
    reply_fallback: bool = False


class TopicRule(Part):
    """A topic on the forum: its tags, and categories other than those of channels.yaml, by language."""

    tags: tuple[str, ...] = Field(default=(), max_length=5)
    categories: dict[str, int] = {}


class PlaylistTarget(Part):
    """One playlist: the one with this `id`, else the one called `title`, created when the channel has none so called.

    Texts may say `{axis}` and `{year}`, which stand for what the item states. With `id` and a text, the playlist is
    retitled when it is called otherwise. `titles` and `descriptions` are its texts in further languages.
    """

    id: str = ""
    title: str = Field(default="", max_length=150)
    description: str = Field(default="", max_length=5000)
    titles: PerLanguage = {}
    descriptions: PerLanguage = {}
    position: Literal["first", "last"] | None = None
    privacy: Literal["public", "unlisted", "private"] = "public"

    @model_validator(mode="before")
    @classmethod
    def _id_alone(cls, value: Any) -> Any:
        return {"id": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _findable(self) -> PlaylistTarget:
        if not self.id and not self.title:
            raise ValueError("a playlist needs an id or a title")
        for text in (self.title, self.description, *self.titles.values(), *self.descriptions.values()):
            unknown = {name for _, name, _, _ in Formatter().parse(text) if name is not None} - PLAYLIST_FACTS
            if unknown:
                raise ValueError(f"{{{sorted(unknown)[0]}}} is not a fact of an item; use {{axis}} or {{year}}")
        return self


class PlaylistRule(Part):
    """Which playlist takes the videos of such an item: per language, and for an axis instead of that.

    `exclusive`: a video leaves the rule's other playlists when it enters its own.
    """

    playlists: dict[str, PlaylistTarget]
    axes: dict[str, dict[str, PlaylistTarget]] = {}
    exclusive: bool = False


class ApprovalRule(Part):
    """Who has to say yes: how many different persons, and whether the one who wrote the revision may be among them."""

    persons: int = Field(default=1, ge=1, le=5)
    not_last_editor: bool = False


class Playbook(Part):
    """The standing rule for one kind of item. `languages` source: only the item's own language."""

    languages: Literal["source"] | tuple[str, ...] = "source"
    email: MailRule | None = None
    x: PostRule | None = None
    mastodon: PostRule | None = None
    bluesky: PostRule | None = None
    discourse: TopicRule | None = None
    youtube: PlaylistRule | None = None
    approval: ApprovalRule = ApprovalRule()
    active: bool = True

    def channels(self) -> tuple[ChannelName, ...]:
        """The channels that this playbook asks for, in the order people read them."""
        return tuple(name for name in ChannelName if getattr(self, name.value) is not None)


class DigestRule(Part):
    """One newsletter about what was announced in a week or a month, where there is enough of it in a language."""

    every: Literal["week", "month"] = "week"
    minimum: int = Field(default=3, ge=2)
    email: MailRule
    approval: ApprovalRule = ApprovalRule()
