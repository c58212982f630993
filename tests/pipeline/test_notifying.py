"""Hooks: what is told, once, signed; and what becomes of it when nobody answers. The receiver is real HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pregon.bootstrap import build_pipeline
from pregon.errors import NotAllowedError, PregonError
from pregon.pipeline import EVENTS
from pregon.sources.post import post_message
from pregon.types import Decision, Role, User

ADMIN = User(1, "ada", Role.ADMIN)


@dataclass
class Receiver:
    """Somebody who is told; answers what the test says."""

    url: str = ""
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def events(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]

    def serve(self) -> ThreadingHTTPServer:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, self.rfile.read(length)))
                self.send_response(receiver.status)
                self.send_header("Location", f"{receiver.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    server = one.serve()
    yield one
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_house(house):
    """The same house, with hooks allowed on this machine."""
    desk = house.settings.desk.model_copy(
        update={"hooks": house.settings.desk.hooks.model_copy(update={"allow_private": True})}
    )
    settings = house.settings.model_copy(update={"desk": desk})
    house.pipeline.store.close()
    house.pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    return house


def test_a_campaign_is_told_from_its_opening_to_its_end_each_event_once(open_house, receiver):
    house, notifying = open_house, open_house.pipeline.notifying
    before = house.open_campaign("circular-12-2026.en.md")
    _, secret = notifying.add_hook(receiver.url, EVENTS, ADMIN)
    assert notifying.notify() == 0, "what stood before the hook is no news"
    house.clock.forward(minutes=1)
    slug = house.open_campaign()
    assert (notifying.notify(), notifying.notify()) == (1, 0)
    house.approve(slug, "x")
    assert notifying.notify() == 1
    house.pipeline.delivering.deliver()
    assert notifying.notify() == 1
    house.clock.forward(hours=1)
    assert notifying.notify() == 0
    assert receiver.events() == ["campaign.opened", "draft.approved", "campaign.sent"]
    assert before not in str(receiver.got)
    for headers, body in receiver.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert abs(int(headers["webhook-timestamp"]) - house.clock.at.timestamp()) <= 3700
        told = json.loads(body)["data"]
        assert told["campaign"] == slug
        assert told["url"].startswith(house.settings.base_url)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 3


def test_a_withdrawal_and_what_hangs_are_told(open_house, receiver):
    house, notifying = open_house, open_house.pipeline.notifying
    notifying.add_hook(receiver.url, ("draft.withdrawn", "delivery.held"), ADMIN)
    slug = house.open_campaign()
    house.approve(slug, "email")
    view = house.draft(slug, "email")
    house.pipeline.reviewing.decide(view.draft.id, Decision.WITHDRAWN, view.revision.digest, house.officer)
    assert notifying.notify() == 1
    house.approve(slug, "x")
    house.clock.forward(hours=49)
    house.pipeline.delivering.deliver()
    notifying.notify()
    assert receiver.events() == ["draft.withdrawn", "delivery.held"]
    told = json.loads(receiver.got[1][1])["data"]
    assert (told["campaign"], told["channel"], told["language"]) == (slug, "x", house.draft(slug, "x").draft.language)
    (row, *_) = [row for row in house.pipeline.reviewing.who(slug) if row.state == "held"]
    assert told["reasons"] == [{"reason": row.reason, "count": told["count"]}]


def test_why_something_hangs_is_told_without_addresses(open_house, receiver):
    house, notifying = open_house, open_house.pipeline.notifying
    notifying.add_hook(receiver.url, ("delivery.unknown",), ADMIN)
    slug = house.open_campaign()
    house.approve(slug, "email")
    with house.pipeline.store.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE deliveries SET state = 'unknown', reason = CASE WHEN contact_id = (SELECT min(contact_id) FROM deliveries "
            "WHERE state = 'pending') THEN 'timed out' ELSE 'no answer for <' || address || '>' END WHERE state = 'pending'"
        )
        connection.exec_driver_sql("UPDATE funnel_marks SET mark = mark + 1")
    notifying.notify()
    ((_, body),) = receiver.got
    count = json.loads(body)["data"]["count"]
    reasons = [{"reason": "no answer for …", "count": count - 1}, {"reason": "timed out", "count": 1}]
    assert json.loads(body)["data"]["reasons"] == reasons
    assert b"@" not in body


def test_it_is_repeated_with_growing_pauses_and_given_up_after_a_day(open_house, receiver):
    house, notifying = open_house, open_house.pipeline.notifying
    notifying.add_hook(receiver.url, ("campaign.opened",), ADMIN)
    house.open_campaign()
    receiver.status = 500
    began = house.clock.at
    for _ in range(40):
        notifying.notify()
        house.clock.forward(hours=1)
    assert len(receiver.got) == 8
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1, "a receiver can tell a repetition"
    (view,) = notifying.list_hooks(ADMIN)
    assert (view.waiting, view.given_up, view.hook.last_result) == (0, 1, "answered 500")
    last = int(receiver.got[-1][0]["webhook-timestamp"]) - began.timestamp()
    assert 20 * 3600 < last < 30 * 3600


def test_a_late_answer_is_no_loss(open_house, receiver):
    house, notifying = open_house, open_house.pipeline.notifying
    notifying.add_hook(receiver.url, ("campaign.opened",), ADMIN)
    house.open_campaign()
    house.open_campaign("circular-12-2026.en.md")
    receiver.status = 503
    notifying.notify()
    assert len(receiver.got) == 1, "one silence is enough for this pass"
    receiver.status = 200
    house.clock.forward(minutes=1)
    assert notifying.notify() == 2


def test_a_redirect_is_not_followed_and_410_ends_the_hook(open_house, receiver):
    house, notifying = open_house, open_house.pipeline.notifying
    hook, _ = notifying.add_hook(receiver.url, ("campaign.opened",), ADMIN)
    receiver.status = 302
    assert notifying.test(hook, ADMIN) == "answered 302"
    assert len(receiver.got) == 1
    receiver.status = 410
    house.open_campaign()
    notifying.notify()
    (view,) = notifying.list_hooks(ADMIN)
    assert not view.hook.active
    assert "switched off" in view.hook.last_result
    notifying.switch(hook, ADMIN, on=True)
    receiver.status = 204
    assert notifying.test(hook, ADMIN) == "answered 204"
    assert receiver.events()[-1] == "hook.test"
    notifying.remove(hook, ADMIN)
    assert notifying.list_hooks(ADMIN) == ()


def test_two_workers_tell_it_once(open_house, receiver):
    house, first = open_house, open_house.pipeline.notifying
    first.add_hook(receiver.url, ("campaign.opened",), ADMIN)
    house.open_campaign()
    workers = [threading.Thread(target=first.notify) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert receiver.events() == ["campaign.opened"]


def test_only_an_admin_and_only_public_addresses(house, receiver):
    notifying = house.pipeline.notifying
    with pytest.raises(NotAllowedError):
        notifying.add_hook("https://example.org/", EVENTS, User(2, "ed", Role.APPROVER))
    for url in (
        "http://example.org/",
        "https://a:b@example.org/",
        "ftp://x/",
        "https://",
        "https://a b/",
        "https://[x",
        "",
    ):
        with pytest.raises(PregonError):
            notifying.add_hook(url, EVENTS, ADMIN)
    with pytest.raises(PregonError):
        notifying.add_hook("https://example.org/", (), ADMIN)
    with pytest.raises(PregonError):
        notifying.add_hook("https://example.org/", ("made.up",), ADMIN)
    hook, secret = notifying.add_hook("https://127.0.0.1:1/", EVENTS, ADMIN)
    assert "private network" in notifying.test(hook, ADMIN)
    status, detail = post_message(receiver.url, {}, b"{}", timeout=2, allow_private=False)
    assert (status, "private network" in detail, receiver.got) == (None, True, [])
    stored = house.pipeline.store.read_hook(hook)
    assert secret not in stored.secret
