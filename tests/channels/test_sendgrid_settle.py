"""A request whose answer was lost is settled by one of its mails in SendGrid's log, with few calls and never by an address alone."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pregon.sandbox import Sandbox, accounts, running_sandbox
from pregon.types import DeliveryState, Outcome, Shipment

from .builders import mail_content, recipient, sendgrid_channel

SENT, PENDING, UNKNOWN = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN
FULL = 20  # so many mails fill an answer of the log here
KEY = {"Authorization": f"Bearer {accounts.SENDGRID_API_KEY}"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "sandbox.db"


@pytest.fixture(scope="module")
def sandbox(place: Path) -> Iterator[Sandbox]:
    with running_sandbox(place) as running:
        yield running


@pytest.fixture
def campaign(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("pregon.channels.sendgrid.log.SEARCH_LIMIT", FULL)
    return str(request.node.name).replace("[", "-").rstrip("]")


def build_request(campaign: str, count: int, name: str = "a", people: str | None = None, **late: float) -> Shipment:
    """A request of so many mails; `people` to get the addresses of another one; claimed `late`."""
    at = datetime.now(UTC) + timedelta(**late)
    mails = [recipient(index, f"{people or name}{index}@towns.example") for index in range(count)]
    named = tuple(replace(mail, delivery_id=f"{campaign}-{name}-{mail.position}", attempted_at=at) for mail in mails)
    return Shipment(replace(mail_content(), campaign=campaign), named)


def states(outcomes: tuple[Outcome, ...]) -> Counter[DeliveryState]:
    return Counter(outcome.state for outcome in outcomes)


def settle(sandbox: Sandbox, request: Shipment, grace: float = 0.0) -> tuple[tuple[Outcome, ...], tuple[int, int]]:
    """The outcomes, and how many searches and how many readings of a mail they took."""
    before = count_calls(sandbox)
    outcomes = sendgrid_channel(sandbox, grace_seconds=grace).settle(request)
    searches, reads = (after - first for after, first in zip(count_calls(sandbox), before, strict=True))
    return outcomes, (searches, reads)


def count_calls(sandbox: Sandbox) -> tuple[int, int]:
    counts: dict[str, int] = sandbox.read("requests")["counts"]
    searches = sum(count for name, count in counts.items() if name.endswith("POST /sendgrid/v3/logs"))
    return searches, sum(count for name, count in counts.items() if "GET /sendgrid/v3/logs/" in name)


def hide(place: Path, campaign: str, every: int) -> None:
    """Let the log lag: of a campaign it shows one of so many mails; 1 shows none at all."""
    mine = "kind = 'mail' AND value LIKE ? AND (? = 1 OR number % ? > 0)"
    with closing(sqlite3.connect(place)) as state, state:
        state.execute(f"UPDATE records SET kind = 'late' WHERE {mine}", (f'%"{campaign}"%', every, every))


def show(place: Path) -> None:
    with closing(sqlite3.connect(place)) as state, state:
        state.execute("UPDATE records SET kind = 'mail' WHERE kind = 'late'")


def test_one_mail_of_it_settles_the_whole_request(sandbox: Sandbox, campaign: str) -> None:
    request = build_request(campaign, 15)
    sent = sendgrid_channel(sandbox).send(request)[0]
    outcomes, calls = settle(sandbox, request, grace=900)
    assert (states(outcomes), calls) == ({SENT: 15}, (1, 1))
    assert {outcome.provider_id for outcome in outcomes} == {sent.provider_id}
    (proof,) = {outcome.raw for outcome in outcomes}
    assert proof.startswith(f"{sent.provider_id}.")
    details = Counter(outcome.detail for outcome in outcomes)
    assert details == {"found in SendGrid's log": 1, "a mail of its request is in SendGrid's log": 14}
    read = next(outcome for outcome in outcomes if outcome.detail == "found in SendGrid's log")
    (mail,) = (mail for mail in sandbox.read("mails") if mail["sg_message_id"] == proof)
    assert mail["custom_args"]["pregon_delivery_id"] == read.delivery_id


def test_behind_a_full_answer_five_addresses_tell(sandbox: Sandbox, campaign: str) -> None:
    first, lost = build_request(campaign, 30), build_request(campaign, 30, "lost")
    for request in (first, build_request(campaign, 30, "b"), build_request(campaign, 30, "c")):
        sendgrid_channel(sandbox).send(request)
    found, calls = settle(sandbox, first, grace=900)
    assert (states(found), calls) == ({SENT: 30}, (2, 1))
    assert [states(settle(sandbox, lost, grace)[0]) for grace in (900, 0)] == [{UNKNOWN: 30}, {PENDING: 30}]
    assert settle(sandbox, lost)[1] == (6, 0)
    unaskable = replace(lost.deliveries[0], address='o"brien@towns.example')
    nobody = replace(lost, deliveries=(unaskable,))
    assert states(settle(sandbox, nobody)[0]) == {UNKNOWN: 1}, "what cannot be asked for is not absent"


@pytest.mark.parametrize("count", [12, 40])
def test_a_log_that_lags_frees_nothing(sandbox: Sandbox, place: Path, campaign: str, count: int) -> None:
    request = build_request(campaign, count)
    sendgrid_channel(sandbox).send(request)
    hide(place, campaign, 1)
    assert states(settle(sandbox, request, grace=900)[0]) == {UNKNOWN: count}
    show(place)
    hide(place, campaign, 2)
    assert states(settle(sandbox, request)[0]) == {SENT: count}, "half of its mails prove it"
    show(place)
    assert states(settle(sandbox, request)[0]) == {SENT: count}


@pytest.mark.parametrize("others", [12, 40])
def test_another_mail_to_the_same_address_proves_nothing(sandbox: Sandbox, campaign: str, others: int) -> None:
    request = build_request(campaign, 12)
    sendgrid_channel(sandbox).send(build_request(f"{campaign}-other", others, people="a"))
    assert settle(sandbox, request)[1] == (1, 0), "another campaign's mails are not even looked at"
    sendgrid_channel(sandbox).send(build_request(campaign, others, "correction", people="a"))
    outcomes, (searches, reads) = settle(sandbox, request)
    assert (states(outcomes), searches, reads) == ({PENDING: 12}, 1 if others < FULL else 6, 1)


def test_what_was_not_read_to_its_end_keeps_the_request_unknown(
    sandbox: Sandbox, campaign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pregon.channels.sendgrid.settle._MOST_READ", 2)
    for other in "bcd":
        sendgrid_channel(sandbox).send(build_request(campaign, 2, other, people="a"))
    outcomes, calls = settle(sandbox, build_request(campaign, 2))
    assert (states(outcomes), calls) == ({UNKNOWN: 2}, (1, 2))


def test_an_earlier_request_settles_only_what_was_in_it(sandbox: Sandbox, campaign: str) -> None:
    sandbox.set_clock((datetime.now(UTC) - timedelta(minutes=20)).isoformat())
    sendgrid_channel(sandbox).send(build_request(campaign, 5))
    sandbox.set_clock(datetime.now(UTC).isoformat())
    again = build_request(campaign, 9)
    outcomes, calls = settle(sandbox, again)
    assert ([outcome.state for outcome in outcomes], calls) == ([SENT] * 5 + [UNKNOWN] * 4, (1, 1))
    rest = replace(again, deliveries=again.deliveries[5:])
    assert states(settle(sandbox, rest)[0]) == {PENDING: 4}


def test_a_claim_by_a_clock_that_was_days_off_is_found_all_the_same(sandbox: Sandbox, campaign: str) -> None:
    sendgrid_channel(sandbox).send(build_request(campaign, 2))
    for days in (-3, 3):
        outcomes, calls = settle(sandbox, build_request(campaign, 2, days=days))
        assert (states(outcomes), calls) == ({SENT: 2}, (1, 1))


def test_a_mail_whose_arguments_are_not_shown_keeps_the_request_unknown(sandbox: Sandbox, campaign: str) -> None:
    request = build_request(campaign, 3)
    unnamed = {
        "personalizations": [{"to": [{"email": request.deliveries[1].address}]}],
        "from": {"email": "news@tidalcities.example"},
        "subject": "S",
        "content": [{"type": "text/plain", "value": "x"}],
        "categories": [campaign],
    }
    assert httpx.post(f"{sandbox.sendgrid_url}/v3/mail/send", json=unnamed, headers=KEY).status_code == 202
    assert states(settle(sandbox, request)[0]) == {UNKNOWN: 3}


@pytest.mark.parametrize(
    ("fault", "least", "most", "words"),
    [("429_with_reset", 20, 30, "asks to wait"), ("502", 0, 0, "could not be read"), ("401", None, None, "could not")],
)
def test_a_log_that_cannot_be_asked_says_whether_to_go_on(
    sandbox: Sandbox, campaign: str, fault: str, least: float | None, most: float | None, words: str
) -> None:
    sandbox.set_fault("sendgrid", fault, on="read")
    outcomes, calls = settle(sandbox, build_request(campaign, 3))
    assert (states(outcomes), calls) == ({UNKNOWN: 3}, (1, 0))
    wait = outcomes[0].retry_after
    assert wait is None if least is None or most is None else wait is not None and least <= wait <= most
    assert words in outcomes[0].detail


# --- the stand-in's log


def ask(sandbox: Sandbox, query: str, limit: Any = 1000) -> httpx.Response:
    return httpx.post(f"{sandbox.sendgrid_url}/v3/logs", json={"query": query, "limit": limit}, headers=KEY)


def test_the_log_keeps_to_its_conditions(sandbox: Sandbox, campaign: str) -> None:
    sendgrid_channel(sandbox).send(build_request(campaign, 3))
    sendgrid_channel(sandbox).send(build_request(campaign, 3, "b"))
    mine = f"categories IN ('{campaign}')"
    shown = ask(sandbox, mine).json()["messages"]
    times = [message["sg_message_id_created_at"] for message in shown]
    assert (len(shown), times) == (6, sorted(times, reverse=True)), "newest first"
    assert ask(sandbox, mine, 2).json()["messages"] == shown[:2]
    edge = f'sg_message_id_created_at {{}} TIMESTAMP "{times[0]}"'
    found = {
        sign: len(ask(sandbox, f"{mine} AND {edge.format(sign)}").json()["messages"]) for sign in ("<", "<=", ">=", ">")
    }
    assert found == {"<": 3, "<=": 6, ">=": 3, ">": 0}
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    both = f'{mine} AND {edge.format(">=")} AND sg_message_id_created_at < TIMESTAMP "{later}"'
    assert len(ask(sandbox, both).json()["messages"]) == 3
    alone = ask(sandbox, f"""{mine} AND to_email = "B1@towns.example" AND status IN ('processed')""").json()["messages"]
    assert [message["to_email"] for message in alone] == ["b1@towns.example"]


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ('sg_message_id_created_at >= "2026-01-01T00:00:00Z"', 10),
        ('sg_message_id_created_at >= TIMESTAMP "yesterday"', 10),
        ('sg_message_id_created_at = TIMESTAMP "2026-01-01T00:00:00Z"', 10),
        ('to_email > "a@b.example"', 10),
        ('to_email = "a@b.example" OR to_email = "c@d.example"', 10),
        ("", 1001),
        ("", 0),
    ],
)
def test_the_log_refuses_what_is_no_condition(sandbox: Sandbox, query: str, limit: int) -> None:
    assert ask(sandbox, query, limit).status_code == 400
