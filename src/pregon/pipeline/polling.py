"""Which sources are due and what each remembers, and polling many of them side by side with no host asked twice at once.

Stores nothing and takes nothing: the watch use case does, one result after the other.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from pregon.errors import SourceError
from pregon.settings import SourceConfig
from pregon.source_rules import host_of
from pregon.types import Poll, SourceState

LONGEST_PAUSE = timedelta(hours=24)
# A permanent move that fails this often was none: the configured address is asked again.
_MOVE_TRIES = 3
Polled = tuple[SourceConfig, Poll | SourceError]


def begin_anew(source: SourceConfig, state: SourceState) -> SourceState:
    """What is remembered of the source as it is configured now: nothing, once its address is another."""
    if state.address is None or state.address == source.address:
        return state
    return SourceState()


def is_due(state: SourceState, now: datetime, *, force: bool) -> bool:
    """Whether to poll now. `force` does not wake what is gone, nor a host that asked to be left alone (Retry-After)."""
    if state.gone or (state.held_until is not None and state.held_until > now):
        return False
    return force or state.next_check_at is None or state.next_check_at <= now


def where_it_is(source: SourceConfig, state: SourceState) -> SourceConfig:
    """The source at the address it has moved to for good, if it has."""
    return source.model_copy(update={"address": state.moved_to}) if state.moved_to else source


def remember_failure(source: SourceConfig, state: SourceState, error: SourceError, now: datetime) -> dict[str, object]:
    """What to store after a poll that failed: twice the pause each time, up to a day; longer if the host says so."""
    failures = state.failures + 1
    pause = min(timedelta(minutes=source.every_minutes) * 2 ** min(failures - 1, 10), LONGEST_PAUSE)
    held_until = now + timedelta(seconds=error.retry_after) if error.retry_after else None
    lost = state.moved_to is not None and (error.gone or failures >= _MOVE_TRIES)
    return {
        "address": source.address,
        "failures": failures,
        "last_error": str(error),
        "next_check_at": max(now + pause, held_until or now),
        "held_until": held_until,
        "gone": error.gone and not lost,
        "moved_to": None if lost else state.moved_to,
    }


def remember_success(
    source: SourceConfig, state: SourceState, poll: Poll, now: datetime, pause: timedelta
) -> dict[str, object]:
    """What to store after a poll: nothing earlier than the host's cache headers allow."""
    hub, topic = poll.hub or (state.hub, state.topic)
    return {
        "address": source.address,
        "polled_before": True,
        "failures": 0,
        "last_error": None,
        "gone": False,
        "held_until": None,
        "next_check_at": max(now + pause, poll.not_before or now),
        "etag": poll.etag,
        "last_modified": poll.last_modified,
        "moved_to": poll.moved_to or state.moved_to,
        "hub": hub,
        "topic": topic,
    }


def poll_side_by_side(
    sources: Sequence[SourceConfig], poll: Callable[[SourceConfig], Poll], in_flight: int
) -> Iterator[Polled]:
    """Every source polled once, `in_flight` hosts at a time and each host by one thread; results as they come.

    At most twice `in_flight` results wait to be taken, so that a thousand feeds do not stand in memory together.
    """
    groups = _group_by_host(sources)
    if len(groups) <= 1 or in_flight == 1:
        yield from ((source, _try(poll, source)) for group in groups for source in group)
        return
    waiting: queue.SimpleQueue[list[SourceConfig]] = queue.SimpleQueue()
    for group in groups:
        waiting.put(group)
    done: queue.Queue[Polled] = queue.Queue(maxsize=2 * in_flight)
    stop = threading.Event()
    threads = [
        threading.Thread(target=_work, args=(waiting, done, stop, poll), name=f"poll-{n}", daemon=True)
        for n in range(min(in_flight, len(groups)))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in sources:
            yield done.get()
    finally:
        stop.set()


def _group_by_host(sources: Sequence[SourceConfig]) -> list[list[SourceConfig]]:
    groups: dict[str, list[SourceConfig]] = {}
    for source in sources:
        groups.setdefault(host_of(source.address) or "", []).append(source)
    return list(groups.values())


def _work(
    waiting: queue.SimpleQueue[list[SourceConfig]],
    done: queue.Queue[Polled],
    stop: threading.Event,
    poll: Callable[[SourceConfig], Poll],
) -> None:
    while True:
        try:
            group = waiting.get_nowait()
        except queue.Empty:
            return
        for source in group:
            result = (source, _try(poll, source))
            while not stop.is_set():
                try:
                    done.put(result, timeout=0.5)
                    break
                except queue.Full:
                    continue
            if stop.is_set():
                return


def _try(poll: Callable[[SourceConfig], Poll], source: SourceConfig) -> Poll | SourceError:
    try:
        return poll(source)
    except SourceError as error:
        return error
    except Exception as error:  # a poller's own fault must not end the pass, nor leave the taker waiting for ever
        return SourceError(
            f"{source.id} could not be polled ({type(error).__name__}: {error}): it is tried again later"
        )
