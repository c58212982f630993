"""What a secretariat configures: `config/*.yaml` and the environment, validated once.

Every finding has an id, the file, the key and a hint; all are reported together. Secrets come from the
environment only, so nothing in `config/` needs to be kept from anybody.
"""

from pregon.settings.channels import ChannelConfig, Channels, ForumConfig, SendWindowRule
from pregon.settings.desk import DeskConfig, HookRules, OpenId
from pregon.settings.network import Brand, Network, Partner, ReservePeriod, SenderIdentity, Translation
from pregon.settings.playbooks import (
    PLAYLIST_FACTS,
    ApprovalRule,
    AudienceConfig,
    DigestRule,
    MailRule,
    Playbook,
    PlaylistRule,
    PlaylistTarget,
    PostRule,
    SegmentRule,
    TopicRule,
)
from pregon.settings.reading import load_settings, read_source_secrets
from pregon.settings.settings import Secrets, Settings
from pregon.settings.sources import Polling, SourceConfig

__all__ = [
    "PLAYLIST_FACTS",
    "ApprovalRule",
    "AudienceConfig",
    "Brand",
    "ChannelConfig",
    "Channels",
    "DeskConfig",
    "DigestRule",
    "ForumConfig",
    "HookRules",
    "MailRule",
    "Network",
    "OpenId",
    "Partner",
    "Playbook",
    "PlaylistRule",
    "PlaylistTarget",
    "Polling",
    "PostRule",
    "ReservePeriod",
    "Secrets",
    "SegmentRule",
    "SendWindowRule",
    "SenderIdentity",
    "Settings",
    "SourceConfig",
    "TopicRule",
    "Translation",
    "load_settings",
    "read_source_secrets",
]
