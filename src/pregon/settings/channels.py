"""Each way out: `channels.yaml`."""

from __future__ import annotations

from datetime import time
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pregon.settings.part import Part
from pregon.types import SendWindow

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class SendWindowRule(Part):
    """On which days and between which hours a channel sends; what falls due outside waits for the next opening.

    `zone: recipient` means the time zone of each reader's country, for mail.
    """

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ("mon", "tue", "wed", "thu", "fri")
    opens: time = Field(default=time(8), alias="from")
    closes: time = Field(default=time(19), alias="to")
    zone: Literal["network", "recipient"] = "network"

    @field_validator("opens", "closes", mode="before")
    @classmethod
    def _hours(cls, value: Any) -> Any:
        # YAML 1.1 reads 19:00 without quotes as the number 1140.
        return f"{value // 60:02}:{value % 60:02}" if isinstance(value, int) and 0 <= value < 1440 else value

    @model_validator(mode="after")
    def _opens_once_a_day(self) -> SendWindowRule:
        if not self.days:
            raise ValueError("a send window needs at least one day")
        if self.opens >= self.closes:
            raise ValueError("a send window opens before it closes, on the same day")
        return self

    def window(self) -> SendWindow:
        """The rule as the stages know it."""
        days = frozenset(_WEEK.index(day) for day in self.days)
        return SendWindow(days, self.opens, self.closes, self.zone == "recipient")


class ChannelConfig(Part):
    """One way out. In sandbox mode the channel speaks to the stand-in on this machine and to nothing else; off, not at all.

    `auth` is for X: its OAuth 1.0a keys, or OAuth 2 with a refresh token. `daily_quota` is in the provider's own
    units, for YouTube 10,000 where nothing is said; for mail it is mails a day (UTC), beside `mails_per_minute`. `in_flight` requests of `batch_size` mails are on their way to SendGrid
    at once; with `handover_minutes` it is handed mails that long ahead and keeps them until their time. For SMTP: `port` (587, for tls 465), `security`, `connections`
    at a time, `return_path` the mailbox that bounces come to and `bounces` where it is read (imaps://USER@HOST/FOLDER).
    """

    provider: str
    mode: Literal["sandbox", "live", "off"] = "sandbox"
    account: str = ""
    timeout_seconds: float = Field(default=10, gt=0, le=120)
    batch_size: int = Field(default=1000, ge=1, le=1000)
    in_flight: int = Field(default=4, ge=1, le=32)
    max_attempts: int = Field(default=5, ge=1)
    settle_hours: float = Field(default=24, gt=0)
    host: str | None = None
    auth: Literal["oauth1", "oauth2"] = "oauth1"
    daily_quota: int | None = Field(default=None, ge=1)
    mails_per_minute: int | None = Field(default=None, ge=1)
    handover_minutes: int = Field(default=0, ge=0, le=4320)
    send_window: SendWindowRule | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    connections: int = Field(default=4, ge=1, le=50)
    return_path: str = Field(default="", pattern=r"^$|^[A-Za-z0-9._-]{1,16}@[A-Za-z0-9.-]+$")
    bounces: str = Field(default="", pattern=r"^$|^imaps?://[^/@]+@[^/@]+")

    @field_validator("handover_minutes")
    @classmethod
    def _long_enough(cls, value: int) -> int:
        if 0 < value < 20:
            raise ValueError("mails are handed over at least 20 minutes ahead; 0 hands over nothing ahead")
        return value


class ForumConfig(ChannelConfig):
    """A Discourse forum: `account` writes there, `categories` says the number of the category of each language.

    The lengths are Discourse's own settings min_ and max_topic_title_length, min_first_post_length, max_post_length;
    they stand here so that a draft that the forum would refuse is an error before it is approved.
    """

    categories: dict[str, int] = {}
    title_min: int = Field(default=15, ge=1)
    title_max: int = Field(default=255, ge=5, le=255)
    body_min: int = Field(default=20, ge=1)
    body_max: int = Field(default=32_000, ge=1, le=32_000)


class Channels(Part):
    """Every way out, and the age beyond which work that was due is held instead of sent."""

    email: ChannelConfig
    x: ChannelConfig
    youtube: ChannelConfig
    mastodon: ChannelConfig = ChannelConfig(provider="mastodon", mode="off")
    bluesky: ChannelConfig = ChannelConfig(provider="bluesky", mode="off")
    discourse: ForumConfig = ForumConfig(provider="discourse", mode="off")
    hold_after_hours: float = Field(default=48, gt=0)
