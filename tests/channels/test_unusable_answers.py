"""A server that answers 200 to everything with what nobody can use: nothing is taken for done, and nothing for absent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests

from pregon.channels.answers import DEFAULT_WAIT, read_wait
from pregon.channels.mastodon import settle as mastodon
from pregon.channels.transport import SingleAttemptAdapter
from pregon.channels.x import settle as x
from pregon.sandbox import Sandbox
from pregon.types import DeliveryState, Outgoing

from .builders import thread
from .test_faults import WAYS

POSTS = [name for name in WAYS if name != "sendgrid"]
ANSWERS = ["", "<html><p>Back soon</p></html>", "[]", "null", '"soon"', "{}", '{"data": []}', '{"errors": [null]}']


def answer(patch: pytest.MonkeyPatch, body: str, *, only: str = "", but: tuple[str, ...] = ()) -> None:
    """Every answer (to a GET, with `only`), but those of some addresses, has this body instead."""
    send = SingleAttemptAdapter.send

    def sent(self: SingleAttemptAdapter, request: requests.PreparedRequest, **options: object) -> requests.Response:
        given = send(self, request, **options)
        if only in ("", request.method) and not str(request.url).split("?")[0].endswith(but or "?"):
            given._content, given.status_code = body.encode(), 200
        return given

    patch.setattr(SingleAttemptAdapter, "send", sent)


@pytest.mark.parametrize("body", ANSWERS)
@pytest.mark.parametrize("name", POSTS)
def test_no_sense_at_all(sandbox: Sandbox, name: str, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    channel, shipment = WAYS[name].channel(sandbox), WAYS[name].shipment()
    sandbox.set_fault(name, "drop_before_accept")
    answer(monkeypatch, body)
    assert channel.send(shipment)[0].state in (DeliveryState.PENDING, DeliveryState.UNKNOWN)
    assert channel.settle(shipment)[0].state is DeliveryState.UNKNOWN
    channel.sample([Outgoing("a", 0, "", provider_id="1")], datetime.now(UTC))


@pytest.mark.parametrize("body", ANSWERS)
@pytest.mark.parametrize("name", POSTS)
def test_only_what_lists_the_posts_makes_no_sense(
    sandbox: Sandbox, name: str, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (name, body) == ("mastodon", "[]"):
        pytest.skip("so an account without posts looks")
    channel, shipment = WAYS[name].channel(sandbox), WAYS[name].shipment()
    sandbox.set_fault(name, "drop_after_accept")
    assert channel.send(shipment)[0].state is DeliveryState.UNKNOWN
    with monkeypatch.context() as patch:
        answer(patch, body, only="GET", but=("/users/me", "/verify_credentials"))
        assert channel.settle(shipment)[0].state is DeliveryState.UNKNOWN
    assert channel.settle(shipment)[0].state is DeliveryState.SENT


@pytest.mark.parametrize(("name", "reading"), [("x", x), ("mastodon", mastodon)])
def test_what_is_older_than_what_was_read_is_not_taken_for_absent(
    sandbox: Sandbox, name: str, reading: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, lost = WAYS[name].channel(sandbox), thread("The first of four")
    sandbox.set_fault(name, "drop_after_accept")
    channel.send(lost)
    for number in range(3):
        other = thread(f"Another, {number}")
        channel.send(replace(other, deliveries=(replace(other.deliveries[0], delivery_id=f"other-{number}"),)))
    with monkeypatch.context() as patch:
        patch.setattr(reading, "PAGE", 2)
        patch.setattr(reading, "MAX_PAGES", 1)
        assert channel.settle(lost)[0].state is DeliveryState.UNKNOWN
        assert channel.settle(thread("Another, 2"))[0].state is DeliveryState.SENT
    assert channel.settle(lost)[0].state is DeliveryState.SENT


@pytest.mark.parametrize("given", ["²", "soon", "-5", "Mon, 99 Foo 2026"])
def test_a_wait_that_is_no_number_is_a_minute(given: str) -> None:
    now = datetime.now(UTC)
    assert read_wait({"Retry-After": given}, "", now) == DEFAULT_WAIT
    assert read_wait({"x-reset": given}, "x-reset", now) == DEFAULT_WAIT
