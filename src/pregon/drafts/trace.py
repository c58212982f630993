"""Where each fact of a draft comes from: every number, date, e-mail address, link and @handle a reader sees.

It looks at the rendered content, not at how it was composed, so an officer's edit is held to the same rule. A fact
comes from a span of the source, or from a named key of the configuration or template; else it is untraced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

from pregon.drafts.context import DraftContext
from pregon.drafts.daytext import Day, day_of, find_days
from pregon.drafts.facts import read_moment, write_moment
from pregon.drafts.handles import HANDLE, list_agreed, trace_names
from pregon.drafts.links import plain_address, publish_url
from pregon.drafts.shown import visible_texts
from pregon.drafts.tokens import TOKENS
from pregon.drafts.utm import untag_link
from pregon.types import Content, Item, PlaylistBody, Span, ThreadBody, Trace

_URL = re.compile(r"https?://[^\s<>\"«»“”]+|mailto:[^\s<>\"]+", re.IGNORECASE)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+(?:[.,:h]\d+)*")
_GROUPING = re.compile(r"(?<=\d)[ .,\u00a0\u202f'’](?=\d{3}(?:\D|$))")
# Yields each fact with its trace (or None), and returns the text without those facts.
Finds = Generator[tuple[str, Trace | None], None, str]


def trace_draft(content: Content, item: Item, context: DraftContext) -> tuple[tuple[Trace, ...], tuple[str, ...]]:
    """(the traced facts, the texts of the untraced ones), each once, in order of appearance."""
    if isinstance(content.body, PlaylistBody):
        return _trace_playlists(content.body, item)
    tracer = _Tracer(item, context, content.language or "")
    others = [("version in another language", sibling) for sibling in context.siblings]
    others += [("earlier version", context.previous)] if context.previous else []
    elsewhere = [(origin, _Tracer(other, context, content.language or "")) for origin, other in others]
    traces: dict[tuple[str, str], Trace] = {}
    untraced: dict[str, None] = {}
    for text in visible_texts(content):
        for fact, trace in tracer.trace(text):
            # A correction says what was stated before; and what two versions state differently, a person decides.
            origin = "" if trace else next((origin for origin, other in elsewhere if other.knows(fact)), "")
            if trace is None and not origin:
                untraced.setdefault(fact)
            elif trace is None:
                traces.setdefault((fact, origin), Trace(fact, None, origin))
            else:
                traces.setdefault((trace.text, trace.origin), trace)
    if isinstance(content.body, ThreadBody):
        for named in trace_names("\n".join(visible_texts(content)), item, context):
            traces.setdefault((named.text, named.origin), named)
    return tuple(traces.values()), tuple(untraced)


class _Tracer:
    """The facts that one item and one configuration hold, ready to be looked up."""

    def __init__(self, item: Item, context: DraftContext, language: str) -> None:
        self.source = item.text.replace("\u00a0", " ").replace("\u202f", " ")
        self.chrome = _list_chrome(context, language)
        self.addresses = dict(_list_addresses(item, context))
        self.hosts = dict(_list_hosts(self.addresses))
        self.stated = dict(_list_stated(item, language))
        folded = self.source.lower()
        # A few letters change length in lower case; spans must still point into the text as it is.
        self.folded = folded if len(folded) == len(self.source) else self.source
        self.answered = {call.span for call in item.calls if call.deadline and call.span in context.answers}
        self.days: dict[tuple[int, int], list[Day]] = {}
        for day in (*find_days(self.source), *_list_days(item)):
            self.days.setdefault((day.day, day.month), []).append(day)
        self.numbers: dict[str, Span] = {}
        for match in _NUMBER.finditer(self.source):
            self.numbers.setdefault(_plain_number(match.group()), match.span())

    def trace(self, text: str) -> Iterator[tuple[str, Trace | None]]:
        """Each fact of the text with its trace, or None."""
        text = text.replace("\u00a0", " ").replace("\u202f", " ")
        for token in TOKENS:
            text = text.replace(token, " ")
        for origin, chrome in self.chrome:
            if chrome in text:
                yield from ((number, Trace(number, None, origin)) for number in _NUMBER.findall(chrome))
                text = text.replace(chrome, " ")
        text = yield from self._take(text, _URL, self._trace_url)
        text = yield from self._take(text, _MAIL, self._trace_name)
        text = yield from self._take(text, HANDLE, self._trace_name)
        text = yield from self._take_hosts(text)
        text = yield from self._take_days(text)
        for match in _NUMBER.finditer(text):
            yield match.group(), self._trace_number(match.group())

    def knows(self, fact: str) -> bool:
        """Whether the item states this one fact."""
        return all(trace is not None for _, trace in self.trace(fact))

    def _take(self, text: str, pattern: re.Pattern[str], trace: Callable[[str], Trace | None]) -> Finds:
        for match in pattern.finditer(text):
            fact = untag_link(match.group().rstrip(".,;:!?)]}'’"))
            yield fact, trace(fact)
        return pattern.sub(" ", text)

    def _take_hosts(self, text: str) -> Finds:
        """Take out the host names that a button or a link text shows: a figure in a host is no figure of the text."""
        for host, (span, origin) in self.hosts.items():
            shown = re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)", re.IGNORECASE)
            if shown.search(text):
                yield host, Trace(host, span, origin)
                text = shown.sub(" ", text)
        return text

    def _take_days(self, text: str) -> Finds:
        days = find_days(text)
        for day in days:
            shown = text[slice(*day.span)]
            known = next((other for other in self.days.get((day.day, day.month), ()) if day.agrees(other)), None)
            origin = "answer" if known and known.span in self.answered else "source"
            yield shown, Trace(shown, known.span, origin) if known else None
        return _blank_out(text, days)

    def _trace_url(self, url: str) -> Trace | None:
        if url.lower().startswith("mailto:"):
            return self._trace_name(url[len("mailto:") :].partition("?")[0])
        return self._look_up(url)

    def _trace_name(self, name: str) -> Trace | None:
        return self._look_up(name)

    def _look_up(self, text: str) -> Trace | None:
        span, origin = self.addresses.get(plain_address(text), (None, ""))
        if origin:
            return Trace(text, span, origin)
        found = self.folded.find(text.lower())
        return Trace(text, (found, found + len(text))) if found >= 0 else None

    def _trace_number(self, number: str) -> Trace | None:
        span = self.numbers.get(_plain_number(number)) or self.stated.get(_plain_number(number))
        return Trace(number, span) if span else None


def _blank_out(text: str, days: Iterable[Day]) -> str:
    """The text with blanks where the days stand, so that their figures are not looked up once more."""
    pieces, position = [], 0
    for day in days:
        pieces += [text[position : day.span[0]], " "]
        position = day.span[1]
    return "".join([*pieces, text[position:]])


def _list_chrome(context: DraftContext, language: str) -> tuple[tuple[str, str], ...]:
    """(origin, text) of the configured texts that hold figures of their own."""
    network = context.network
    texts = [("config:network.postal_address", network.postal_address)]
    for key in ("name", "about", "chair"):
        value = getattr(network, key).get(language, "")
        texts.append((f"config:network.{key}.{language}", value))
    return tuple((origin, text) for origin, text in texts if re.search(r"\d", text))


def _list_addresses(item: Item, context: DraftContext) -> Iterator[tuple[str, tuple[Span | None, str]]]:
    """(plain address, (span, origin)); the source's own come last and so win over the configuration's."""
    network = context.network
    for key in ("website", "privacy_notice", "social"):
        for name, url in getattr(network, key).items():
            yield plain_address(url), (None, f"config:network.{key}.{name}")
    for key, address in (("address", network.sender.address), ("reply_to", network.sender.reply_to)):
        if address:
            yield plain_address(address), (None, f"config:network.sender.{key}")
    for handle, name in list_agreed(context):
        yield plain_address(handle), (None, f"config:network.partners.{name}")
    if item.canonical_url:
        yield plain_address(item.canonical_url), (None, "document:address")
    for video in item.videos:
        yield plain_address(video.url), (video.span, "source")
    for link in item.links:
        if link.problem == "placeholder" and (url := publish_url(link, context)):
            yield plain_address(url), (link.span, "answer")
        elif link.problem != "placeholder":
            yield plain_address(link.url), (link.span, "source")


def _list_hosts(
    addresses: Mapping[str, tuple[Span | None, str]],
) -> Iterator[tuple[str, tuple[Span | None, str]]]:
    """The hosts of known addresses that hold a figure, with where the address stands."""
    for address, place in addresses.items():
        host = address.partition("@")[2] or address.partition("/")[0].partition(":")[0]
        if "." in host and re.search(r"\d", host):
            yield host, place


def _list_stated(item: Item, language: str) -> Iterator[tuple[str, Span]]:
    """Numbers that the item states in words or in another form ("fifteen places", "2.30 pm"), with their span."""
    for key, value in (("number", item.number), ("year", item.year)):
        if value is not None and key in item.spans:
            yield str(value), item.spans[key]
    for call in item.calls:
        if call.capacity is not None:
            yield str(call.capacity), call.span
    for event in item.events:
        for number in _NUMBER.findall(write_moment(event, language or "en")):
            yield _plain_number(number), event.span
    if item.study:
        for key in ("edition", "cities", "countries"):
            value, span = getattr(item.study, key), item.spans.get(key) or item.spans.get(f"study.{key}")
            if value is not None and span:
                yield str(value), span


def _list_days(item: Item) -> tuple[Day, ...]:
    days = [day_of(deadline.date, deadline.span) for deadline in item.deadlines]
    days += [day_of(call.deadline, call.span) for call in item.calls if call.deadline]
    for event in item.events:
        moments = [read_moment(text) for text in (event.start, event.end) if text]
        days += [day_of(moment, event.span) for moment in moments]
    if item.date and "date" in item.spans:
        days.insert(0, day_of(item.date, item.spans["date"]))
    return tuple(days)


def _trace_playlists(body: PlaylistBody, item: Item) -> tuple[tuple[Trace, ...], tuple[str, ...]]:
    videos = {video.video_id: video.span for video in item.videos}
    traces: list[Trace] = []
    untraced: list[str] = []
    for operation in body.operations:
        if operation.video_id in videos:
            traces.append(Trace(operation.video_id, videos[operation.video_id]))
        elif operation.video_id:
            untraced.append(operation.video_id)
    traces += _playlist_origins(body, item)
    return tuple(traces), tuple(untraced)


def _playlist_origins(body: PlaylistBody, item: Item) -> Iterable[Trace]:
    """Ids and titles of playlists are the playbook's, or the channel's own; an axis in a title is the source's."""
    names = [name for each in body.operations for name in (each.playlist_id, each.playlist_title) if name]
    yield from (Trace(name, None, "config:playbooks.youtube.playlists") for name in dict.fromkeys(names))
    axis = (item.practice.axis if item.practice else None) or ""
    place = item.text.find(axis) if axis and any(axis in name for name in names) else -1
    if place >= 0:
        yield Trace(axis, (place, place + len(axis)))


def _plain_number(number: str) -> str:
    return _GROUPING.sub("", number)
