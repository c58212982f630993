from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from imap_server import Mailbox, running_mailbox
from pregon.channels.smtp import SmtpChannel
from pregon.channels.smtp.naming import Naming
from pregon.channels.smtp.reports import is_address_gone, is_permanent, parse_report
from pregon.types import EventType, ProviderEvent

from .builders import Kept

NAMING = Naming("bounce@mail.example", b"a key")
NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)


def delivery_report(delivery_id: str, action: str, status: str, *, returned: str = "", to: str | None = None) -> bytes:
    """A bounce as RFC 3464 describes it; `returned` are the headers of the mail that came back."""
    recipient = to if to is not None else NAMING.envelope_sender(delivery_id)
    return f"""From: MAILER-DAEMON@mx.portamar.example
To: {recipient}
Subject: Undelivered Mail Returned to Sender
Date: Wed, 10 Mar 2027 11:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

I could not deliver it.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.portamar.example
Arrival-Date: Wed, 10 Mar 2027 10:59:00 +0100

Final-Recipient: rfc822; ada@portamar.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} No such
  mailbox

--b1
Content-Type: text/rfc822-headers

{returned or "Subject: Circular 58"}

--b1--
""".replace("\n", "\r\n").encode()


def complaint(delivery_id: str, kind: str = "abuse") -> bytes:
    """A complaint as RFC 5965 describes it, the recipient's address taken out."""
    return f"""From: fbl@provider.example
To: fbl@mail.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b2"

--b2
Content-Type: text/plain

A reader complained.

--b2
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider/1.0
Version: 1

--b2
Content-Type: message/rfc822
Content-Disposition: inline

From: news@tidalcities.example
To: redacted
Message-ID: {NAMING.message_id(delivery_id)}
Subject: Circular 58

Text.

--b2--
""".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("action", "status", "event", "permanent"),
    [
        ("failed", "5.1.1", EventType.BOUNCED, True),
        ("Failed", "5.0.0", EventType.BOUNCED, True),
        ("failed", "5.2.1", EventType.BOUNCED, True),
        ("failed", "5.2.2", EventType.BOUNCED, False),
        ("failed", "5.7.1", EventType.BOUNCED, False),
        ("failed", "4.4.7", EventType.BOUNCED, False),
        ("delayed", "4.4.1", EventType.DEFERRED, False),
        ("delivered", "2.0.0", EventType.DELIVERED, False),
    ],
)
def test_a_delivery_report_is_an_event(action: str, status: str, event: EventType, permanent: bool) -> None:
    found = parse_report(delivery_report("mail-7", action, status), NAMING, NOW)
    assert found is not None
    assert (found.type, found.permanent, found.delivery_id) == (event, permanent, "mail-7")
    assert (found.provider, found.address) == ("smtp", None)
    assert found.at == datetime(2027, 3, 10, 10, tzinfo=UTC)
    assert f'"Diagnostic-Code": "smtp; 550 {status} No such mailbox"' in found.raw


@pytest.mark.parametrize(
    ("told", "permanent"),
    [
        ("550 No such mailbox", True),
        ("550-5.1.1 No such mailbox", True),
        ("550-5.7.1 [5.1.2.3] Blocked by policy", False),
        ("552 5.2.2 Full", False),
        ("550 from 5.7.1.9 refused", True),
    ],
)
def test_where_the_status_says_nothing_the_answer_beside_it_does(told: str, permanent: bool) -> None:
    report = delivery_report("mail-7", "failed", "5.0.0").replace(b"550 5.0.0 No such\r\n  mailbox", told.encode())
    found = parse_report(report, NAMING, NOW)
    assert found is not None
    assert found.permanent is permanent


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:00 -1400", "someday", "Wed, 10 Mar 2027 11:00:00 -9999"])
def test_a_report_with_an_impossible_date_stops_no_other(date: str) -> None:
    report = delivery_report("mail-7", "failed", "5.1.1").replace(b"Wed, 10 Mar 2027 11:00:00 +0100", date.encode())
    found = parse_report(report, NAMING, NOW)
    assert found is not None
    assert found.at == NOW


def test_a_report_is_matched_by_the_mail_that_came_back() -> None:
    returned = f"Message-ID: {NAMING.message_id('mail-8')}"
    found = parse_report(delivery_report("", "failed", "5.1.1", returned=returned, to="bounce@x.example"), NAMING, NOW)
    assert found is not None
    assert found.delivery_id == "mail-8"


def test_a_complaint_is_an_event() -> None:
    found = parse_report(complaint("mail-9"), NAMING, NOW)
    assert found is not None
    assert (found.type, found.delivery_id) == (EventType.COMPLAINED, "mail-9")
    assert parse_report(complaint("mail-9", "not-spam"), NAMING, NOW) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: Out of office\r\n\r\nI am away.\r\n",
        b"Content-Type: multipart/report; boundary=x\r\n\r\nno part at all",
        delivery_report("mail-7", "relayed", "2.0.0"),
        delivery_report("", "failed", "5.1.1", to="bounce+mail-7.aaaaaaaaaaaa@mail.example"),
        delivery_report("", "failed", "5.1.1", to="bounce@mail.example", returned="X-Pregon-Delivery: mail-7"),
    ],
)
def test_what_is_no_report_of_ours_is_nothing(raw: bytes) -> None:
    assert parse_report(raw, NAMING, NOW) is None


def test_a_status_that_blames_something_else_is_not_permanent() -> None:
    assert [is_permanent(code) for code in ("5.1.1", "5.1.10", "5.1.8", "5.3.4", "", "2.0.0")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as running:
        yield running


def channel_reading(mailbox: Mailbox, place: Kept, password: str = "right") -> SmtpChannel:
    address = f"imap://bounce@127.0.0.1:{mailbox.server_address[1]}/Circulars"
    options = {"return_path": "bounce@mail.example", "key": b"a key", "timeout": 2.0}
    return SmtpChannel("127.0.0.1", bounces=address, bounces_password=password, place=place, **options)  # type: ignore


def test_the_mailbox_is_read_once_and_from_where_it_was_left(mailbox: Mailbox) -> None:
    mailbox.messages[1] = delivery_report("mail-1", "failed", "5.1.1")
    mailbox.messages[2] = b"Subject: Out of office\r\n\r\nAway.\r\n"
    place, kept = Kept(), list[ProviderEvent]()
    channel = channel_reading(mailbox, place)
    assert channel.take_events(kept.extend) == ""
    mailbox.messages[3] = complaint("mail-3")
    assert channel.take_events(kept.extend) == ""
    assert channel.take_events(kept.extend) == ""
    assert [(event.delivery_id, event.type) for event in kept] == [
        ("mail-1", EventType.BOUNCED),
        ("mail-3", EventType.COMPLAINED),
    ]
    mailbox.validity = 8  # the numbers of the messages mean something else now: all are read again
    assert channel.take_events(kept.extend) == ""
    assert [event.key for event in kept[2:]] == [event.key for event in kept[:2]]


def test_what_was_not_kept_is_read_again(mailbox: Mailbox) -> None:
    mailbox.messages[1] = delivery_report("mail-1", "failed", "5.1.1")
    channel = channel_reading(mailbox, Kept())

    def fail(_events: Sequence[ProviderEvent]) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        channel.take_events(fail)
    kept: list[ProviderEvent] = []
    assert channel.take_events(kept.extend) == ""
    assert len(kept) == 1


def test_a_mailbox_that_cannot_be_read_says_what_to_do(mailbox: Mailbox) -> None:
    kept: list[ProviderEvent] = []
    said = channel_reading(mailbox, Kept(), password="wrong").take_events(kept.extend)
    assert "PREGON_SMTP_BOUNCES_PASSWORD" in said
    channel = channel_reading(mailbox, Kept())
    channel._bounces = channel._bounces.replace("Circulars", "Nowhere")
    assert "no folder Nowhere" in channel.take_events(kept.extend)
    assert kept == []


@pytest.mark.parametrize(
    ("text", "is_gone"),
    [
        ("5.1.1 No such mailbox here", True),
        ("5.1.10 Null MX", True),
        ("5.2.1 disabled", True),
        ("5.1.8 your domain does not exist", False),
        ("5.7.1 on a block list", False),
        ("5.2.2 mailbox full", False),
        ("no such user", False),
        ("", False),
    ],
)
def test_only_a_refusal_of_the_address_itself_means_that_it_is_gone(text: str, is_gone: bool) -> None:
    assert is_address_gone(text) is is_gone
