"""The stand-in for a mail server: takes every mail, keeps it, passes none on. Speaks as much SMTP as a client needs.

Pipelining and SIZE are offered; encryption is not, since nothing leaves this machine.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from typing import cast

from pregon.sandbox.faults import Fault, Faults
from pregon.sandbox.state import Record, State

PROVIDER = "smtp"
_END = b"\r\n.\r\n"
_PATH = re.compile(rb"(?:FROM|TO):\s*<([^>]*)>", re.IGNORECASE)
_REFUSALS = {
    "smtp_sender_530": ("sender", b"530 5.7.0 Authentication required"),
    "smtp_sender_553": ("sender", b"553 5.7.1 Sender address rejected"),
    "smtp_recipient_450": ("recipient", b"450 4.2.0 Greylisted, come again"),
    "smtp_recipient_550": ("recipient", b"550 5.1.1 No such mailbox here"),
    "smtp_message_451": ("message", b"451 4.3.0 Try again later"),
    "smtp_message_554": ("message", b"554 5.6.0 Content refused"),
    "smtp_421": ("sender", b"421 4.3.2 Closing"),
}
_DROPS = {"smtp_drop_greeting": "greeting", "smtp_drop_recipient": "recipient", "smtp_drop_data": "data"}

Accept = Callable[[str, str, bytes], object]


class SmtpSession(asyncio.Protocol):
    """One connection. `accept` gets envelope sender, recipient and message of each mail that is taken."""

    def __init__(self, accept: Accept, faults: Faults | None = None) -> None:
        self._accept, self._faults = accept, faults
        self._buffer = bytearray()
        self._in_message = False
        self._sender = self._recipient = ""
        self._fault: Fault | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast(asyncio.Transport, transport)
        # Answers to pipelined commands leave one by one; without this each waits 40 ms for the acknowledgement before.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._breaks_at("greeting", only="smtp_drop_greeting"):
            self._answer(b"220 sandbox.example ESMTP")

    def data_received(self, data: bytes) -> None:
        """Commands, or a part of a message."""
        searched = max(0, len(self._buffer) - len(_END))
        self._buffer += data
        while self._buffer and (self._take_message(searched) if self._in_message else self._take_command()):
            searched = 0

    def _take_command(self) -> bool:
        line, found, _ = self._buffer.partition(b"\r\n")
        if not found:
            return False
        del self._buffer[: len(line) + 2]
        self._obey(bytes(line))
        return True

    def _take_message(self, searched: int) -> bool:
        end = self._buffer.find(_END, searched)
        if end < 0:
            return False
        message = bytes(self._buffer[: end + 2])
        del self._buffer[: end + len(_END)]
        self._in_message = False
        self._finish(message)
        return True

    def _obey(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO"):
            self._answer(b"250-sandbox.example\r\n250-PIPELINING\r\n250 SIZE 30000000")
        elif verb == b"MAIL":
            self._begin(line)
        elif verb == b"RCPT":
            self._address(line)
        elif verb == b"DATA":
            self._expect_message()
        elif verb == b"QUIT":
            self._answer(b"221 2.0.0 Bye")
            self._transport.close()
        else:
            self._answer(b"250 2.0.0 Ok" if verb in (b"RSET", b"NOOP") else b"502 5.5.2 Not known here")

    def _begin(self, line: bytes) -> None:
        self._fault = self._faults.take(PROVIDER, "write") if self._faults else None
        self._sender = self._recipient = ""
        if not self._breaks_at("sender"):
            self._sender = _path(line)
            self._answer(b"250 2.1.0 Ok")

    def _address(self, line: bytes) -> None:
        if not self._sender:
            self._answer(b"503 5.5.1 No sender")
        elif not self._breaks_at("recipient"):
            self._recipient = _path(line)
            self._answer(b"250 2.1.5 Ok")

    def _expect_message(self) -> None:
        if not self._recipient:
            self._answer(b"503 5.5.1 No recipient")
        elif not self._breaks_at("data"):
            self._in_message = True
            self._answer(b"354 Go on")

    def _finish(self, message: bytes) -> None:
        name = self._fault.name if self._fault else ""
        if self._breaks_at("message"):
            return
        if name != "drop_before_accept":
            self._accept(self._sender, self._recipient, message)
        if name in ("drop_before_accept", "drop_after_accept"):
            self._transport.abort()
        elif name != "hang":
            self._answer(b"250 2.0.0 Ok: queued as %s" % secrets.token_hex(6).encode())

    def _breaks_at(self, stage: str, only: str | None = None) -> bool:
        """Whether a fault hits here; it is answered or the connection is cut."""
        fault = self._faults.take(PROVIDER, "write", only=only) if self._faults and only else self._fault
        if fault is None:
            return False
        if _DROPS.get(fault.name) == stage:
            self._transport.abort()
            return True
        wanted, answer = _REFUSALS.get(fault.name, ("", b""))
        if wanted != stage:
            return False
        self._answer(answer)
        if answer.startswith(b"421"):
            self._transport.close()
        return True

    def _answer(self, line: bytes) -> None:
        self._transport.write(line + b"\r\n")


def build_session(state: State, faults: Faults) -> Callable[[], SmtpSession]:
    """What makes a session per connection, keeping what is taken in `state`."""

    def keep(sender: str, recipient: str, message: bytes) -> None:
        identity = str(state.next_number())
        state.put("smtp", [(identity, _read_mail(sender, recipient, message))])

    return lambda: SmtpSession(keep, faults)


def _read_mail(sender: str, recipient: str, message: bytes) -> Record:
    mail = message_from_bytes(message, policy=default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return {
        "envelope_sender": sender,
        "to": recipient,
        "headers": {name.lower(): str(value) for name, value in mail.items()},
        "text": text.get_content() if text else "",
        "html": html.get_content() if html else "",
        "attachments": [part.get_content_type() for part in mail.iter_attachments()],
    }


def _path(line: bytes) -> str:
    found = _PATH.search(line)
    return found[1].decode("utf-8", "replace") if found else ""
