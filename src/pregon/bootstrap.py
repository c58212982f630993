"""The one place that wires settings + storage + sources + channels into a pipeline. The clock and the environment enter here."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pregon.errors import DocumentError, SignatureError, SourceError
from pregon.items import load_document
from pregon.pipeline import Composing, Pipeline, Translating
from pregon.settings import Settings, SourceConfig, load_settings
from pregon.source_rules import host_of, youtube_feed
from pregon.types import ChannelName, Document, Poll, ProviderEvent, SourceKind, SourceState

if TYPE_CHECKING:
    from pregon.channels.x import UserTokens
    from pregon.pipeline import Channel, EventReader, Translator
    from pregon.pipeline.notifying import Poster
    from pregon.pipeline.protocols import ChannelReader, Poller
    from pregon.sandbox import Sandbox
    from pregon.sources.pace import HostPace
    from pregon.storage.sealing import Accounts

_MOST_BYTES = 20 * 1024 * 1024


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def open_document(where: str) -> Document:
    """Read a file or an http(s) address into a document. Raises `DocumentError`."""
    if where.startswith(("http://", "https://")):
        return _fetch_document(where)
    path = Path(where)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DocumentError(f"{where} is larger than 20 MB; save the text alone and read that.")
        return load_document(path.read_bytes(), name=path.name, origin=str(path))
    except FileNotFoundError as error:
        raise DocumentError(f"There is no file {where}; check the path.") from error
    except OSError as error:
        raise DocumentError(f"{where} cannot be read ({error.strerror}); check its permissions.") from error


def _fetch_document(address: str) -> Document:
    from pregon.sources.fetch import fetch

    try:
        # Who types an address on their own machine may well mean their own network.
        answer = fetch(address, {}, now=now(), timeout=20, allow_private=True)
    except SourceError as error:
        raise DocumentError(str(error)) from error
    media_type = answer.headers.get("content-type", "text/html").partition(";")[0].strip()
    name = answer.address.rsplit("/", 1)[-1]
    return load_document(answer.body, name=name, media_type=media_type, origin=answer.address)


def ask_links(addresses: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Which of these addresses lead nowhere: (error or warning, what was found) each. Asks the network, keeps nothing."""
    from pregon.pipeline.linking import is_askable
    from pregon.pipeline.views import describe_link
    from pregon.sources.links import LinkChecker
    from pregon.sources.pace import HostPace

    states = LinkChecker(HostPace(1.0))([address for address in dict.fromkeys(addresses) if is_askable(address)])
    return {address: describe_link(state) for address, state in states.items() if state.is_dead()}


def read_templates(root: Path) -> Mapping[str, str]:
    """Every text file below `root`/templates, by its path there; read again only when one of them has changed."""
    folder = root / "templates"
    return _read_files(folder, tuple(_stamp_files(folder)))


def _stamp_files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """(path, size, time of the last change in ns) of each file below a folder."""
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.startswith("."):
                path = os.path.join(at, name)
                known = os.stat(path)
                yield path, known.st_size, known.st_mtime_ns


@lru_cache(maxsize=4)
def _read_files(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> Mapping[str, str]:
    paths = (Path(path) for path, _, _ in stamps)
    return MappingProxyType({path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths})


def build_composing(
    settings: Settings, clock: Callable[[], datetime] = now, channel_reader: ChannelReader | None = None
) -> Composing:
    """What reads and drafts without storing. Without `channel_reader` nobody knows what the YouTube channel has."""
    translating = Translating(_build_translator(settings))
    return Composing(lambda: read_templates(settings.root), settings, clock, translating, channel_reader)


def build_pipeline(
    settings: Settings, sandbox: Sandbox | None = None, *, clock: Callable[[], datetime] = now
) -> Pipeline:
    """Wire everything. `sandbox` are the running stand-ins that channels in sandbox mode speak to."""
    from pregon.pipeline import (
        Calendar,
        Contacts,
        Delivering,
        Digesting,
        Drafting,
        Duties,
        Facts,
        Inbox,
        Linking,
        Materials,
        Measuring,
        Noticing,
        Notifying,
        People,
        Receiving,
        Reporting,
        Reviewing,
        Signups,
        Sources,
        Stopping,
        Subscribing,
        Trying,
        Watching,
    )
    from pregon.sources.hubs import WebSubHubs
    from pregon.sources.links import LinkChecker
    from pregon.sources.pace import HostPace
    from pregon.storage import open_store
    from pregon.storage.sealing import Accounts

    settings.home.mkdir(parents=True, exist_ok=True)
    store = open_store(settings.database_url)
    key = _secret_key(settings)
    accounts = Accounts(store, key, clock)
    used = [name for name in ChannelName if settings.channel(name).mode != "off"]
    channels = {name: _build_channel(name, settings, sandbox, clock, accounts) for name in used}
    composing = build_composing(settings, clock, _channel_reader(channels, clock))
    materials = Materials(store, store, store, composing)
    readers: dict[str, EventReader] = {"sendgrid": _sendgrid_reader(settings, sandbox)}
    worker = f"{socket.gethostname()}:{os.getpid()}"
    pace = HostPace(settings.polling.host_gap_seconds)
    watching = Watching(store, build_pollers(settings, pace), composing, settings, clock)
    contacts = Contacts(store, clock, settings.network.languages, key)
    return Pipeline(
        settings=settings,
        store=store,
        composing=composing,
        watching=watching,
        sources=Sources(store, settings, clock),
        subscribing=Subscribing(store, WebSubHubs(clock), settings, clock, key=key),
        receiving=Receiving(store, watching, Pushes(), settings, clock),
        linking=Linking(store, LinkChecker(pace), clock, enabled=settings.network.check_links),
        digesting=Digesting(store, composing, settings, clock),
        drafting=Drafting(store, composing, materials, clock),
        reviewing=Reviewing(store, composing, materials, clock),
        stopping=Stopping(store, clock),
        trying=Trying(store, channels, settings, clock, key=key),
        inbox=Inbox(store, clock),
        calendar=Calendar(store, settings, clock),
        delivering=Delivering(store, materials, channels, settings, clock, worker=worker, key=key),
        measuring=Measuring(store, channels, readers, settings, clock, key=key),
        reporting=Reporting(store, settings, clock),
        people=People(store, clock, settings.desk, key, issuer=_desk_name(settings)),
        contacts=contacts,
        signups=Signups(store, contacts, settings, clock, key=key),
        noticing=Noticing(store, channels, lambda: read_templates(settings.root), settings, clock, key=key),
        notifying=Notifying(
            store,
            Facts(store, Sources(store, settings, clock), settings.base_url),
            _build_poster(settings),
            clock,
            key=key,
            allow_private=settings.desk.hooks.allow_private,
        ),
        duties=Duties(store, channels, clock),
    )


@contextmanager
def running_pipeline(settings: Settings, *, clock: Callable[[], datetime] = now) -> Iterator[Pipeline]:
    """A pipeline, with the sandbox's stand-ins running beside it while any channel is in sandbox mode."""
    with ExitStack() as stack:
        pipeline = build_pipeline(settings, stack.enter_context(running_stand_ins(settings)), clock=clock)
        stack.callback(pipeline.store.close)
        yield pipeline


@contextmanager
def running_stand_ins(settings: Settings, *, react_every: float | None = None) -> Iterator[Sandbox | None]:
    """The sandbox on a free port with its memory in the data folder; None when every channel is live."""
    if not any(settings.channel(name).mode == "sandbox" for name in ChannelName):
        yield None
        return
    from pregon.sandbox import running_sandbox

    settings.home.mkdir(parents=True, exist_ok=True)
    webhook = f"{settings.base_url}/webhooks/sendgrid"
    with running_sandbox(settings.home / "sandbox.db", webhook_url=webhook, react_every=react_every) as sandbox:
        yield sandbox


# --- one pipeline per process, for the flows -----------------------------------------------------------------

_shared: list[Pipeline] = []


def share_pipeline(pipeline: Pipeline | None) -> None:
    """Let flows that run in this process use this pipeline (None: no longer)."""
    _shared[:] = [pipeline] if pipeline is not None else []


@contextmanager
def shared_pipeline() -> Iterator[Pipeline]:
    """This process's pipeline; in a process that has none, e.g. a Prefect worker elsewhere, one of its own."""
    if _shared:
        yield _shared[0]
        return
    settings = load_settings(Path(os.environ.get("PREGON_ROOT", ".")), os.environ)
    with running_pipeline(settings) as pipeline:
        yield pipeline


# --- parts ---------------------------------------------------------------------------------------------------


class Pushes:
    """What checks and reads a push, under the names that the receive use case gives it."""

    def __init__(self) -> None:
        from pregon.sources import webhook

        self.admit, self.verify, self.read = webhook.admit_push, webhook.verify_push, webhook.read_push


def build_pollers(settings: Settings, pace: HostPace) -> dict[SourceKind, Poller]:
    """How each kind of source is looked at, each host at `pace`; what is pushed to us has none."""
    from pregon.sources import poll_feed, poll_folder, poll_mailbox, poll_wordpress

    def feed(source: SourceConfig, state: SourceState, at: datetime) -> Poll:
        return poll_feed(source.address, state, now=at, allow_private=source.allow_private)

    def youtube(source: SourceConfig, state: SourceState, at: datetime) -> Poll:
        # The hub of a channel is known, and other than what the feed's own links say.
        found = poll_feed(youtube_feed(source.address), state, now=at, allow_private=source.allow_private)
        return replace(found, hub=None)

    def wordpress(source: SourceConfig, state: SourceState, at: datetime) -> Poll:
        return poll_wordpress(source.address, state, now=at, allow_private=source.allow_private)

    def mailbox(source: SourceConfig, state: SourceState, at: datetime) -> Poll:
        password = settings.source_secrets.get(source.id, "")
        return poll_mailbox(source.address, password, state, now=at, allow_private=source.allow_private)

    def folder(source: SourceConfig, state: SourceState, at: datetime) -> Poll:
        return poll_folder(settings.home / source.address, state, now=at)

    away = {SourceKind.FEED: feed, SourceKind.YOUTUBE: youtube, SourceKind.WORDPRESS: wordpress}
    paced = {kind: _pace(poller, pace) for kind, poller in (away | {SourceKind.MAILBOX: mailbox}).items()}
    return {SourceKind.FOLDER: folder, **paced}


def _pace(poller: Poller, pace: HostPace) -> Poller:
    def poll(source: SourceConfig, state: SourceState, at: datetime) -> Poll:
        address = youtube_feed(source.address) if source.kind is SourceKind.YOUTUBE else source.address
        with pace.visit(host_of(address)):
            return poller(source, state, at)

    return poll


def _build_translator(settings: Settings) -> Translator | None:
    config, key = settings.network.translation, settings.secrets.translation_key
    if config.provider == "none":
        return None
    from pregon.translators import DeepL, LibreTranslate

    if config.provider == "deepl":
        return DeepL(key, address=config.address, timeout=config.timeout_seconds)
    return LibreTranslate(config.address or "", key=key, timeout=config.timeout_seconds)


def _channel_reader(channels: Mapping[ChannelName, Channel], clock: Callable[[], datetime]) -> ChannelReader | None:
    from pregon.channels.youtube import CachedReader, YouTubeChannel

    channel = channels.get(ChannelName.YOUTUBE)
    return CachedReader(channel.read_state, clock) if isinstance(channel, YouTubeChannel) else None


def _build_channel(
    name: ChannelName,
    settings: Settings,
    sandbox: Sandbox | None,
    clock: Callable[[], datetime],
    accounts: Accounts,
) -> Channel:
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
    from pregon.channels.youtube import DAILY_UNITS, YouTubeChannel

    ids = (secret.youtube_client_id, secret.youtube_client_secret, secret.youtube_refresh_token)
    quota = config.daily_quota or DAILY_UNITS
    spend = accounts.spend(name)
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
        key=_secret_key(settings),
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
    from pregon.channels.youtube import DAILY_UNITS, YouTubeChannel

    return YouTubeChannel(
        accounts.YOUTUBE_CLIENT_ID,
        accounts.YOUTUBE_CLIENT_SECRET,
        accounts.YOUTUBE_REFRESH_TOKEN,
        base_url=sandbox.youtube_url,
        token_uri=sandbox.token_uri,
        timeout=config.timeout_seconds,
        clock=clock,
        daily_quota=config.daily_quota or DAILY_UNITS,
        spend=kept.spend(name),
    )


def _sandbox_tokens(sandbox: Sandbox, kept: Accounts, timeout: float, clock: Callable[[], datetime]) -> UserTokens:
    from pregon.channels.x import UserTokens
    from pregon.sandbox import accounts

    client = (accounts.X_CLIENT_ID, accounts.X_CLIENT_SECRET, accounts.X_REFRESH_TOKEN)
    keeper = kept.keeper("x-sandbox")
    return UserTokens(*client, keeper, timeout=timeout, clock=clock, base_url=sandbox.x_url)


def _sendgrid_reader(
    settings: Settings, sandbox: Sandbox | None
) -> Callable[[Mapping[str, str], bytes], tuple[ProviderEvent, ...]]:
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


def _build_poster(settings: Settings) -> Poster:
    from pregon.sources.post import post_message

    rules = settings.desk.hooks
    return partial(post_message, timeout=rules.timeout_seconds, allow_private=rules.allow_private)


def _desk_name(settings: Settings) -> str:
    """What an authenticator app calls the desk."""
    return f"{settings.network.short_name[settings.network.languages[0]]} desk"


def _secret_key(settings: Settings) -> bytes:
    """The key that signs links: from the environment, else made once and kept in the data folder."""
    if settings.secret_key:
        return settings.secret_key.encode()
    path = settings.home / "secret.key"
    try:
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii").strip().encode()
