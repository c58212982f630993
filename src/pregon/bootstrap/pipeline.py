"""Wires settings, storage, sources and channels into a pipeline. The environment enters here."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.pipeline import Composing, Pipeline, Translating
from pregon.settings import Settings, load_settings
from pregon.types import ChannelName

if TYPE_CHECKING:
    from pregon.pipeline import EventReader, Translator
    from pregon.pipeline.notifying import Poster
    from pregon.pipeline.protocols import ChannelReader
    from pregon.sandbox import Sandbox

from pregon.bootstrap.channels import build_channel, build_channel_reader, build_event_reader
from pregon.bootstrap.clock import now
from pregon.bootstrap.key import read_key
from pregon.bootstrap.sources import Pushes, build_pollers
from pregon.bootstrap.templates import read_templates


def build_composing(
    settings: Settings, clock: Callable[[], datetime] = now, channel_reader: ChannelReader | None = None
) -> Composing:
    """What reads and drafts without storing. Without `channel_reader` nobody knows what the YouTube channel has."""
    translating = Translating(build_translator(settings))
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
        build_calling_back,
    )
    from pregon.sources.hubs import WebSubHubs
    from pregon.sources.links import LinkChecker
    from pregon.sources.pace import HostPace
    from pregon.storage import open_store
    from pregon.storage.sealing import Accounts

    settings.home.mkdir(parents=True, exist_ok=True)
    store = open_store(settings.database_url)
    key = read_key(settings)
    accounts = Accounts(store, key, clock)
    used = [name for name in ChannelName if settings.channel(name).mode != "off"]
    channels = {name: build_channel(name, settings, sandbox, clock, accounts) for name in used}
    composing = build_composing(settings, clock, build_channel_reader(channels, clock))
    materials = Materials(store, store, store, composing)
    readers: dict[str, EventReader] = {"sendgrid": build_event_reader(settings, sandbox)}
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
        stopping=Stopping(store, clock, build_calling_back(store, channels, clock)),
        trying=Trying(store, channels, settings, clock, key=key),
        inbox=Inbox(store, settings, clock),
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


# One pipeline per process, for the flows.
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


def build_translator(settings: Settings) -> Translator | None:
    """The configured translator; None without one."""
    config, key = settings.network.translation, settings.secrets.translation_key
    if config.provider == "none":
        return None
    from pregon.translators import DeepL, LibreTranslate

    if config.provider == "deepl":
        return DeepL(key, address=config.address, timeout=config.timeout_seconds)
    return LibreTranslate(config.address or "", key=key, timeout=config.timeout_seconds)


def _build_poster(settings: Settings) -> Poster:
    from pregon.sources.post import post_message

    rules = settings.desk.hooks
    return partial(post_message, timeout=rules.timeout_seconds, allow_private=rules.allow_private)


def _desk_name(settings: Settings) -> str:
    """What an authenticator app calls the desk."""
    return f"{settings.network.short_name[settings.network.languages[0]]} desk"
