"""What is handed to SendGrid ahead of its time: it leaves by its clock, or is called back in time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from local_server import running_server
from pregon.channels.sendgrid import SendGridChannel
from pregon.channels.sendgrid.payload import build_payload
from pregon.sandbox import Sandbox, accounts
from pregon.sandbox.sendgrid_rules import find_problems
from pregon.types import DeliveryState, Outcome

from .builders import calls, newsletter, sendgrid_channel, writes


def soon(**delta: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(**delta)


def test_it_leaves_at_its_time_and_not_before(sandbox: Sandbox) -> None:
    channel, leaves_at = sendgrid_channel(sandbox), soon(minutes=30)
    batch_id = channel.open_batch()
    assert isinstance(batch_id, str)
    handed = replace(newsletter("ada@portamar.example", "b@c.example"), leaves_at=leaves_at, batch_id=batch_id)
    outcomes = channel.send(handed)
    assert {(each.state, each.leaves_at) for each in outcomes} == {(DeliveryState.SENT, leaves_at)}
    assert (build_payload(handed)["send_at"], build_payload(handed)["batch_id"]) == (leaves_at.timestamp(), batch_id)
    assert sandbox.read("mails") == []
    assert len(sandbox.read("scheduled")) == 2
    sandbox.set_clock((leaves_at - timedelta(seconds=30)).isoformat())
    assert sandbox.read("mails") == []
    sandbox.set_clock(leaves_at.isoformat())
    assert [mail["created_at"] for mail in sandbox.read("mails")] == [leaves_at.isoformat()] * 2
    assert len(sandbox.read("mails")) == 2, "it left a second time"


def test_every_batch_that_the_sandbox_opens_may_be_called_back_by_the_description(sandbox: Sandbox) -> None:
    channel = sendgrid_channel(sandbox)
    ids = {channel.open_batch() for _ in range(200)}
    assert len(ids) == 200
    assert all(isinstance(each, str) and re.match("[a-zA-Z0-9]", each) for each in ids), ids


@pytest.mark.parametrize(("before", "leaves"), [(10.5, False), (9.5, True)])
def test_called_back_it_is_discarded_if_that_was_ten_minutes_before(
    sandbox: Sandbox, before: float, leaves: bool
) -> None:
    channel, leaves_at = sendgrid_channel(sandbox), soon(minutes=30)
    batch_id = channel.open_batch()
    assert isinstance(batch_id, str)
    channel.send(replace(newsletter(), leaves_at=leaves_at, batch_id=batch_id))
    assert channel.read_batch(batch_id) == ""
    sandbox.set_clock((leaves_at - timedelta(minutes=before)).isoformat())
    channel.cancel_batch(batch_id, "")
    assert channel.read_batch(batch_id) == "cancel"
    sandbox.set_clock(leaves_at.isoformat())
    assert bool(sandbox.read("mails")) is leaves


def test_what_was_called_back_is_in_the_log_and_proves_nothing(sandbox: Sandbox) -> None:
    channel, leaves_at = sendgrid_channel(sandbox), soon(minutes=30)
    shipment = newsletter()
    for back in (True, False):
        batch_id = channel.open_batch()
        assert isinstance(batch_id, str)
        channel.send(replace(shipment, leaves_at=leaves_at, batch_id=batch_id))
        if back:
            channel.cancel_batch(batch_id, "")
            sandbox.set_clock(leaves_at.isoformat())
            assert channel.settle(shipment)[0].state is DeliveryState.PENDING
            assert calls(sandbox, "POST", "/v3/logs") == 1
            leaves_at += timedelta(minutes=30)
    sandbox.set_clock(leaves_at.isoformat())
    assert [each.state for each in channel.settle(shipment)] == [DeliveryState.SENT]


def test_a_paused_batch_is_cancelled_by_changing_it_and_a_resumed_one_leaves(sandbox: Sandbox) -> None:
    channel = sendgrid_channel(sandbox)
    batch_id = channel.open_batch()
    assert isinstance(batch_id, str)
    address = f"{sandbox.sendgrid_url}/v3/user/scheduled_sends"
    headers = {"Authorization": f"Bearer {accounts.SENDGRID_API_KEY}"}
    with httpx.Client(trust_env=False, headers=headers) as client:
        assert client.post(address, json={"batch_id": batch_id, "status": "pause"}).status_code == 201
        channel.cancel_batch(batch_id, "")
        assert channel.read_batch(batch_id) == "pause", "the first status is changed by PATCH alone"
        channel.cancel_batch(batch_id, "pause")
        assert client.get(address).json() == [{"batch_id": batch_id, "status": "cancel"}]
        assert client.delete(f"{address}/{batch_id}").status_code == 204
        assert client.delete(f"{address}/{batch_id}").status_code == 404
    assert channel.read_batch(batch_id) == ""


def test_no_more_than_ten_are_called_back_at_once(sandbox: Sandbox) -> None:
    channel, leaves_at = sendgrid_channel(sandbox), soon(minutes=30)
    batches = [str(channel.open_batch()) for _ in range(11)]
    for number, batch_id in enumerate(batches):
        channel.send(replace(newsletter(f"{number}@c.example"), leaves_at=leaves_at, batch_id=batch_id))
        channel.cancel_batch(batch_id, "")
    assert [channel.read_batch(batch_id) for batch_id in batches] == ["cancel"] * 10 + [""]
    sandbox.set_clock(leaves_at.isoformat())
    assert [mail["to_email"] for mail in sandbox.read("mails")] == ["10@c.example"]


@pytest.mark.parametrize(
    ("changes", "field"), [({"leaves_at": soon(hours=73)}, "send_at"), ({"batch_id": "made up"}, "batch_id")]
)
def test_a_time_too_far_and_an_unknown_batch_are_refused(
    sandbox: Sandbox, changes: dict[str, object], field: str
) -> None:
    (outcome,) = sendgrid_channel(sandbox).send(replace(newsletter(), **changes))
    assert outcome.state is DeliveryState.FAILED
    assert json.loads(outcome.raw)["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("fault", "pauses", "waits"),
    [
        ("drop_after_accept", False, False),
        ("500_but_done", False, False),
        ("partial", False, False),
        ("429", False, True),
        ("401", True, False),
    ],
)
def test_without_a_batch_nothing_is_sent_and_it_is_tried_again(
    sandbox: Sandbox, fault: str, pauses: bool, waits: bool
) -> None:
    sandbox.set_fault("sendgrid", fault, on="batch")
    found = sendgrid_channel(sandbox).open_batch()
    assert isinstance(found, Outcome)
    assert (found.state, bool(found.pause), bool(found.retry_after)) == (DeliveryState.PENDING, pauses, waits)


@pytest.mark.parametrize("body", [b'{"batch_id": null}', b'{"batch_id": ""}', b"{}", b"[]", b"null", b"<html>"])
def test_a_batch_without_a_name_is_none(body: bytes) -> None:
    """Mails with an empty name could not be called back, and those with another one would be refused for good."""
    with running_server() as server:
        server.serve("/v3/mail/batch", body, 201)
        found = SendGridChannel("key", host=server.address).open_batch()
    assert isinstance(found, Outcome)
    assert (found.state, found.is_unsent) == (DeliveryState.PENDING, True)


def test_a_call_back_whose_answer_is_lost_is_read(sandbox: Sandbox) -> None:
    channel = sendgrid_channel(sandbox)
    for fault, status in (("drop_after_accept", "cancel"), ("500_but_done", "cancel"), ("drop_before_accept", "")):
        batch_id = str(channel.open_batch())
        sandbox.set_fault("sendgrid", fault, on="cancel")
        channel.cancel_batch(batch_id, "")
        sandbox.set_fault("sendgrid", "502", on="read")
        assert channel.read_batch(batch_id) is None, "who was not asked has said nothing"
        assert channel.read_batch(batch_id) == status


def test_a_trial_is_checked_and_nothing_is_sent(sandbox: Sandbox) -> None:
    channel, mail = sendgrid_channel(sandbox), newsletter()
    assert channel.try_out(mail) == ""
    assert writes(sandbox, "/v3/mail/send") == 1
    assert sandbox.read("mails") == []
    twice = replace(mail, deliveries=(*mail.deliveries, *mail.deliveries))
    assert "unique" in channel.try_out(twice)
    sandbox.set_fault("sendgrid", "401")
    assert "invalid, expired, or revoked" in channel.try_out(mail)
    wrong = build_payload(mail) | {"mail_settings": {"sandbox_mode": {"enable": "true"}}}
    assert find_problems(wrong) == [("The enable parameter must be a boolean.", "mail_settings.sandbox_mode.enable")]
