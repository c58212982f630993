"""All settings together, and the secrets that only the environment holds."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from pregon.settings.channels import ChannelConfig, Channels
from pregon.settings.desk import DeskConfig
from pregon.settings.network import Network
from pregon.settings.part import Part
from pregon.settings.playbooks import DigestRule, Playbook, SegmentRule
from pregon.settings.sources import Polling, SourceConfig
from pregon.types import ChannelName, Kind

# The default allocation of a project (YouTube Data API, quota usage).
_YOUTUBE_UNITS = 10_000


class Secrets(Part):
    """What only the environment holds. Empty strings: not given."""

    sendgrid_api_key: str = ""
    sendgrid_webhook_key: str = ""
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_bounces_password: str = ""
    x_consumer_key: str = ""
    x_consumer_secret: str = ""
    x_access_token: str = ""
    x_access_token_secret: str = ""
    x_client_id: str = ""
    x_client_secret: str = ""
    x_refresh_token: str = ""
    youtube_client_id: str = ""
    youtube_client_secret: str = ""
    youtube_refresh_token: str = ""
    mastodon_token: str = ""
    bluesky_password: str = ""
    discourse_key: str = ""
    translation_key: str = ""
    openid_secret: str = ""


SECRET_FIELDS = {name: f"PREGON_{name.upper()}" for name in Secrets.model_fields}


class Settings(Part):
    """Everything, validated. `home` is where the database, the inbox and the logs live."""

    root: Path
    home: Path
    database_url: str
    base_url: str
    host: str = "127.0.0.1"
    port: int = 8321
    secret_key: str = ""
    network: Network
    sources: tuple[SourceConfig, ...]
    polling: Polling = Polling()
    playbooks: dict[Kind, Playbook]
    segments: dict[str, SegmentRule] = {}
    channels: Channels
    digest: DigestRule | None = None
    desk: DeskConfig = DeskConfig()
    secrets: Secrets = Field(default=Secrets(), repr=False)
    source_secrets: dict[str, str] = Field(default={}, repr=False)

    def sandboxed(self) -> bool:
        """Whether nothing at all can leave this machine."""
        return all(self.channel(name).mode != "live" for name in ChannelName)

    def channel(self, name: ChannelName) -> ChannelConfig:
        """The configuration of one way out."""
        value: ChannelConfig = getattr(self.channels, name.value)
        return value

    def youtube_units(self) -> int:
        """The units that YouTube lets this project use in a day: what is configured, else what YouTube gives everybody."""
        return self.channels.youtube.daily_quota or _YOUTUBE_UNITS

    def daily_quota(self, name: ChannelName) -> int | None:
        """What may go out or be asked by a way out in a day, in its provider's units; None without a limit."""
        return self.youtube_units() if name is ChannelName.YOUTUBE else self.channel(name).daily_quota
