from __future__ import annotations

import socket
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from requests_oauthlib import OAuth1

from pregon.channels.sendgrid import SendGridChannel
from pregon.errors import PregonError
from pregon.sandbox import Sandbox, accounts, read_webhook_key, running_sandbox, serve_sandbox
from pregon.types import (
    ChannelName,
    Content,
    DeliveryState,
    EventType,
    MailBody,
    Outgoing,
    Sender,
    Shipment,
    SuppressionReason,
)

from .desk import Desk, running_desk

LINKS = ("https://tidalcities.example/en/58", "https://tidalcities.example/en/join")
HTML = "".join(f'<a href="{link}">x</a>' for link in LINKS) + '<a href="-unsubscribe_url-">Leave</a>'


def send(sandbox: Sandbox, desk: Desk, *addresses: str, tracking: bool = True, asked_for: bool = False) -> None:
    content = Content(
        ChannelName.EMAIL,
        "en",
        "2026-circular-58",
        MailBody("Circular 58", "", HTML, "x", ""),
        sender=Sender("TCN", "news@tidalcities.example"),
    )
    people = tuple(
        Outgoing(f"d-{address}", index, address, substitutions={"-unsubscribe_url-": f"{desk.url}/u/{index}"})
        for index, address in enumerate(addresses)
    )
    channel = SendGridChannel(accounts.SENDGRID_API_KEY, host=sandbox.sendgrid_url)
    shipment = Shipment(content, people, track_opens=tracking, track_clicks=tracking, was_asked_for=asked_for)
    outcomes = channel.send(shipment)
    assert {str(outcome.state) for outcome in outcomes} == {"sent"}
    sandbox.set_webhook(f"{desk.url}/webhooks/sendgrid")


def kinds(desk: Desk, address: str) -> list[str]:
    unique = {event.key: event for event in desk.events if event.address == address}
    return sorted(str(event.type) for event in unique.values())


FATES = ("bounce", "block", "complain", "unsubscribe", "scanner", "click", "open", "machine", "ignore")


def test_each_fate_sends_its_signed_events(sandbox: Sandbox) -> None:
    with running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, *(f"a+{fate}@b.example" for fate in FATES))
        counts = sandbox.react()
        assert (counts["mails"], counts["unsubscribes"], counts["scans"], counts["waiting"]) == (9, 1, 1, 0)
    assert kinds(desk, "a+bounce@b.example") == ["bounced", "processed"]
    assert kinds(desk, "a+complain@b.example") == ["complained", "delivered", "opened", "processed"]
    assert kinds(desk, "a+click@b.example") == ["clicked", "delivered", "opened", "processed"]
    assert kinds(desk, "a+scanner@b.example") == ["clicked", "clicked", "delivered", "processed"]
    assert kinds(desk, "a+ignore@b.example") == ["delivered", "processed"]
    assert {event.machine_open for event in desk.events if event.address == "a+machine@b.example"} == {True, False}
    permanent = {event.address: event.permanent for event in desk.events if event.type is EventType.BOUNCED}
    assert permanent == {"a+bounce@b.example": True, "a+block@b.example": False}
    assert {event.delivery_id for event in desk.events} == {f"d-a+{fate}@b.example" for fate in FATES}


def test_sendgrid_drops_what_its_own_lists_say_until_it_is_told_otherwise(sandbox: Sandbox) -> None:
    channel, bounced, out = (
        SendGridChannel(accounts.SENDGRID_API_KEY, host=sandbox.sendgrid_url),
        "a+bounce@b.example",
        "c@b.example",
    )

    def receive(
        *addresses: str, asked_for: bool = False
    ) -> list[tuple[str | None, EventType, SuppressionReason | None]]:
        with running_desk(sandbox.webhook_key) as desk:
            send(sandbox, desk, *addresses, asked_for=asked_for)
            sandbox.react()
        return sorted({(event.address, event.type, event.kept_out) for event in desk.events if event.type in told})

    told = (EventType.BOUNCED, EventType.DELIVERED, EventType.DROPPED)
    assert receive(bounced) == [(bounced, EventType.BOUNCED, None)]
    assert receive(bounced) == [(bounced, EventType.DROPPED, SuppressionReason.BOUNCED)]
    assert channel.tell_addresses("release", [bounced]).state is DeliveryState.SENT
    assert receive(bounced) == [(bounced, EventType.BOUNCED, None)]
    assert channel.tell_addresses("suppress", [out]).state is DeliveryState.SENT
    assert receive(out) == [(out, EventType.DROPPED, SuppressionReason.UNSUBSCRIBED)]
    assert receive(out, asked_for=True) == [(out, EventType.DELIVERED, None)]
    assert channel.tell_addresses("release", [out]).state is DeliveryState.SENT
    assert receive(out) == [(out, EventType.DELIVERED, None)]


@pytest.mark.parametrize("fault", ["401", "502", "429", "drop_after_accept"])
@pytest.mark.parametrize("after", range(4))
def test_a_release_that_is_refused_half_way_is_told_again(sandbox: Sandbox, fault: str, after: int) -> None:
    channel, address = SendGridChannel(accounts.SENDGRID_API_KEY, host=sandbox.sendgrid_url), "a+bounce@b.example"
    with running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, address)
        sandbox.react()
    channel.tell_addresses("suppress", [address])
    for _ in range(after):
        sandbox.set_fault("sendgrid", "slow", seconds=0)
    sandbox.set_fault("sendgrid", fault)
    assert channel.tell_addresses("release", [address]).state is DeliveryState.PENDING
    assert channel.tell_addresses("release", [address]).state is DeliveryState.SENT
    assert sandbox.read("suppressions") == []
    with running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, address)
        sandbox.react()
    assert EventType.DROPPED not in {event.type for event in desk.events}


def test_the_unsubscriber_posts_one_click_and_the_scanner_only_looks(sandbox: Sandbox) -> None:
    with running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, "a+unsubscribe@b.example", "a+scanner@b.example")
        sandbox.react()
    assert sorted(desk.calls) == [("GET", "/u/1", b""), ("POST", "/u/0", b"List-Unsubscribe=One-Click")]


def test_without_tracking_there_are_no_opens_and_no_clicks(sandbox: Sandbox) -> None:
    with running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, *(f"a+{fate}@b.example" for fate in FATES), tracking=False)
        sandbox.react()
    assert {event.type for event in desk.events}.isdisjoint({EventType.OPENED, EventType.CLICKED})
    assert {event.type for event in desk.events} >= {EventType.DELIVERED, EventType.BOUNCED}


def test_clicks_are_links_of_the_mail_and_a_scanner_is_fast(sandbox: Sandbox) -> None:
    with running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, "a+click@b.example", "a+scanner@b.example")
        sandbox.react()
    clicks = [event for event in desk.events if event.type is EventType.CLICKED]
    assert {event.url for event in clicks} == set(LINKS)
    delivered = {event.address: event.at for event in desk.events if event.type is EventType.DELIVERED}
    waits = {(click.address, (click.at - delivered[str(click.address)]).total_seconds() < 10) for click in clicks}
    assert waits == {("a+scanner@b.example", True), ("a+click@b.example", False)}


def test_events_wait_while_the_desk_is_down_and_then_come_once_or_twice(sandbox: Sandbox) -> None:
    with running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, *(f"reader{number}@b.example" for number in range(120)))
        desk.is_down = True
        assert sandbox.react()["events"] == 0
        desk.is_down = False
        pushed = sandbox.react()
        assert sandbox.react()["events"] == 0
    seen = Counter(event.key for event in desk.events)
    assert len(seen) == pushed["events"]
    assert desk.batches > 1
    assert set(seen.values()) == {1, 2}
    times = [event.at for event in desk.events]
    assert times != sorted(times)


def test_only_what_is_due_happens_by_a_given_time(sandbox: Sandbox) -> None:
    with running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, "a+click@b.example")
        soon = datetime.now(UTC) + timedelta(seconds=10)
        assert sandbox.react(soon.isoformat())["waiting"] == 2
        assert kinds(desk, "a+click@b.example") == ["delivered", "processed"]
        assert sandbox.react((soon + timedelta(hours=1)).isoformat())["waiting"] == 0


def test_two_runs_of_a_campaign_read_alike() -> None:
    runs = []
    for _ in range(2):
        with running_sandbox(seed="s") as sandbox, running_desk(sandbox.webhook_key) as desk:
            send(sandbox, desk, *(f"reader{number}@b.example" for number in range(60)))
            sandbox.react()
        runs.append({address: kinds(desk, address) for address in {str(event.address) for event in desk.events}})
    assert runs[0] == runs[1]
    assert len({tuple(names) for names in runs[0].values()}) > 3


def test_a_restarted_sandbox_remembers(tmp_path: Path) -> None:
    path = tmp_path / "sandbox" / "state.db"
    key = read_webhook_key(path)
    with running_sandbox(path) as first, running_desk(first.webhook_key) as desk:
        send(first, desk, "a+click@b.example")
        first.react()
    with running_sandbox(path) as second:
        assert second.webhook_key == first.webhook_key == key
        assert [mail["to_email"] for mail in second.read("mails")] == ["a+click@b.example"]
        assert second.react()["mails"] == 0
        assert second.read("playlists") == {name: list(videos) for name, (_, videos) in accounts.PLAYLISTS.items()}


def test_readers_act_by_themselves_when_asked_to() -> None:
    with running_sandbox(react_every=0.05) as sandbox, running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, "a+bounce@b.example")
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        while not desk.events and datetime.now(UTC) < deadline:
            sandbox.read("events")
    assert kinds(desk, "a+bounce@b.example")[-1] == "processed"


def test_nothing_outside_this_machine_is_called(sandbox: Sandbox) -> None:
    with pytest.raises(PregonError, match="this machine only"):
        sandbox.set_webhook("https://desk.example/webhooks/sendgrid")
    with pytest.raises(PregonError, match="this machine only"), running_sandbox(host="0.0.0.0"):
        pass


def test_a_taken_port_is_one_sentence(sandbox: Sandbox, tmp_path: Path) -> None:
    port = int(sandbox.url.rsplit(":", 1)[1])
    with pytest.raises(PregonError, match="cannot listen on"):
        serve_sandbox("127.0.0.1", port, tmp_path / "state.db")


def test_unknown_names_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(PregonError, match="there is no fault"):
        sandbox.set_fault("x", "gremlins")
    with pytest.raises(PregonError, match="use one of"):
        sandbox.read("nothing")


def test_only_signatures_for_the_own_address_of_x_hold(sandbox: Sandbox) -> None:
    url = f"{sandbox.x_url}/2/users/me"
    keys = (
        accounts.X_CONSUMER_KEY,
        accounts.X_CONSUMER_SECRET,
        accounts.X_ACCESS_TOKEN,
        accounts.X_ACCESS_TOKEN_SECRET,
    )
    local = requests.get(url, auth=OAuth1(*keys), timeout=5)
    none = requests.get(url, headers={"Authorization": "Bearer nothing"}, timeout=5)
    signed = requests.Request("GET", "https://api.twitter.com/2/users/me", auth=OAuth1(*keys)).prepare()
    own = requests.get(url, headers={"Authorization": signed.headers["Authorization"]}, timeout=5)
    assert [local.status_code, none.status_code, own.status_code] == [401, 401, 200]


def test_events_come_as_badly_as_asked_for(sandbox: Sandbox) -> None:
    with running_desk(sandbox.webhook_key) as desk:
        send(sandbox, desk, "a+click@b.example")
        sandbox.set_fault("sendgrid", "events_late")
        assert sandbox.react()["events"] == 0
        sandbox.set_fault("sendgrid", "events_unsigned")
        assert sandbox.react()["events"] == 0
        assert desk.events == []
        sandbox.set_fault("sendgrid", "events_repeated")
        count = sandbox.react()["events"]
        assert set(Counter(event.key for event in desk.events).values()) <= {46, 92}
        assert len({event.key for event in desk.events}) == count


def test_events_come_the_last_first_and_before_the_answer(sandbox: Sandbox) -> None:
    with running_desk(sandbox.webhook_key) as desk:
        sandbox.set_webhook(f"{desk.url}/webhooks/sendgrid")
        sandbox.set_fault("sendgrid", "events_early")
        sandbox.set_fault("sendgrid", "events_reversed")
        send(sandbox, desk, "a+click@b.example")
        assert sandbox.react()["events"] == 0
    times = [event.at for event in {event.key: event for event in desk.events}.values()]
    assert len(times) > 3
    assert times == sorted(times, reverse=True)


def test_a_client_that_is_killed_in_the_middle_of_its_request_leaves_no_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with running_sandbox() as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        head = "POST /sendgrid/v3/mail/send HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        key = f"Authorization: Bearer {accounts.SENDGRID_API_KEY}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"{head}{key}begun".encode())
        assert not sandbox.read("mails")  # and it goes on
    assert "Traceback" not in capfd.readouterr().err
