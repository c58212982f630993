"""OAuth 2 on X: refresh tokens work once, so the next one is kept before anything is posted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pregon.channels.x import UserTokens, XChannel
from pregon.channels.x.tokens import TokenEndedError
from pregon.sandbox import Sandbox, accounts
from pregon.types import DeliveryState, Media, Outgoing

from .builders import calls, thread, writes

SENT, PENDING, UNKNOWN = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN


class Drawer:
    """Keeps one credential as the database does: a write counts only on what was read."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.history: list[str] = []

    def read(self) -> str | None:
        return self.value

    def write(self, value: str) -> bool:
        self.value = value
        self.history.append(value)
        return True


class Clock:
    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at


def tokens(sandbox: Sandbox, drawer: Drawer, clock: Clock, first: str = accounts.X_REFRESH_TOKEN) -> UserTokens:
    entry = (accounts.X_CLIENT_ID, accounts.X_CLIENT_SECRET, first, drawer)
    return UserTokens(*entry, timeout=1, clock=clock, base_url=sandbox.x_url, sleep=lambda _seconds: None)


def channel(sandbox: Sandbox, given: UserTokens) -> XChannel:
    return XChannel("", "", "", "", tokens=given, base_url=sandbox.x_url, timeout=1, grace_seconds=0)


def test_a_thread_with_a_picture_is_posted_settled_and_counted_with_tokens(sandbox: Sandbox) -> None:
    x = channel(sandbox, tokens(sandbox, Drawer(), Clock()))
    picture = Media("quay.gif", "image/gif", b"GIF made up", "The quay")
    shipment = thread("One", "Two", media=(picture,))
    first = x.send(shipment)[0]
    assert first.state is SENT
    assert x.send(thread("One", "Two", position=1, reply_to_id=first.provider_id))[0].state is SENT
    assert sandbox.read("media")[0]["alt_text"] == "The quay"
    assert x.settle(shipment)[0].provider_id == first.provider_id
    assert x.sample((Outgoing("post-0", 0, "@a", provider_id=first.provider_id),), datetime.now(UTC))
    assert calls(sandbox, "POST", "/2/oauth2/token") == 1


def test_each_renewal_is_kept_before_it_is_used_and_outlives_a_restart(sandbox: Sandbox) -> None:
    drawer, clock = Drawer(), Clock()
    for count in range(1, 4):
        given = tokens(sandbox, drawer, clock)  # a new process each time
        assert channel(sandbox, given).send(thread(f"Post {count}"))[0].state is SENT
        assert len(drawer.history) == count
        clock.at += timedelta(hours=2)
    assert len(set(drawer.history)) == 3


def test_a_token_is_not_renewed_while_it_is_valid(sandbox: Sandbox) -> None:
    drawer, clock = Drawer(), Clock()
    given = tokens(sandbox, drawer, clock)
    assert given.give() == given.give() == tokens(sandbox, drawer, clock).give()
    assert len(drawer.history) == 1


def test_an_ended_authorisation_pauses_and_a_new_configured_token_goes_on(sandbox: Sandbox) -> None:
    drawer, clock = Drawer(), Clock()
    ended = channel(sandbox, tokens(sandbox, drawer, clock, "made-up")).send(thread("Hello"))[0]
    assert (ended.state, ended.pause) == (PENDING, "credentials")
    assert "connect the account again" in ended.detail
    assert writes(sandbox, "/2/tweets") == 0
    assert channel(sandbox, tokens(sandbox, drawer, clock)).send(thread("Hello"))[0].state is SENT


def test_a_token_that_ends_early_is_renewed_once(sandbox: Sandbox) -> None:
    x = channel(sandbox, tokens(sandbox, Drawer(), Clock()))
    assert x.send(thread("One"))[0].state is SENT
    sandbox.set_fault("x", "401", times=2)
    first = x.send(thread("Two"))[0]
    assert (first.state, first.pause) == (PENDING, None)
    again = x.send(thread("Two"))[0]
    assert (again.state, again.pause) == (PENDING, "credentials")
    assert x.send(thread("Two"))[0].state is SENT
    assert len(sandbox.read("posts")) == 2


def test_without_an_answer_of_the_token_address_nothing_is_posted_and_nothing_settled(sandbox: Sandbox) -> None:
    given = tokens(sandbox, Drawer(), Clock())
    x = XChannel("", "", "", "", tokens=given, base_url="http://127.0.0.1:9/x")
    given._session.get_adapter("https://").base = "http://127.0.0.1:9/x"  # nobody listens there
    unsent = x.send(thread("One"))[0]
    assert (unsent.state, unsent.is_unsent) == (PENDING, True), "no attempt"
    assert x.settle(thread("One"))[0].state is UNKNOWN
    assert x.sample((Outgoing("post-0", 0, "@a", provider_id="1"),), datetime.now(UTC)) == ()


def test_two_processes_with_one_refresh_token_go_on_with_what_the_quicker_got(sandbox: Sandbox) -> None:
    drawer, clock = Drawer(), Clock()
    slow, quick = tokens(sandbox, drawer, clock), tokens(sandbox, drawer, clock)
    before = slow._read()
    fresh = quick.give()
    assert slow._renew(before).access == fresh
    drawer.value = None
    with pytest.raises(TokenEndedError):
        tokens(sandbox, drawer, clock).give()


def test_who_is_refused_waits_for_the_quicker_one_to_keep_what_it_got(sandbox: Sandbox) -> None:
    drawer, clock = Drawer(), Clock()
    slow, quick = tokens(sandbox, drawer, clock), tokens(sandbox, drawer, clock)
    before = slow._read()
    fresh, kept = quick.give(), drawer.value
    drawer.value = None  # X has given it, and it is not kept yet
    slow._sleep = lambda _seconds: setattr(drawer, "value", kept)
    assert slow._renew(before).access == fresh


def test_what_is_kept_is_not_shown_by_accident(sandbox: Sandbox) -> None:
    given = tokens(sandbox, Drawer(), Clock())
    given.give()
    assert repr(given._read()) == "Tokens(...)"
