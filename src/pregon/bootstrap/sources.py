"""What sources are read by, and documents and links that a person names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.errors import DocumentError, SourceError
from pregon.items import load_document
from pregon.settings import Settings, SourceConfig
from pregon.source_rules import host_of, youtube_feed
from pregon.types import Document, Poll, SourceKind, SourceState

if TYPE_CHECKING:
    from pregon.pipeline.protocols import Poller
    from pregon.sources.pace import HostPace

from pregon.bootstrap.clock import now

_MOST_BYTES = 20 * 1024 * 1024


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
        # What is watched is tried again by itself; what a person asked for is theirs to ask for again.
        said = str(error).replace("it is tried again later", "try again later")
        raise DocumentError(f"{said}.") from error
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
