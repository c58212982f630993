"""One connection to a mail server: opened, secured and signed in by the standard library, then one mail after another.

What is written is followed exactly, because it decides what a lost connection means: as long as a message was not
written to its end, the server cannot have taken it. Decides nothing about deliveries.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass, field

from pregon.channels.answers import ADDRESS, CREDENTIALS


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in. `security` is starttls, tls or none; `context` None: the system's certificates."""

    host: str
    port: int
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 10.0
    context: ssl.SSLContext | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's answer and to what: `stage` is sender, recipient, data or message."""

    stage: str
    code: int
    text: str


class NotOpenError(Exception):
    """No connection that mail may be handed in over. `pause` as in an outcome."""

    def __init__(self, detail: str, raw: str, pause: str | None = None) -> None:
        super().__init__(detail)
        self.detail, self.raw, self.pause = detail, raw, pause


class LostError(Exception):
    """The connection broke. `is_written`: the whole message had left, so it may have been taken."""

    def __init__(self, raw: str, *, is_written: bool) -> None:
        super().__init__(raw)
        self.raw, self.is_written = raw, is_written


_BROKEN = (OSError, smtplib.SMTPException, ValueError)


class Connection:
    """An open connection. Raises `NotOpenError` when there is none to be had."""

    def __init__(self, server: Server) -> None:
        self._smtp = _open(server)
        self._pipelines = self._smtp.has_extn("pipelining")
        self._sizes = self._smtp.has_extn("size")

    def hand_in(self, sender: str, recipient: str, message: bytes) -> Reply:
        """Hand in one message for one recipient. Raises `LostError`.

        The message has CRLF line ends and no line that begins with a dot.
        """
        size = f" SIZE={len(message)}" if self._sizes else ""
        commands = {"sender": f"MAIL FROM:<{sender}>{size}", "recipient": f"RCPT TO:<{recipient}>", "data": "DATA"}
        try:
            replies = self._ask_together(commands) if self._pipelines else self._ask_in_turn(commands)
            refusal = next((reply for reply in replies if reply.code not in (250, 251, 252, 354)), None)
            if refusal or replies[-1].code != 354:
                self._start_over(replies)
                return refusal or replies[-1]
            self._write(message + b".\r\n")
        except _BROKEN as error:
            raise LostError(repr(error), is_written=False) from error
        try:
            return self._read("message")
        except _BROKEN as error:
            raise LostError(repr(error), is_written=True) from error

    def close(self) -> None:
        """Say goodbye, without waiting for an answer that changes nothing."""
        try:
            self._write(b"QUIT\r\n")
        except OSError:
            pass
        finally:
            self._smtp.close()

    def _ask_together(self, commands: dict[str, str]) -> list[Reply]:
        """RFC 2920: the commands in one write, DATA last, then as many replies."""
        self._write("".join(f"{command}\r\n" for command in commands.values()).encode("ascii"))
        return [self._read(stage) for stage in commands]

    def _ask_in_turn(self, commands: dict[str, str]) -> list[Reply]:
        replies: list[Reply] = []
        for stage, command in commands.items():
            self._write(f"{command}\r\n".encode("ascii"))
            replies.append(self._read(stage))
            if replies[-1].code >= 400 or replies[-1].code < 200:
                break
        return replies

    def _start_over(self, replies: list[Reply]) -> None:
        """After a refusal: end a message that the server wants nevertheless (RFC 2920, 3.1), and forget the sender."""
        if any(reply.code == 421 for reply in replies):
            return  # the server is closing, and said why
        if replies[-1].stage == "data" and replies[-1].code == 354:
            self._write(b".\r\n")
            self._read("message")
        self._write(b"RSET\r\n")
        self._read("reset")

    def _write(self, data: bytes) -> None:
        if self._smtp.sock is None:
            raise ConnectionResetError("the connection is closed")
        self._smtp.sock.sendall(data)

    def _read(self, stage: str) -> Reply:
        code, text = self._smtp.getreply()
        return Reply(stage, code, text.decode("utf-8", "replace"))


def _open(server: Server) -> smtplib.SMTP:
    smtp: smtplib.SMTP | None = None
    try:
        smtp = _connect(server)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            smtp.starttls(context=server.context or ssl.create_default_context())
            smtp.ehlo_or_helo_if_needed()
        if server.user:
            smtp.login(server.user, server.password)
    except _BROKEN as error:
        if smtp is not None:
            smtp.close()
        raise _explain(error) from error
    assert smtp.sock is not None  # noqa: S101 - connected
    smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return smtp


def _connect(server: Server) -> smtplib.SMTP:
    if server.security == "tls":
        context = server.context or ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=server.timeout)


def _explain(error: Exception) -> NotOpenError:
    raw = repr(error)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        is_passing = 400 <= error.smtp_code < 500
        return NotOpenError("the mail server refuses the user or password", raw, None if is_passing else CREDENTIALS)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        detail = "the mail server offers no encryption or no sign-in that is asked for; correct host, port and security"
        return NotOpenError(detail, raw, ADDRESS)
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotOpenError("the mail server's certificate does not hold for its name", raw, ADDRESS)
    return NotOpenError("the mail server cannot be reached; nothing was sent", raw)
