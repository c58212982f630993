"""What one file of the configuration asks of another, and a live channel of the environment."""

from __future__ import annotations

from pregon.errors import Finding
from pregon.settings.channels import ChannelConfig, Channels, ForumConfig
from pregon.settings.network import Network
from pregon.settings.playbooks import Playbook
from pregon.settings.settings import SECRET_FIELDS, Secrets
from pregon.settings.sources import SourceConfig
from pregon.types import ChannelName, Kind

_CREDENTIALS: dict[ChannelName, dict[str, tuple[str, ...]]] = {
    ChannelName.EMAIL: {"sendgrid": ("sendgrid_api_key", "sendgrid_webhook_key"), "smtp": ()},
    ChannelName.X: {"x": ("x_consumer_key", "x_consumer_secret", "x_access_token", "x_access_token_secret")},
    ChannelName.YOUTUBE: {"youtube": ("youtube_client_id", "youtube_client_secret", "youtube_refresh_token")},
    ChannelName.MASTODON: {"mastodon": ("mastodon_token",)},
    ChannelName.BLUESKY: {"bluesky": ("bluesky_password",)},
    ChannelName.DISCOURSE: {"discourse": ("discourse_key",)},
}

# X over OAuth 2. A client secret is needed by confidential clients only.
_OAUTH2 = ("x_client_id", "x_refresh_token")


def _check_smtp(config: ChannelConfig, secrets: Secrets) -> list[Finding]:
    """What a live mail server needs besides what each channel needs."""
    if config.provider != "smtp" or config.mode != "live":
        return []
    wrong: list[tuple[str, str, str]] = []
    if not config.host:
        wrong.append(("host", "a mail server needs its host", "add host: mail.example.org"))
    if not config.return_path:
        hint = "add return_path: bounce@mail.example.org, a mailbox that takes +anything before its @"
        wrong.append(("return_path", "bounces have nowhere to go", hint))
    is_here = config.host in ("127.0.0.1", "::1", "localhost")
    if config.security == "none" and not is_here:
        wrong.append(("security", "mail would leave unencrypted", "use starttls or tls"))
    findings = [Finding("config.smtp", "channels.yaml", f"email.{key}", text, hint) for key, text, hint in wrong]
    if config.bounces and not secrets.smtp_bounces_password:
        variable = SECRET_FIELDS["smtp_bounces_password"]
        text, hint = "the mailbox of bounces has no password", f"set {variable}, or take email.bounces out"
        findings.append(Finding("env.missing-secret", "environment", variable, text, hint))
    return findings


def _check_address(email: ChannelConfig, base_url: str) -> list[Finding]:
    """Every mail has a link to unsubscribe, which mailboxes follow over https only (RFC 8058)."""
    if email.mode != "live" or base_url.startswith("https://"):
        return []
    text = f"readers of live mail cannot unsubscribe at {base_url}"
    hint = "set PREGON_BASE_URL=https://news.example.org, the address at which others reach the desk"
    return [Finding("env.base-url", "environment", "PREGON_BASE_URL", text, hint)]


def _check_handover(channels: Channels) -> list[Finding]:
    """Only SendGrid keeps mails until their time."""
    hint = "take it out, or use provider: sendgrid for email"
    return [
        Finding("config.handover", "channels.yaml", f"{name}.handover_minutes", "only SendGrid keeps mails", hint)
        for name in ChannelName
        if getattr(channels, name.value).handover_minutes and getattr(channels, name.value).provider != "sendgrid"
    ]


def _check_used(channels: Channels, playbooks: dict[Kind, Playbook]) -> list[Finding]:
    """A playbook needs the channels that it names; a server of one's own needs its address."""
    off = {name for name in ChannelName if getattr(channels, name.value).mode == "off"}
    findings = [
        Finding(
            "config.channel-off",
            "playbooks.yaml",
            f"playbooks.{kind}.{name}",
            f"the channel {name} is off",
            f"add {name} with its mode to channels.yaml, or take it out of the playbook",
        )
        for kind, playbook in playbooks.items()
        for name in playbook.channels()
        if name in off
    ]
    if channels.bluesky.mode == "live" and not channels.bluesky.account:
        hint = "add account: name.bsky.social"
        findings.append(Finding("config.no-account", "channels.yaml", "bluesky.account", "nobody is named", hint))
    if channels.mastodon.mode == "live" and not (channels.mastodon.host or "").startswith("https://"):
        hint = "add host: https://social.example.org"
        findings.append(Finding("config.no-host", "channels.yaml", "mastodon.host", "the server is not named", hint))
    return findings + _check_forum(channels.discourse)


def _check_forum(forum: ForumConfig) -> list[Finding]:
    if forum.mode != "live":
        return []
    wrong = []
    if not (forum.host or "").startswith("https://"):
        wrong.append(("no-host", "host", "the forum is not named", "add host: https://forum.example.org"))
    if not forum.account:
        wrong.append(("no-account", "account", "nobody is named", "add account: the forum user that the key writes as"))
    return [Finding(f"config.{id_}", "channels.yaml", f"discourse.{key}", text, hint) for id_, key, text, hint in wrong]


def cross_check(
    network: Network,
    channels: Channels,
    sources: tuple[SourceConfig, ...],
    playbooks: dict[Kind, Playbook],
    secrets: Secrets,
    base_url: str,
) -> list[Finding]:
    """What does not fit together."""
    findings = _check_address(channels.email, base_url)
    known = set(network.languages)
    for kind, playbook in playbooks.items():
        for language in playbook.languages if playbook.languages != "source" else ():
            if language not in known:
                hint = "add it to languages in network.yaml"
                key = f"playbooks.{kind}.languages"
                findings.append(
                    Finding(
                        "config.unknown-language",
                        "playbooks.yaml",
                        key,
                        f"the network does not work in {language!r}",
                        hint,
                    )
                )
    for source in sources:
        if source.language is not None and source.language not in known:
            hint = "add it to languages in network.yaml"
            findings.append(
                Finding(
                    "config.unknown-language",
                    "sources.yaml",
                    source.id,
                    f"the network does not work in {source.language!r}",
                    hint,
                )
            )
    if network.translation.provider == "deepl" and not secrets.translation_key:
        variable, hint = SECRET_FIELDS["translation_key"], "set PREGON_TRANSLATION_KEY, or provider: none"
        findings.append(Finding("env.missing-secret", "environment", variable, "DeepL asks for a key", hint))
    findings += _check_smtp(channels.email, secrets)
    findings += _check_handover(channels)
    findings += _check_used(channels, playbooks)
    for name, providers in _CREDENTIALS.items():
        channel: ChannelConfig = getattr(channels, name.value)
        if channel.provider not in providers:
            hint = f"use one of {', '.join(providers)}"
            findings.append(
                Finding(
                    "config.unknown-provider",
                    "channels.yaml",
                    f"{name}.provider",
                    f"there is no provider {channel.provider!r}",
                    hint,
                )
            )
        elif channel.mode == "live":
            for secret in _OAUTH2 if channel.auth == "oauth2" else providers[channel.provider]:
                if not getattr(secrets, secret):
                    variable = SECRET_FIELDS[secret]
                    hint = f"set {variable}, or mode: sandbox"
                    findings.append(
                        Finding(
                            "env.missing-secret", "environment", variable, f"{name} is live and has no credential", hint
                        )
                    )
    return findings
