"""The watch use case: poll every source that is due and take each document once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pregon.errors import DocumentError, PregonError, SourceError
from pregon.items import fingerprint_item, identify_item
from pregon.pipeline.composing import Composing
from pregon.pipeline.protocols import Clock, ItemStore, Poller
from pregon.settings import Settings, SourceConfig
from pregon.types import Document, Kind, Poll, SavedItem, Sighting, SourceKind

_LONGEST_PAUSE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class WatchResult:
    """What one poll of one source brought. `skipped` were too old, `rejected` unreadable: (key, sentence) each."""

    source_id: str
    new: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    known: int = 0
    skipped: tuple[tuple[str, str], ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    error: str | None = None


class Watching:
    """Sources -> items."""

    def __init__(
        self,
        store: ItemStore,
        pollers: Mapping[SourceKind, Poller],
        composing: Composing,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._store, self._pollers, self._composing = store, pollers, composing
        self._settings, self._clock = settings, clock

    def watch(self, *, force: bool = False) -> tuple[WatchResult, ...]:
        """Poll every active source that is due (or all, with `force`). One source's trouble stops no other."""
        return tuple(self._watch_source(s) for s in self._settings.sources if s.active and (force or self._is_due(s)))

    def take(self, document: Document, kind: Kind | None = None) -> SavedItem:
        """Read a document and store it, once however often and wherever it is seen."""
        item = self._composing.read(document, kind)
        identity, fingerprint = identify_item(item, document), fingerprint_item(item)
        return self._store.save_item(identity, fingerprint, item, document.media_type, document.origin, self._clock())

    def _is_due(self, source: SourceConfig) -> bool:
        next_check = self._store.read_source(source.id).next_check_at
        return next_check is None or next_check <= self._clock()

    def _watch_source(self, source: SourceConfig) -> WatchResult:
        now, state = self._clock(), self._store.read_source(source.id)
        try:
            poll = self._pollers[source.kind](source, state, now)
        except SourceError as error:
            self._remember_failure(source, state.failures + 1, error, now)
            return WatchResult(source.id, error=str(error))
        result = self._take_all(source, poll, first=not state.polled_before, now=now)
        self._remember_success(source, poll, now)
        return result

    def _remember_failure(self, source: SourceConfig, failures: int, error: SourceError, now: datetime) -> None:
        pause = min(timedelta(minutes=source.every_minutes) * 2 ** min(failures - 1, 10), _LONGEST_PAUSE)
        if error.retry_after:
            pause = max(pause, timedelta(seconds=error.retry_after))
        values = {"failures": failures, "last_error": str(error), "next_check_at": now + pause, "gone": error.gone}
        self._store.write_source(source.id, now, **values)

    def _remember_success(self, source: SourceConfig, poll: Poll, now: datetime) -> None:
        # A folder is looked at on every pass: that is what makes a dropped file appear within seconds.
        pause = timedelta(0) if source.kind is SourceKind.FOLDER else timedelta(minutes=source.every_minutes)
        next_check = max(now + pause, poll.not_before or now)
        values = {"etag": poll.etag, "last_modified": poll.last_modified, "moved_to": poll.moved_to}
        self._store.write_source(
            source.id, now, polled_before=True, failures=0, last_error=None, next_check_at=next_check, **values
        )

    def _take_all(self, source: SourceConfig, poll: Poll, *, first: bool, now: datetime) -> WatchResult:
        new, changed, skipped, rejected, known = [], [], [], [], 0
        for sighting in poll.sightings:
            digest = _content_hash(sighting)
            if self._store.seen_content(source.id, sighting.key) == digest:
                known += 1
                continue
            too_old = self._too_old(source, sighting, now) if first else None
            if too_old:
                skipped.append((sighting.key, too_old))
                self._store.record_sighting(source.id, sighting.key, digest, "skipped", too_old, None, now)
                continue
            saved, problem = self._take_sighting(source, sighting)
            if saved is None:
                rejected.append((sighting.key, problem))
                self._store.record_sighting(source.id, sighting.key, digest, "rejected", problem, None, now)
                continue
            self._store.record_sighting(source.id, sighting.key, digest, "taken", "", saved.id, now)
            new += [saved.id] if saved.is_new else []
            changed += [saved.id] if saved.is_changed else []
            known += not (saved.is_new or saved.is_changed)
        return WatchResult(source.id, tuple(new), tuple(changed), known, tuple(skipped), tuple(rejected))

    @staticmethod
    def _too_old(source: SourceConfig, sighting: Sighting, now: datetime) -> str | None:
        if sighting.published_at is None or now - sighting.published_at <= timedelta(days=source.max_age_days):
            return None
        return f"published {sighting.published_at:%Y-%m-%d}, older than {source.max_age_days:g} days at the first poll"

    def _take_sighting(self, source: SourceConfig, sighting: Sighting) -> tuple[SavedItem | None, str]:
        if sighting.document is None:
            return None, sighting.problem or "it cannot be read"
        try:
            return self.take(sighting.document, source.item_kind), ""
        except (DocumentError, PregonError) as error:
            return None, str(error)


def _content_hash(sighting: Sighting) -> str:
    text = sighting.document.text if sighting.document else f"problem:{sighting.problem}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
