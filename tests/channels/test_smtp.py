from __future__ import annotations

import asyncio
import quopri
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.channels.smtp import SmtpChannel
from pregon.channels.smtp.encoding import encode_text, encode_value
from pregon.channels.smtp.naming import Naming
from pregon.channels.smtp.payload import build_form, fill_form
from pregon.sandbox import Sandbox
from pregon.types import DeliveryState, MailBody, Outgoing, Sender, Shipment

from .builders import CALENDAR, mail_content, newsletter, recipient
from .certificates import make_certificate

SENT, PENDING, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.FAILED
KEY, RETURN_PATH = b"a key", "bounce@mail.example"
NAMING = Naming(RETURN_PATH, KEY)
NOW = datetime(2027, 3, 9, 10, tzinfo=UTC)


def channel_to(port: int, **options: Any) -> SmtpChannel:
    given = {"return_path": RETURN_PATH, "key": KEY, "security": "none", "timeout": 0.5} | options
    return SmtpChannel("localhost" if options.get("context") else "127.0.0.1", port=port, **given)


def parse(shipment: Shipment) -> list[EmailMessage]:
    form = build_form(shipment, NOW)
    filled = [fill_form(form, delivery, NAMING) for delivery in shipment.deliveries]
    return [message_from_bytes(raw, policy=default) for raw in filled]  # type: ignore[misc]


def test_a_mail_says_what_was_approved_to_each_recipient() -> None:
    url = "https://desk.example/unsubscribe/" + "a1b2" * 30 + "?x=1&y=é"
    people = (recipient(0, "ada@portamar.example", url), recipient(1, "ola@portamar.example", url + "2"))
    shipment = Shipment(mail_content(CALENDAR), people)
    first, second = parse(shipment)
    assert str(first["To"]) == "Ada Marsh <ada@portamar.example>"
    assert str(first["From"]) == "Tidal Cities Network <news@tidalcities.example>"
    assert str(first["Reply-To"]) == "Tidal Cities Network <secretariat@tidalcities.example>"
    assert (first["Subject"], first["Content-Language"]) == ("Circular 58", "en")
    assert first["X-Pregon-Delivery"] == "mail-0"
    assert first["Message-ID"] == NAMING.message_id("mail-0") != second["Message-ID"]
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first.get_body(("plain",)).get_content().endswith(f"Unsubscribe: {url}")  # type: ignore[union-attr]
    assert f'href="{url}2"' in second.get_body(("html",)).get_content()  # type: ignore[union-attr]
    (calendar,) = first.iter_attachments()
    assert calendar.get_content_type() == "text/calendar"
    assert calendar.get_content().replace("\n", "\r\n").replace("\r\r", "\r") == CALENDAR


def test_nothing_in_a_name_or_a_subject_begins_a_header() -> None:
    content = mail_content()
    body = MailBody("Tides\r\nBcc: all@tidal.example", "", "<p>x</p>", "x", "")
    sender = Sender("Réseau\r\nX-Evil: 1", "news@tidalcities.example")
    evil = replace(recipient(0, "ada@portamar.example", "https://x.example/>\r\nX-Evil: 2"), name="Ada\r\nX-Evil: 3")
    (mail,) = parse(Shipment(replace(content, body=body, sender=sender), (evil,)))
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert mail["Subject"] == "Tides Bcc: all@tidal.example"


def test_names_in_any_script_and_of_any_length_arrive() -> None:
    for name in ("Ada Marsh", "Æsa Þórðardóttir", "海野 みなと", 'Ada "the tide" Marsh; Portamar, Estuaria', "Ω" * 120):
        delivery = replace(recipient(0, "ada@portamar.example"), name=name)
        raw = fill_form(build_form(Shipment(mail_content(), (delivery,)), NOW), delivery, NAMING)
        written = str(make_header(decode_header(message_from_bytes(raw)["To"])))
        assert parseaddr(written.replace("\n", ""))[0] == name
        assert max(map(len, raw.split(b"\r\n"))) <= 78


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n", exclude_categories=["Cs"])))
@settings(max_examples=200, deadline=None)
def test_quoted_printable_gives_back_any_text(text: str) -> None:
    filled = b"".join(
        piece if isinstance(piece, bytes) else encode_value("https://x.example/?a=b")
        for piece in encode_text(f"{text}\n.\n-url-{text}-url-", ("-url-",))
    )
    mail = message_from_bytes(
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + filled
    )
    expected = f"{text}\n.\n-url-{text}-url-".replace("-url-", "https://x.example/?a=b")
    assert mail.get_payload(decode=True).decode().replace("\r\n", "\n") == expected  # type: ignore[union-attr]
    assert all(len(line) <= 76 and not line.startswith(b".") for line in filled.split(b"\r\n"))


@given(st.text(alphabet=".=aé ?", max_size=400))
def test_a_value_of_any_length_stays_within_the_lines(value: str) -> None:
    filled = encode_value(value)
    assert quopri.decodestring(filled).decode() == (value if " " not in value else " ".join(value.split()))
    assert all(len(line) <= 76 and not line.startswith(b".") for line in filled.split(b"\r\n"))


def test_a_shipment_goes_out_over_few_connections(sandbox: Sandbox) -> None:
    shipment = newsletter(*(f"reader{number}@portamar.example" for number in range(50)))
    outcomes = channel_to(sandbox.smtp_port, connections=3).send(shipment)
    assert [outcome.state for outcome in outcomes] == [SENT] * 50
    assert [outcome.delivery_id for outcome in outcomes] == [each.delivery_id for each in shipment.deliveries]
    kept = {mail["to"]: mail for mail in sandbox.read("smtp")}
    assert len(kept) == 50
    mail = kept["reader7@portamar.example"]
    assert mail["headers"]["message-id"] == outcomes[7].provider_id == NAMING.message_id("mail-7")
    assert NAMING.find_delivery(mail["envelope_sender"].upper()) == "mail-7"
    assert mail["envelope_sender"].startswith("bounce+mail-7.")


@pytest.mark.parametrize(
    ("fault", "state", "pause", "taken"),
    [
        ("smtp_drop_greeting", PENDING, None, 0),
        ("smtp_drop_recipient", PENDING, None, 0),
        ("smtp_drop_data", PENDING, None, 0),
        ("smtp_421", PENDING, None, 0),
        ("smtp_sender_530", PENDING, "credentials", 0),
        ("smtp_sender_553", PENDING, "sender", 0),
        ("smtp_recipient_450", PENDING, None, 0),
        ("smtp_recipient_550", FAILED, None, 0),
        ("smtp_message_451", PENDING, None, 0),
        ("smtp_message_554", FAILED, None, 0),
        ("drop_before_accept", UNKNOWN, None, 0),
        ("drop_after_accept", UNKNOWN, None, 1),
        ("hang", UNKNOWN, None, 1),
    ],
)
def test_each_fault_has_its_outcome(
    sandbox: Sandbox, fault: str, state: DeliveryState, pause: str | None, taken: int
) -> None:
    channel, shipment = channel_to(sandbox.smtp_port), newsletter()
    sandbox.set_fault("smtp", fault)
    (outcome,) = channel.send(shipment)
    assert (outcome.state, outcome.pause) == (state, pause), outcome
    assert len(sandbox.read("smtp")) == taken
    assert channel.settle(shipment)[0].state is UNKNOWN
    assert len(sandbox.read("smtp")) == taken


def test_one_refused_or_lost_recipient_stops_no_other(sandbox: Sandbox) -> None:
    channel = channel_to(sandbox.smtp_port, connections=1)
    for fault, state in (("smtp_recipient_550", FAILED), ("drop_after_accept", UNKNOWN), ("smtp_421", PENDING)):
        sandbox.set_fault("smtp", fault)
        states = [outcome.state for outcome in channel.send(newsletter(*(f"r{n}@portamar.example" for n in range(9))))]
        assert states == [state, *[SENT] * 8]


def test_a_refused_sender_stops_the_shipment_and_pauses(sandbox: Sandbox) -> None:
    sandbox.set_fault("smtp", "smtp_sender_553", times=5)
    outcomes = channel_to(sandbox.smtp_port, connections=1).send(newsletter(*(f"r{n}@p.example" for n in range(5))))
    assert [outcome.state for outcome in outcomes] == [PENDING] * 5
    assert [outcome.pause for outcome in outcomes] == ["sender", None, None, None, None]


def test_a_server_that_always_breaks_is_left_alone(sandbox: Sandbox) -> None:
    sandbox.set_fault("smtp", "drop_before_accept", times=100)
    outcomes = channel_to(sandbox.smtp_port, connections=2).send(newsletter(*(f"r{n}@p.example" for n in range(40))))
    states = [outcome.state for outcome in outcomes]
    assert states.count(UNKNOWN) <= 4
    assert states.count(PENDING) == 40 - states.count(UNKNOWN)


def test_nobody_there_sends_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outcomes = channel_to(port).send(newsletter("a@p.example", "b@p.example"))
    assert [(outcome.state, outcome.pause) for outcome in outcomes] == [(PENDING, None)] * 2


@pytest.mark.parametrize("address", ["nobody", "a b@p.example", "a@p.example>\r\nRCPT TO:<b@p.example", "ä@p.example"])
def test_what_is_no_address_is_never_handed_in(sandbox: Sandbox, address: str) -> None:
    outcomes = channel_to(sandbox.smtp_port).send(newsletter(address, "ada@p.example"))
    assert [outcome.state for outcome in outcomes] == [FAILED, SENT]
    assert [mail["to"] for mail in sandbox.read("smtp")] == ["ada@p.example"]


# --- a mail server of another make


class Keeper:
    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(envelope)
        return "250 Taken"


def sign_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    is_right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"pregon", b"right")
    return AuthResult(success=is_right, handled=is_right)


@contextmanager
def running(factory: Callable[[], SMTP], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A mail server of aiosmtpd's making in a thread; the port that it listens on."""
    loop = asyncio.new_event_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    server = loop.run_until_complete(loop.create_server(factory, sock=listener, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    certificate, key = make_certificate(Path(tmp_path_factory.mktemp("tls")))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


def test_starttls_and_sign_in_come_before_the_mail(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    keeper = Keeper()
    rules = {"require_starttls": True, "auth_required": True, "authenticator": sign_in}
    with running(lambda: SMTP(keeper, tls_context=contexts[0], **rules)) as port:
        ask = {"security": "starttls", "context": contexts[1], "user": "pregon", "timeout": 5}
        wrong = channel_to(port, password="wrong", **ask).send(newsletter())[0]
        assert (wrong.state, wrong.pause) == (PENDING, "credentials"), wrong
        distrusted = channel_to(port, password="right", **ask | {"context": ssl.create_default_context()})
        outcome = distrusted.send(newsletter())[0]
        assert (outcome.state, outcome.pause) == (PENDING, "address")
        assert keeper.mails == []
        right = channel_to(port, password="right", **ask).send(newsletter("a@p.example", "b@p.example"))
    assert [outcome.state for outcome in right] == [SENT, SENT]
    assert sorted(mail.rcpt_tos[0] for mail in keeper.mails) == ["a@p.example", "b@p.example"]
    mail = message_from_bytes(keeper.mails[0].content, policy=default)
    assert "Unsubscribe: https://desk.example/u/t" in mail.get_body(("plain",)).get_content()  # type: ignore


def test_a_server_without_starttls_gets_no_mail() -> None:
    keeper = Keeper()
    with running(lambda: SMTP(keeper)) as port:
        outcome = channel_to(port, security="starttls", timeout=5).send(newsletter())[0]
        assert (outcome.state, outcome.pause, keeper.mails) == (PENDING, "address", [])
        assert channel_to(port, timeout=5).send(newsletter())[0].state is SENT
    assert NAMING.find_delivery(keeper.mails[0].mail_from) == "mail-0"


def test_tls_from_the_start(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    keeper = Keeper()
    with running(lambda: SMTP(keeper), contexts[0]) as port:
        outcome = channel_to(port, security="tls", context=contexts[1], timeout=5).send(newsletter())[0]
    assert (outcome.state, len(keeper.mails)) == (SENT, 1)


def test_names_are_short_enough_and_cannot_be_guessed() -> None:
    delivery_id = "0123456789abcdef" * 2
    local, _, domain = NAMING.envelope_sender(delivery_id).partition("@")
    assert len(local) <= 64
    assert domain == "mail.example"
    assert NAMING.find_delivery(f"<{local}@{domain}>") == delivery_id
    assert Naming(RETURN_PATH, b"another").find_delivery(f"{local}@{domain}") is None
    assert NAMING.find_delivery(f"bounce+{delivery_id}.aaaaaaaaaaaa@mail.example") is None


def test_an_outgoing_without_values_keeps_its_tokens() -> None:
    delivery = Outgoing("mail-9", 0, "ada@p.example")
    (mail,) = parse(Shipment(mail_content(), (delivery,)))
    assert mail["List-Unsubscribe"] is None
    assert "-unsubscribe_url-" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
