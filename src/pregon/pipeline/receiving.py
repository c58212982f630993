"""The receive use case: take a document that is pushed to a source, on the same way as one that was found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pregon.errors import DocumentError, NotFoundError
from pregon.pipeline.protocols import Clock, ItemStore
from pregon.pipeline.watching import Watching, bound_key
from pregon.settings import Settings, SourceConfig
from pregon.types import Sighting, SourceKind


class Pushes(Protocol):
    """How a push is checked and read."""

    def admit(self, secret: str, headers: Mapping[str, str], now: datetime) -> None:
        """Raise `SignatureError` for what its headers alone rule out."""
        ...

    def verify(self, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str | None:
        """The signed message's id, None with a token. Raises `SignatureError`."""
        ...

    def read(self, source_id: str, content_type: str, body: bytes, message_id: str | None) -> Sighting:
        """The document in it. Raises `DocumentError`."""
        ...


@dataclass(frozen=True, slots=True)
class PushResult:
    """What became of a push. `state`: new, changed or known."""

    source_id: str
    item_id: int
    state: str


class Receiving:
    """A push -> an item."""

    def __init__(self, store: ItemStore, watching: Watching, pushes: Pushes, settings: Settings, clock: Clock) -> None:
        self._store, self._watching, self._pushes = store, watching, pushes
        self._settings, self._clock = settings, clock

    def admit(self, source_id: str, headers: Mapping[str, str]) -> None:
        """Refuse by the headers alone what need not be read. Raises `NotFoundError`, `SignatureError`."""
        self._source(source_id)
        self._pushes.admit(self._secret(source_id), headers, self._clock())

    def receive(self, source_id: str, headers: Mapping[str, str], body: bytes) -> PushResult:
        """Take the document in `body`, once however often it is sent; header names in small letters.

        The same webhook-id again gets the same answer. Raises `NotFoundError`, `SignatureError`, `DocumentError`.
        """
        source, now = self._source(source_id), self._clock()
        message_id = self._pushes.verify(self._secret(source_id), headers, body, now)
        if message_id is not None:
            earlier = self._store.read_sighting(source_id, bound_key(f"message {message_id}"))
            if earlier is not None:
                return _repeat(source_id, earlier)
        try:
            result = self._take(source, headers.get("content-type", ""), body, message_id)
        except DocumentError as error:
            self._store.write_source(source_id, now, last_error=str(error), failures=1)
            raise
        self._store.write_source(source_id, now, last_error=None, failures=0, polled_before=True)
        return result

    def _take(self, source: SourceConfig, content_type: str, body: bytes, message_id: str | None) -> PushResult:
        sighting = self._pushes.read(source.id, content_type, body, message_id)
        saved, problem = self._watching.take_sighting(source, sighting)
        if saved is None:
            raise DocumentError(problem)
        state = "new" if saved.is_new else "changed" if saved.is_changed else "known"
        return PushResult(source.id, saved.id, state)

    def _source(self, source_id: str) -> SourceConfig:
        for source in self._settings.sources:
            if source.id == source_id and source.kind is SourceKind.WEBHOOK and source.active:
                return source
        raise NotFoundError("There is no such source to push to; config/sources.yaml names them.")

    def _secret(self, source_id: str) -> str:
        return self._settings.source_secrets[source_id]


def _repeat(source_id: str, earlier: tuple[str, str, int | None]) -> PushResult:
    _, problem, item_id = earlier
    if item_id is None:
        raise DocumentError(problem)
    return PushResult(source_id, item_id, "known")
