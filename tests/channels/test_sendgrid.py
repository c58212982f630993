from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pregon.channels.sendgrid import SendGridChannel
from pregon.channels.sendgrid.payload import build_payload, write_body
from pregon.channels.sendgrid.send import read_refusal
from pregon.sandbox import Sandbox, accounts
from pregon.types import DeliveryState, MailBody, OutgoingMails

from .builders import CALENDAR, LINK, mail_content, newsletter, recipient, sendgrid_channel, writes

SENT, PENDING, UNKNOWN = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN


def test_payload_is_exactly_what_leaves() -> None:
    assert build_payload(newsletter("ada@portamar.example", track_clicks=True)) == {
        "personalizations": [
            {
                "to": [{"email": "ada@portamar.example", "name": "Ada Marsh"}],
                "custom_args": {"pregon_delivery_id": "mail-0"},
                "substitutions": {"-unsubscribe_url-": "https://desk.example/u/t"},
                "headers": {
                    "List-Unsubscribe": "<https://desk.example/u/t>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                },
            }
        ],
        "from": {"email": "news@tidalcities.example", "name": "Tidal Cities Network"},
        "reply_to": {"email": "secretariat@tidalcities.example", "name": "Tidal Cities Network"},
        "subject": "Circular 58",
        "content": [
            {"type": "text/plain", "value": f"Read: {LINK}\nUnsubscribe: -unsubscribe_url-"},
            {
                "type": "text/html",
                "value": f'<a href="{LINK}">Read</a> <a clicktracking="off" href="-unsubscribe_url-">Unsubscribe</a>',
            },
        ],
        "categories": ["2026-circular-58", "en"],
        "tracking_settings": {
            "click_tracking": {"enable": True, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
            "ganalytics": {"enable": False},
        },
    }


def test_what_is_written_by_the_thousand_is_the_same_payload() -> None:
    people = [
        ('ada"%s@portamar.example', "Ada %d; Lovelace,"),
        ("bén@brackwater.example", "\u2028 Bén\\"),
        ("c@d.example", " "),
    ]
    rows = [(f"{index:032x}", address, name, 1) for index, (address, name) in enumerate(people)]
    links = {"-unsubscribe_url-": "https://desk.example/100%/unsubscribe/", "-view_url-": "https://desk.example/mail/"}
    mails = OutgoingMails(rows, [f"{row[0]}.mark" for row in rows], links, datetime.now(UTC))
    for shipment in (
        replace(newsletter(), deliveries=mails),
        newsletter("ada@portamar.example", "ben@brackwater.example"),
    ):
        assert write_body(shipment) == json.dumps(build_payload(shipment)).encode()


def test_a_calendar_is_attached_and_changes_nothing_else() -> None:
    plain, shipment = build_payload(newsletter()), replace(newsletter(), content=mail_content(CALENDAR))
    payload = build_payload(shipment)
    assert payload.pop("attachments") == [
        {
            "content": (
                "QkVHSU46VkNBTEVOREFSDQpNRVRIT0Q6UFVCTElTSA0KU1VNTUFSWTpNYXLDqWVzIHZpdmVzDQpFTkQ6VkNBTEVOREFSDQo="
            ),
            "type": "text/calendar",
            "filename": "event.ics",
            "disposition": "attachment",
        }
    ]
    assert payload == plain


def test_a_calendar_arrives_whole(sandbox: Sandbox) -> None:
    outcomes = sendgrid_channel(sandbox).send(replace(newsletter(), content=mail_content(CALENDAR)))
    assert [outcome.state for outcome in outcomes] == [SENT]
    [attachment] = sandbox.read("messages")[0]["attachments"]
    assert base64.b64decode(attachment["content"]).decode() == CALENDAR


def test_a_name_with_a_comma_is_sent_without_it() -> None:
    shipment = newsletter()
    person = replace(shipment.deliveries[0], name="Marsh, Ada; Mayor")
    payload = build_payload(replace(shipment, deliveries=(person,)))
    assert payload["personalizations"][0]["to"][0]["name"] == "Marsh Ada Mayor"


def test_send_keeps_order_and_names_the_request(sandbox: Sandbox) -> None:
    outcomes = sendgrid_channel(sandbox).send(newsletter("ada@portamar.example", "ben@brackwater.example"))
    assert [(outcome.delivery_id, outcome.state) for outcome in outcomes] == [("mail-0", SENT), ("mail-1", SENT)]
    mails = sandbox.read("mails")
    assert {mail["message_id"] for mail in mails} == {outcome.provider_id for outcome in outcomes}
    assert [mail["custom_args"]["pregon_delivery_id"] for mail in mails] == ["mail-0", "mail-1"]


def test_wait_is_read_from_the_reset_header(sandbox: Sandbox) -> None:
    sandbox.set_fault("sendgrid", "429_with_reset")
    wait = sendgrid_channel(sandbox).send(newsletter())[0].retry_after
    assert wait is not None
    assert 20 < wait <= 30


def test_a_slow_answer_within_the_timeout_is_a_success(sandbox: Sandbox) -> None:
    sandbox.set_fault("sendgrid", "slow", seconds=0.1)
    assert sendgrid_channel(sandbox, timeout=5).send(newsletter())[0].state is SENT


def test_a_proxy_of_the_environment_is_ignored(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert sendgrid_channel(sandbox).send(newsletter())[0].state is SENT


def test_one_wrong_address_fails_alone(sandbox: Sandbox) -> None:
    outcomes = sendgrid_channel(sandbox).send(newsletter("ada@portamar.example", "not an address", "c@d.example"))
    assert [outcome.state for outcome in outcomes] == [PENDING, DeliveryState.FAILED, PENDING]
    assert outcomes[1].detail == "Does not contain a valid address."
    assert sandbox.read("mails") == []


@pytest.mark.parametrize("host", ["{0}/v3", "{0}/x"])
def test_an_address_that_knows_no_mail_send_refuses_nobody(sandbox: Sandbox, host: str) -> None:
    channel = SendGridChannel(accounts.SENDGRID_API_KEY, host=host.format(sandbox.sendgrid_url))
    (outcome,) = channel.send(newsletter())
    assert (outcome.state, outcome.pause) == (PENDING, "address")


def test_a_rejected_request_fails_with_the_sentence(sandbox: Sandbox) -> None:
    shipment = newsletter()
    empty = replace(mail_content(), body=MailBody("", "", "<p>x</p>", "x", ""))
    outcome = sendgrid_channel(sandbox).send(replace(shipment, content=empty))[0]
    assert outcome.state is DeliveryState.FAILED
    assert outcome.detail.startswith("The subject is required")


def test_oversize_is_held_and_never_leaves(sandbox: Sandbox) -> None:
    people = tuple(recipient(index, f"p{index}@towns.example") for index in range(1001))
    outcomes = sendgrid_channel(sandbox).send(replace(newsletter(), deliveries=people))
    assert {outcome.state for outcome in outcomes} == {DeliveryState.HELD}
    heavy = replace(mail_content(), body=MailBody("S", "", "x" * 30_000_000, "x", ""))
    held = sendgrid_channel(sandbox).send(replace(newsletter(), content=heavy))[0]
    assert "30 MB" in held.detail
    assert writes(sandbox, "/v3/mail/send") == 0


def test_settle_says_unknown_while_the_log_may_lag(sandbox: Sandbox) -> None:
    channel = sendgrid_channel(sandbox, grace_seconds=900)
    assert channel.settle(newsletter())[0].state is UNKNOWN


def test_settle_says_unknown_when_the_log_cannot_be_read(sandbox: Sandbox) -> None:
    sandbox.set_fault("sendgrid", "502", on="read")
    assert sendgrid_channel(sandbox).settle(newsletter())[0].state is UNKNOWN


def test_one_mail_in_the_log_settles_its_request(sandbox: Sandbox) -> None:
    channel = sendgrid_channel(sandbox)
    channel.send(newsletter("ada@portamar.example"))
    outcomes = channel.settle(newsletter("ada@portamar.example", "ben@brackwater.example"))
    assert [outcome.state for outcome in outcomes] == [SENT, SENT]


@pytest.mark.parametrize(
    ("status", "state", "pause"),
    [
        (403, PENDING, "credentials"),  # published: the address that it is from is no verified sender
        (405, PENDING, "address"),  # no Mail Send at that address
        (408, UNKNOWN, None),
        (503, UNKNOWN, None),
    ],
)
def test_what_an_answer_without_a_fault_of_its_own_means(status: int, state: DeliveryState, pause: str | None) -> None:
    body = '{"errors": [{"message": "The from address does not match a verified Sender Identity.", "field": "from"}]}'
    (outcome,) = read_refusal(newsletter("ada@portamar.example").deliveries, status, {}, body, datetime.now(UTC))
    assert (outcome.state, outcome.pause) == (state, pause)


def test_headers_never_leak_from_call_to_call(sandbox: Sandbox) -> None:
    channel = sendgrid_channel(sandbox)
    channel.settle(newsletter())
    assert channel.send(newsletter())[0].state is SENT
    assert "Content-Type" not in channel._client.client.request_headers
    assert json.dumps(sandbox.read("mails")[0]["tracking"]["open_tracking"]) == '{"enable": false}'
