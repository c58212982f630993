"""Each way out, live or speaking to its stand-in. Providers are imported when they are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.bootstrap.key import read_key
from pregon.errors import SignatureError
from pregon.settings import Settings
from pregon.types import ChannelName, ProviderEvent

if TYPE_CHECKING:
    from pregon.channels.x import UserTokens
    from pregon.pipeline import Channel
    from pregon.pipeline.protocols import ChannelReader
    from pregon.sandbox import Sandbox
    from pregon.storage.sealing import Accounts


def build_channel_reader(
    channels: Mapping[ChannelName, Channel], clock: Callable[[], datetime]
) -> ChannelReader | None:
    """Reads what the YouTube channel has, kept for some minutes; None where there is no such channel."""
    from pregon.channels.youtube import CachedReader, YouTubeChannel

    channel = channels.get(ChannelName.YOUTUBE)
    return CachedReader(channel.read_state, clock) if isinstance(channel, YouTubeChannel) else None


def build_channel(
    name: ChannelName,
    settings: Settings,
    sandbox: Sandbox | None,
    clock: Callable[[], datetime],
    accounts: Accounts,
) -> Channel:
    """One way out, as its configuration says. Raises `ValueError` in sandbox mode without the sandbox."""
    config, secret = settings.channel(name), settings.secrets
    if config.mode == "sandbox" and sandbox is None:
        raise ValueError("a channel in sandbox mode needs the sandbox")
    if config.provider == "smtp":
        return _build_smtp(settings, sandbox if config.mode == "sandbox" else None, clock, accounts)
    small = {
        ChannelName.MASTODON: _build_mastodon,
        ChannelName.BLUESKY: _build_bluesky,
        ChannelName.DISCOURSE: _build_forum,
    }
    if name in small:
        return small[name](settings, sandbox if config.mode == "sandbox" else None, clock)
    if config.mode == "sandbox" and sandbox:
        return _build_sandboxed(name, settings, sandbox, clock, accounts)
    if name is ChannelName.EMAIL:
        from pregon.channels.sendgrid import DEFAULT_HOST, SendGridChannel

        return SendGridChannel(
            secret.sendgrid_api_key,
            host=config.host or DEFAULT_HOST,
            timeout=config.timeout_seconds,
            batch_size=config.batch_size,
            clock=clock,
        )
    if name is ChannelName.X:
        from pregon.channels.x import UserTokens, XChannel

        keys = (secret.x_consumer_key, secret.x_consumer_secret, secret.x_access_token, secret.x_access_token_secret)
        tokens = None
        if config.auth == "oauth2":
            client = (secret.x_client_id, secret.x_client_secret, secret.x_refresh_token)
            tokens = UserTokens(*client, accounts.keeper("x"), timeout=config.timeout_seconds, clock=clock)
        return XChannel(*keys, tokens=tokens, timeout=config.timeout_seconds, clock=clock)
    from pregon.channels.youtube import YouTubeChannel

    ids = (secret.youtube_client_id, secret.youtube_client_secret, secret.youtube_refresh_token)
    quota, spend = settings.youtube_units(), accounts.spend(name)
    return YouTubeChannel(*ids, timeout=config.timeout_seconds, clock=clock, daily_quota=quota, spend=spend)


def _build_bluesky(settings: Settings, sandbox: Sandbox | None, clock: Callable[[], datetime]) -> Channel:
    from pregon.channels.bluesky import DEFAULT_HOST, BlueskyChannel
    from pregon.sandbox import accounts

    config = settings.channels.bluesky
    entry = (config.account, settings.secrets.bluesky_password, config.host or DEFAULT_HOST)
    if sandbox:
        entry = (accounts.BLUESKY_HANDLE, accounts.BLUESKY_PASSWORD, sandbox.bluesky_url)
    return BlueskyChannel(*entry, timeout=config.timeout_seconds, clock=clock)


def _build_forum(settings: Settings, sandbox: Sandbox | None, clock: Callable[[], datetime]) -> Channel:
    from pregon.channels.discourse import DiscourseChannel
    from pregon.sandbox import accounts

    config = settings.channels.discourse
    entry = (settings.secrets.discourse_key, config.account, config.host or "")
    if sandbox:
        entry = (accounts.DISCOURSE_KEY, accounts.DISCOURSE_USER, sandbox.discourse_url)
    return DiscourseChannel(*entry, timeout=config.timeout_seconds, clock=clock)


def _build_mastodon(settings: Settings, sandbox: Sandbox | None, clock: Callable[[], datetime]) -> Channel:
    from pregon.channels.mastodon import MastodonChannel
    from pregon.sandbox import accounts

    config = settings.channels.mastodon
    token, host = settings.secrets.mastodon_token, config.host or ""
    if sandbox:
        token, host = accounts.MASTODON_TOKEN, sandbox.mastodon_url
    return MastodonChannel(token, host, timeout=config.timeout_seconds, clock=clock)


def _build_smtp(
    settings: Settings, sandbox: Sandbox | None, clock: Callable[[], datetime], accounts: Accounts
) -> Channel:
    from pregon.channels.smtp import SmtpChannel

    config, secret = settings.channels.email, settings.secrets
    server = {"host": config.host or "", "port": config.port, "security": config.security}
    entry = {"user": secret.smtp_user, "password": secret.smtp_password, "bounces": config.bounces}
    if sandbox:
        server, entry = {"host": "127.0.0.1", "port": sandbox.smtp_port, "security": "none"}, {}
    shared: dict[str, Any] = {**server, **entry}
    return SmtpChannel(
        **shared,
        return_path=config.return_path or "bounce@sandbox.example",
        key=read_key(settings),
        connections=config.connections,
        batch_size=config.batch_size,
        timeout=config.timeout_seconds,
        bounces_password=secret.smtp_bounces_password,
        place=accounts.keeper("smtp-bounces"),
        clock=clock,
    )


def _build_sandboxed(
    name: ChannelName,
    settings: Settings,
    sandbox: Sandbox,
    clock: Callable[[], datetime],
    kept: Accounts,
) -> Channel:
    from pregon.sandbox import accounts

    config = settings.channel(name)
    if name is ChannelName.EMAIL:
        from pregon.channels.sendgrid import SendGridChannel

        return SendGridChannel(
            accounts.SENDGRID_API_KEY,
            host=sandbox.sendgrid_url,
            timeout=config.timeout_seconds,
            batch_size=config.batch_size,
            clock=clock,
        )
    if name is ChannelName.X:
        from pregon.channels.x import XChannel

        return XChannel(
            accounts.X_CONSUMER_KEY,
            accounts.X_CONSUMER_SECRET,
            accounts.X_ACCESS_TOKEN,
            accounts.X_ACCESS_TOKEN_SECRET,
            tokens=_sandbox_tokens(sandbox, kept, config.timeout_seconds, clock) if config.auth == "oauth2" else None,
            base_url=sandbox.x_url,
            timeout=config.timeout_seconds,
            clock=clock,
        )
    from pregon.channels.youtube import YouTubeChannel

    return YouTubeChannel(
        accounts.YOUTUBE_CLIENT_ID,
        accounts.YOUTUBE_CLIENT_SECRET,
        accounts.YOUTUBE_REFRESH_TOKEN,
        base_url=sandbox.youtube_url,
        token_uri=sandbox.token_uri,
        timeout=config.timeout_seconds,
        clock=clock,
        daily_quota=settings.youtube_units(),
        spend=kept.spend(name),
    )


def _sandbox_tokens(sandbox: Sandbox, kept: Accounts, timeout: float, clock: Callable[[], datetime]) -> UserTokens:
    from pregon.channels.x import UserTokens
    from pregon.sandbox import accounts

    client = (accounts.X_CLIENT_ID, accounts.X_CLIENT_SECRET, accounts.X_REFRESH_TOKEN)
    keeper = kept.keeper("x-sandbox")
    return UserTokens(*client, keeper, timeout=timeout, clock=clock, base_url=sandbox.x_url)


def build_event_reader(
    settings: Settings, sandbox: Sandbox | None
) -> Callable[[Mapping[str, str], bytes], tuple[ProviderEvent, ...]]:
    """Reads the signed batches of events that SendGrid or its stand-in pushes."""
    from pregon.channels.sendgrid import parse_events, verify_signature

    sandboxed = settings.channels.email.mode == "sandbox" and sandbox is not None
    key = sandbox.webhook_key if sandboxed and sandbox else settings.secrets.sendgrid_webhook_key

    def read(headers: Mapping[str, str], body: bytes) -> tuple[ProviderEvent, ...]:
        lower = {name.lower(): value for name, value in headers.items()}
        signature = lower.get("x-twilio-email-event-webhook-signature", "")
        timestamp = lower.get("x-twilio-email-event-webhook-timestamp", "")
        if not signature or not timestamp:
            raise SignatureError("The events are not signed.")
        verify_signature(key, body, signature, timestamp)
        return parse_events(body)

    return read
