"""A mailbox on this machine that speaks as much IMAP as Python's own client needs. Its password is `right`."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LETTER = (
    "Subject: Circular 16/2027\r\nMessage-ID: <{n}@t.example>\r\nDate: Tue, 9 Mar 2027 10:00:00 +0100\r\n\r\n"
    "Circular 16/2027\r\n\r\nPortamar, 9 March 2027\r\n\r\nSubject: Tide tables\r\n\r\nDear members,\r\n\r\n"
    "The tables are printed.\r\n\r\nKind regards,\r\n\r\nThe Secretariat\r\n"
)


class Mailbox(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    messages: dict[int, bytes]
    sizes: dict[int, int]
    validity = 7
    commands: list[str]


class Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        for raw in self.rfile:
            tag, _, command = raw.decode().strip().partition(" ")
            self.server.commands.append(command)
            for line in self.answer(command):
                self.wfile.write(line)
            self.wfile.write(f"{tag} {self.verdict(command)}\r\n".encode())
            if command == "LOGOUT":
                return

    def verdict(self, command: str) -> str:
        wrong = command.startswith("LOGIN") and '"right"' not in command
        missing = command.startswith("EXAMINE") and "Circulars" not in command
        return "NO refused" if wrong or missing else "OK done"

    def answer(self, command: str) -> Iterator[bytes]:
        if command == "CAPABILITY":
            yield b"* CAPABILITY IMAP4rev1\r\n"
        elif command.startswith("EXAMINE"):
            yield f"* {len(self.server.messages)} EXISTS\r\n* OK [UIDVALIDITY {self.server.validity}] ok\r\n".encode()
        elif found := re.match(r"UID SEARCH UID (\d+):\*", command):
            last = max(self.server.messages, default=0)
            hits = sorted({uid for uid in self.server.messages if uid >= int(found[1])} | ({last} if last else set()))
            yield f"* SEARCH {' '.join(map(str, hits))}\r\n".encode()
        elif found := re.match(r"UID FETCH (\d+) \(RFC822.SIZE\)", command):
            uid = int(found[1])
            size = self.server.sizes.get(uid, len(self.server.messages[uid]))
            yield f"* 1 FETCH (UID {uid} RFC822.SIZE {size})\r\n".encode()
        elif found := re.match(r"UID FETCH (\d+) \(BODY.PEEK\[\]\)", command):
            body = self.server.messages[int(found[1])]
            yield f"* 1 FETCH (UID {found[1]} BODY[] {{{len(body)}}}\r\n".encode() + body + b")\r\n"


@contextmanager
def running_mailbox() -> Iterator[Mailbox]:
    server = Mailbox(("127.0.0.1", 0), Session)
    server.messages, server.sizes, server.commands = {}, {}, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
