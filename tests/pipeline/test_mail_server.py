"""Newsletters through a mail server, from the approval to the bounce that suppresses an address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import CLEAN, House  # type: ignore[import-not-found]

from imap_server import Mailbox, running_mailbox
from pregon.bootstrap import build_pipeline
from pregon.types import ChannelName, DeliveryState, SuppressionReason

BOUNCE = """From: MAILER-DAEMON@mx.example
To: {to}
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; somebody@else.example
Action: {action}
Status: {status}

--b--
"""


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as running:
        yield running


@pytest.fixture
def mailing(house: House, mailbox: Mailbox) -> Iterator[House]:
    """The same house, its newsletters going through a mail server that is live and on this machine."""
    live = {
        "provider": "smtp",
        "mode": "live",
        "host": "127.0.0.1",
        "port": house.sandbox.smtp_port,
        "security": "none",
        "return_path": "bounce@mail.example",
        "bounces": f"imap://bounce@127.0.0.1:{mailbox.server_address[1]}/Circulars",
        "timeout_seconds": 2,
    }
    email = house.settings.channels.email.model_copy(update=live)
    channels = house.settings.channels.model_copy(update={"email": email})
    secrets = house.settings.secrets.model_copy(update={"smtp_bounces_password": "right"})
    settings = house.settings.model_copy(update={"channels": channels, "secrets": secrets})
    pipeline = build_pipeline(settings, house.sandbox, clock=house.clock)
    yield House(pipeline, house.sandbox, house.clock, settings)
    pipeline.store.close()


def send(house: House) -> str:
    slug: str = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    return slug


def rows_of(house: House, slug: str) -> list:
    return [row for row in house.pipeline.reviewing.who(slug) if row.channel is ChannelName.EMAIL]


def test_a_bounce_suppresses_and_a_passing_one_does_not(mailing: House, mailbox: Mailbox) -> None:
    slug = send(mailing)
    mails = mailing.sandbox.read("smtp")
    sent = [row for row in rows_of(mailing, slug) if row.state is DeliveryState.SENT]
    assert sorted(mail["to"] for mail in mails) == sorted(row.address for row in sent)
    gone, full = mails[0], mails[1]
    mailbox.messages[1] = BOUNCE.format(to=gone["envelope_sender"], action="failed", status="5.1.1").encode()
    mailbox.messages[2] = BOUNCE.format(to=full["envelope_sender"], action="failed", status="5.2.2").encode()
    for _ in range(2):
        assert mailing.pipeline.measuring.fetch_events() == ()
    assert mailing.pipeline.store.list_suppressions()[gone["to"]] is SuppressionReason.BOUNCED
    assert full["to"] not in mailing.pipeline.store.list_suppressions()
    assert "somebody@else.example" not in mailing.pipeline.store.list_suppressions()
    assert mailing.pipeline.measuring.funnels(slug)[0].rows[0].bounced == 2


def test_a_mailbox_that_the_server_knows_not_to_exist_is_suppressed_at_once(mailing: House) -> None:
    mailing.sandbox.set_fault("smtp", "smtp_recipient_550")
    slug = send(mailing)
    (gone,) = [row for row in rows_of(mailing, slug) if row.state is DeliveryState.FAILED]
    assert mailing.pipeline.store.list_suppressions()[gone.address] is SuppressionReason.BOUNCED
    assert (
        sum(reason is SuppressionReason.BOUNCED for reason in mailing.pipeline.store.list_suppressions().values()) == 1
    )


def test_a_lost_answer_waits_for_a_report_and_is_then_held(mailing: House, mailbox: Mailbox) -> None:
    mailing.sandbox.set_fault("smtp", "drop_after_accept", times=2)
    slug = send(mailing)
    unknown = [row for row in rows_of(mailing, slug) if row.state is DeliveryState.UNKNOWN]
    assert len(unknown) == 2
    mails = {mail["to"]: mail for mail in mailing.sandbox.read("smtp")}
    envelope = mails[unknown[0].address]["envelope_sender"]
    mailbox.messages[1] = BOUNCE.format(to=envelope, action="delayed", status="4.4.1").encode()
    assert mailing.pipeline.measuring.fetch_events() == ()
    mailing.clock.forward(hours=25)
    mailing.pipeline.delivering.deliver()
    states = {row.id: (row.state, row.reason) for row in rows_of(mailing, slug)}
    assert states[unknown[0].id][0] is DeliveryState.SENT
    assert states[unknown[1].id][0] is DeliveryState.HELD
    assert "cannot be asked" in states[unknown[1].id][1]
    assert len(mailing.sandbox.read("smtp")) == len(mails)


def test_a_mailbox_that_is_closed_stops_nothing_else(mailing: House, mailbox: Mailbox) -> None:
    slug = send(mailing)
    mailbox.messages[1] = BOUNCE.format(to="x", action="failed", status="5.1.1").encode()
    mailing.pipeline.measuring._channels[ChannelName.EMAIL]._bounces_password = "wrong"
    (problem,) = mailing.pipeline.measuring.fetch_events()
    assert "refuses the user or password" in problem
    assert mailing.pipeline.measuring.measure() == 0
    assert slug
