"""How each source is, in words: what the desk's page and the command `pregon sources` show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pregon.items import find_series_gaps
from pregon.pipeline.protocols import Clock, ItemStore
from pregon.settings import Settings, SourceConfig
from pregon.types import SourceHealth, SourceKind

_NEVER = SourceHealth(
    id="", last_polled_at=None, next_check_at=None, failures=0, last_error=None, moved_to=None, gone=False
)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source. `state`: active, waiting, failing, gone or paused; `sentences` say what a person should know or do."""

    source: SourceConfig
    state: str
    where: str
    last_polled_at: datetime | None
    last_seen_at: datetime | None
    next_check_at: datetime | None
    told_until: datetime | None
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeriesGaps:
    """The numbers of a series that were never seen, between the lowest and the highest that were."""

    series: str
    year: int | None
    missing: tuple[int, ...]


class Sources:
    """Sources -> words."""

    def __init__(self, store: ItemStore, settings: Settings, clock: Clock) -> None:
        self._store, self._settings, self._clock = store, settings, clock

    def list_sources(self) -> tuple[SourceLine, ...]:
        """Every configured source with its state, in the order of the configuration."""
        known = {health.id: health for health in self._store.list_source_health()}
        now = self._clock()
        return tuple(self._line(source, known.get(source.id, _NEVER), now) for source in self._settings.sources)

    def list_gaps(self) -> tuple[SeriesGaps, ...]:
        """The numbered series in which something is missing: it was never published here, or never came in."""
        found = [
            SeriesGaps(series.replace("-", " "), year, find_series_gaps(numbers))
            for (series, year), numbers in sorted(
                self._store.series_numbers().items(), key=lambda one: (one[0][0], one[0][1] or 0)
            )
        ]
        return tuple(gaps for gaps in found if gaps.missing)

    def _line(self, source: SourceConfig, health: SourceHealth, now: datetime) -> SourceLine:
        state = _judge(source, health, now)
        pushed = source.kind is SourceKind.WEBHOOK
        is_told = health.lease_ends_at is not None and health.lease_ends_at > now
        return SourceLine(
            source=source,
            state=state,
            where=f"{self._settings.base_url}/sources/{source.id}" if pushed else source.address,
            last_polled_at=health.last_polled_at,
            last_seen_at=health.last_seen_at,
            next_check_at=None if pushed or state in ("gone", "paused") else health.next_check_at,
            told_until=health.lease_ends_at if is_told else None,
            sentences=_explain(source, health, state),
        )


def _judge(source: SourceConfig, health: SourceHealth, now: datetime) -> str:
    if not source.active:
        return "paused"
    if health.gone:
        return "gone"
    if health.held_until is not None and health.held_until > now:
        return "waiting"
    return "failing" if health.failures else "active"


def _explain(source: SourceConfig, health: SourceHealth, state: str) -> tuple[str, ...]:
    sentences = []
    if health.last_error and state != "paused":
        sentences.append(_sentence(health.last_error))
        if health.failures > 1:
            sentences.append(f"It has failed {health.failures} times in a row.")
    if state == "waiting":
        sentences.append("The host asked to be left alone until then; checking now changes nothing.")
    if health.gone:
        sentences.append("It is not looked at any more; take it out of config/sources.yaml or give its new address.")
    if health.moved_to and health.moved_to != source.address:
        sentences.append(
            f"It has moved to {health.moved_to} and is read there; change its address in config/sources.yaml."
        )
    return tuple(sentences)


def _sentence(text: str) -> str:
    shown = text.strip()
    return shown[:1].upper() + shown[1:] + ("" if shown.endswith((".", "!", "?")) else ".") if shown else ""
