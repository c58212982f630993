"""The watch use case: poll every source that is due and take each document once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock

from pregon.errors import DocumentError, PregonError, SourceError
from pregon.items import ask_across_documents, dates_decisions, fingerprint_item, identify_item, is_edit_of
from pregon.pipeline.composing import Composing
from pregon.pipeline.polling import (
    begin_anew,
    is_due,
    poll_side_by_side,
    remember_failure,
    remember_success,
    where_it_is,
)
from pregon.pipeline.protocols import Clock, ItemStore, Poller
from pregon.settings import Settings, SourceConfig
from pregon.types import Document, Item, Kind, Poll, SavedItem, Sighting, SourceKind, SourceState

# As long as the column that keeps it; a longer key is cut and told apart by its hash.
_LONGEST_KEY = 500


# With how many of the newest items in its language a new one is compared.
_COMPARED = 60


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
        self._lock, self._busy = Lock(), set[str]()

    def watch(self, *, force: bool = False) -> tuple[WatchResult, ...]:
        """Poll every active source that is due, or all of them with `force`. One source's trouble stops no other.

        What is gone for good, and a host that asked to be left alone, are not polled by force either. A source that
        another pass of this process is polling is left to that pass.
        """
        states = {source.id: self._read_state(source) for source in self.polled_sources()}
        now = self._clock()
        due = [s for s in self.polled_sources() if is_due(states[s.id], now, force=force)]
        mine = self._claim(due)
        try:
            placed = {source.id: source for source in mine}
            moved = [where_it_is(source, states[source.id]) for source in mine]
            poll = partial(self._poll, states, now)
            polled = poll_side_by_side(moved, poll, self._settings.polling.in_flight)
            found = {}
            for source, result in polled:
                found[source.id] = self._keep(placed[source.id], states[source.id], result)
                # At once, so that a file dropped meanwhile is not left waiting for a slow host of this pass.
                self._busy.discard(source.id)
        finally:
            self._busy.difference_update(source.id for source in mine)
        return tuple(found[source.id] for source in mine)

    def polled_sources(self) -> tuple[SourceConfig, ...]:
        """The active sources that are looked at; what is pushed to us is not."""
        return tuple(s for s in self._settings.sources if s.active and s.kind in self._pollers)

    def take(self, document: Document, kind: Kind | None = None, seen_as: int | None = None) -> SavedItem:
        """Read a document and store it, once however often and wherever it is seen.

        `seen_as` is the item that stood in the same place of the source before: an edit of it is a new version.
        """
        item = self._read(document, kind)
        identity, fingerprint = identify_item(item, document), fingerprint_item(item)
        before = self._store.read_item(seen_as) if seen_as is not None else None
        # Only where nothing but the words names an item: a feed may use one key for this year's call and the next's.
        if before is not None and before.identity.startswith("text:") and identity.startswith("text:"):
            identity = before.identity if is_edit_of(before.item, item) else identity
        item = self._compare(item, identity)
        return self._store.save_item(identity, fingerprint, item, document.media_type, document.origin, self._clock())

    def _read(self, document: Document, kind: Kind | None) -> Item:
        try:
            return self._composing.read(document, kind)
        except PregonError:
            raise
        except Exception as error:  # a mistake of ours about one document, which every pass would meet again
            raise DocumentError(
                f"it cannot be read ({type(error).__name__}: {error}): add its text as another file"
            ) from error

    def _compare(self, item: Item, identity: str) -> Item:
        """The item, with a question where a recent one dates the same decision otherwise."""
        if not dates_decisions(item):
            return item
        recent = self._store.recent_items(item.language, _COMPARED)
        asked = ask_across_documents(item, [stored.item for stored in recent if stored.identity != identity])
        return replace(item, questions=(*item.questions, *asked)) if asked else item

    def _claim(self, due: list[SourceConfig]) -> list[SourceConfig]:
        with self._lock:
            mine = [source for source in due if source.id not in self._busy]
            self._busy.update(source.id for source in mine)
        return mine

    def _read_state(self, source: SourceConfig) -> SourceState:
        return begin_anew(source, self._store.read_source(source.id))

    def _poll(self, states: Mapping[str, SourceState], now: datetime, source: SourceConfig) -> Poll:
        return self._pollers[source.kind](source, states[source.id], now)

    def _keep(self, source: SourceConfig, state: SourceState, result: Poll | SourceError) -> WatchResult:
        now = self._clock()
        if isinstance(result, SourceError):
            self._store.write_source(source.id, now, **remember_failure(source, state, result, now))
            return WatchResult(source.id, error=str(result))
        taken = self._take_all(source, result, first=not state.polled_before, now=now)
        # A folder is looked at on every pass: that is what makes a dropped file appear within seconds.
        pause = timedelta(0) if source.kind is SourceKind.FOLDER else timedelta(minutes=source.every_minutes)
        self._store.write_source(source.id, now, **remember_success(source, state, result, now, pause))
        return taken

    def _take_all(self, source: SourceConfig, poll: Poll, *, first: bool, now: datetime) -> WatchResult:
        new, changed, skipped, rejected, known = [], [], [], [], 0
        for seen in poll.sightings:
            sighting = replace(seen, key=bound_key(seen.key))
            digest = _content_hash(sighting)
            if self._store.seen_content(source.id, sighting.key) == digest:
                known += 1
                continue
            too_old = self._too_old(source, sighting, now) if first else None
            if too_old:
                skipped.append((sighting.key, too_old))
                self._store.record_sighting(source.id, sighting.key, digest, "skipped", too_old, None, now)
                continue
            saved, problem = self.take_sighting(source, sighting)
            if saved is None:
                rejected.append((sighting.key, problem))
                continue
            new += [saved.id] if saved.is_new else []
            changed += [saved.id] if saved.is_changed else []
            known += not (saved.is_new or saved.is_changed)
        return WatchResult(source.id, tuple(new), tuple(changed), known, tuple(skipped), tuple(rejected))

    @staticmethod
    def _too_old(source: SourceConfig, sighting: Sighting, now: datetime) -> str | None:
        if sighting.published_at is None or now - sighting.published_at <= timedelta(days=source.max_age_days):
            return None
        return f"published {sighting.published_at:%Y-%m-%d}, older than {source.max_age_days:g} days at the first poll"

    def take_sighting(self, source: SourceConfig, sighting: Sighting) -> tuple[SavedItem | None, str]:
        """Take what was seen at a source and remember that it was seen; without an item, the sentence that says why."""
        saved, problem = self._try_take(source, sighting)
        result, item_id = ("taken", saved.id) if saved else ("rejected", None)
        digest = _content_hash(sighting)
        self._store.record_sighting(source.id, sighting.key, digest, result, problem, item_id, self._clock())
        return saved, problem

    def _try_take(self, source: SourceConfig, sighting: Sighting) -> tuple[SavedItem | None, str]:
        if sighting.document is None:
            return None, sighting.problem or "it cannot be read"
        seen = self._store.read_sighting(source.id, sighting.key)
        try:
            return self.take(sighting.document, source.item_kind, seen[2] if seen else None), ""
        except (DocumentError, PregonError) as error:
            return None, str(error)


def bound_key(key: str) -> str:
    """The key as long as the database keeps it."""
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:400]} {hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _content_hash(sighting: Sighting) -> str:
    text = sighting.document.text if sighting.document else f"problem:{sighting.problem}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
