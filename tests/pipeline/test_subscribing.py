"""A feed's hub is asked, answered, heard, renewed and left; what it sends is a hint and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

import pytest
from test_polling import feed, source  # type: ignore[import-not-found]

from local_server import LocalServer, running_server
from pregon.errors import NotFoundError, SignatureError
from pregon.pipeline import Subscribing, Watching
from pregon.pipeline.subscribing import is_reachable
from pregon.settings import SourceConfig
from pregon.sources.hubs import WebSubHubs
from pregon.types import Subscription, SubscriptionState

DAY = 86_400


@dataclass
class Web:
    """A site whose feed names a hub, the hub, and our side of it, with the source configured as a test wants it."""

    house: object
    site: LocalServer
    forms: list[dict[str, str]] = field(default_factory=list)
    status: int = 202

    def __post_init__(self) -> None:
        self.site.routes["/hub"] = self._answer
        self.publish("Tide")
        self.use(source(self.site.address + "/feed"))

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.forms.append({name: values[0] for name, values in parse_qs(self.site.bodies[-1].decode()).items()})
        handler.send_response(self.status)
        handler.end_headers()

    def publish(self, *titles: str) -> None:
        links = f'<{self.site.address}/hub>; rel="hub", <{self.site.address}/feed>; rel="self"'
        self.site.serve("/feed", feed(self.house, *titles), Link=links)

    def use(self, *sources: SourceConfig, base_url: str = "https://desk.tidal.org") -> None:
        house = self.house
        settings = house.settings.model_copy(update={"sources": sources, "base_url": base_url})
        store, pollers = house.pipeline.store, house.pipeline.watching._pollers
        self.watching = Watching(store, pollers, house.pipeline.composing, settings, house.clock)
        hubs = WebSubHubs(house.clock, timeout=5, youtube_hub=self.site.address + "/hub")
        self.subscribing = Subscribing(store, hubs, settings, house.clock, key=b"a signing key")

    def tend(self) -> object:
        self.watching.watch()
        return self.subscribing.tend()

    def answer(self, form: dict[str, str], **more: str) -> str | None:
        """The hub asks back whether we meant `form`."""
        token = form["hub.callback"].rpartition("/")[2]
        query = {"hub.mode": form["hub.mode"], "hub.topic": form["hub.topic"], "hub.challenge": "c-1",
                 "hub.lease_seconds": str(10 * DAY)}  # fmt: skip
        return self.subscribing.confirm(token, query | {f"hub.{name}": value for name, value in more.items()})

    def known(self) -> Subscription | None:
        found = self.house.pipeline.store.list_subscriptions()
        return found[0] if found else None


@pytest.fixture
def web(house) -> Iterator[Web]:
    with running_server() as site:
        yield Web(house, site)


def test_a_hub_is_asked_once_and_its_question_is_answered(web):
    assert web.tend().asked == ("site",)
    assert web.tend().asked == ()
    (form,) = web.forms
    assert form["hub.mode"] == "subscribe"
    assert form["hub.topic"] == web.site.address + "/feed"
    assert form["hub.callback"].startswith("https://desk.tidal.org/websub/")
    assert len(form["hub.callback"].rpartition("/")[2]) > 40
    assert web.known().state is SubscriptionState.ASKED
    assert web.answer(form) == "c-1"
    running = web.known()
    assert running.state is SubscriptionState.RUNNING
    assert running.lease_ends_at == web.house.clock.at + timedelta(days=10)
    (health,) = [h for h in web.house.pipeline.store.list_source_health() if h.id == "site"]
    assert health.lease_ends_at == running.lease_ends_at


def test_a_question_about_what_was_not_asked_is_not_confirmed(web):
    web.tend()
    (form,) = web.forms
    assert web.answer(form, topic="https://other.example/feed") is None
    assert web.answer(form, mode="unsubscribe") is None
    assert web.subscribing.confirm("guess", {"hub.mode": "subscribe", "hub.topic": form["hub.topic"]}) is None
    assert web.known().state is SubscriptionState.ASKED


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_signed_notification_makes_the_source_due_and_nothing_of_it_is_believed(web, method):
    web.tend()
    (form,) = web.forms
    web.answer(form)
    token = form["hub.callback"].rpartition("/")[2]
    web.publish("Tide", "Ebb")
    assert web.watching.watch() == ()
    body = feed(web.house, "Forged")
    signature = hmac.new(form["hub.secret"].encode(), body, method).hexdigest()
    assert web.subscribing.notice(token, f"{method}={signature}", body) == "site"
    (result,) = web.watching.watch()
    titles = [web.house.pipeline.store.read_item(one).item.title for one in result.new]
    assert titles == ["Ebb"]


def test_a_forged_notification_changes_nothing(web):
    web.tend()
    (form,) = web.forms
    web.answer(form)
    token = form["hub.callback"].rpartition("/")[2]
    forged = hmac.new(b"guess", b"x", hashlib.sha256).hexdigest()
    for header in (None, "", "sha256=", f"sha256={forged}", f"md5={forged}"):
        with pytest.raises(SignatureError):
            web.subscribing.notice(token, header, b"x")
    with pytest.raises(NotFoundError):
        web.subscribing.notice("guess", f"sha256={forged}", b"x")
    assert web.watching.watch() == ()


def test_no_secret_stands_in_the_database(web):
    web.tend()
    assert web.forms[0]["hub.secret"] not in repr(web.known())


def test_a_lease_is_renewed_before_it_ends(web):
    web.tend()
    web.answer(web.forms[0])
    web.house.clock.forward(days=6)
    assert web.subscribing.tend().asked == ()
    web.house.clock.forward(days=1)
    assert web.subscribing.tend().asked == ("site",)
    assert web.known().state is SubscriptionState.RUNNING
    assert web.forms[0]["hub.callback"] == web.forms[1]["hub.callback"]
    web.answer(web.forms[1])
    assert web.known().lease_ends_at == web.house.clock.at + timedelta(days=10)


def test_a_hub_that_is_down_is_asked_again_ever_more_rarely_and_the_feed_is_polled(web):
    web.status = 500
    times = 0
    for _ in range(24 * 3):
        failed = web.subscribing.tend().failed if times else web.tend().failed
        times += len(failed)
        web.house.clock.forward(hours=1)
    assert 5 <= times <= 8
    known = web.known()
    assert (known.state, "answered 500: the feed is polled meanwhile" in known.detail) == (
        SubscriptionState.REFUSED,
        True,
    )
    web.status = 202
    web.house.clock.forward(days=8)
    assert web.subscribing.tend().asked == ("site",)
    assert web.answer(web.forms[-1]) == "c-1"
    assert web.known().failures == 0


def test_a_hub_that_denies_is_asked_again_later(web):
    web.tend()
    assert web.answer(web.forms[0], mode="denied", reason="no more room") == "noted"
    known = web.known()
    assert (known.state, known.detail) == (SubscriptionState.REFUSED, "the hub refuses: no more room")
    assert web.subscribing.tend().asked == ()
    web.house.clock.forward(hours=2)
    assert web.subscribing.tend().asked == ("site",)


@pytest.mark.parametrize("change", [{"active": False}, {"websub": False}, None])
def test_a_source_that_is_taken_out_is_unsubscribed(web, change):
    web.tend()
    web.answer(web.forms[0])
    web.use(*([source(web.site.address + "/feed", **change)] if change else []))
    # A removed source has no allow_private any more, and this hub is on this machine: it is told when it may be.
    web.subscribing.tend()
    if change is not None:
        assert web.forms[-1]["hub.mode"] == "unsubscribe"
        assert web.answer(web.forms[-1]) == "c-1"
        assert web.known() is None
        return
    assert web.known().state is SubscriptionState.LEAVING
    for _ in range(4):
        web.house.clock.forward(days=1)
        web.subscribing.tend()
    assert web.known() is None


def test_a_desk_that_nobody_can_reach_asks_only_where_that_is_allowed(web):
    public = source(web.site.address + "/feed", allow_private=False)
    web.watching.watch()
    web.use(public, base_url="http://127.0.0.1:8321")
    assert web.subscribing.tend().asked == ()
    web.use(source(web.site.address + "/feed"), base_url="http://127.0.0.1:8321")
    assert web.subscribing.tend().asked == ("site",)


@pytest.mark.parametrize(
    ("base_url", "open_to_all"),
    [("https://desk.tidal.org", True), ("http://93.184.216.34", True), ("http://127.0.0.1:8321", False),
     ("http://localhost", False), ("http://[::1]:8", False), ("http://10.0.0.5", False), ("http://desk", False),
     ("http://desk.local", False), ("", False)],
)  # fmt: skip
def test_who_can_reach_an_address(base_url, open_to_all):
    assert is_reachable(base_url) == open_to_all


def test_a_channels_hub_is_known_without_its_feed_saying_so(web):
    channel = "UC" + "a" * 22
    web.site.serve("/feeds/videos.xml", b"<feed xmlns='http://www.w3.org/2005/Atom'><title>TCN</title></feed>")
    web.use(source(f"{web.site.address}/feeds/videos.xml?channel_id={channel}", id="channel", kind="youtube"))
    assert web.tend().asked == ("channel",)
    assert web.forms[0]["hub.topic"] == f"https://www.youtube.com/xml/feeds/videos.xml?channel_id={channel}"


def test_a_feed_that_changes_its_hub_is_followed_there(web):
    web.tend()
    web.answer(web.forms[0])
    web.site.routes["/hub2"] = web.site.routes["/hub"]
    links = f'<{web.site.address}/hub2>; rel="hub", <{web.site.address}/feed>; rel="self"'
    web.site.serve("/feed", feed(web.house, "Tide"), Link=links)
    web.house.clock.forward(hours=1)
    result = web.tend()
    assert (result.asked, result.ended) == (("site",), ("site",))
    assert [form["hub.mode"] for form in web.forms] == ["subscribe", "unsubscribe", "subscribe"]
