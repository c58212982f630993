"""A stand-in of Mail Send for measuring: a process of its own that answers 202 and remembers which deliveries it saw."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

_ID = re.compile(rb'"pregon_delivery_id": ?"([0-9a-f]{32})"')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: sink\r\nContent-Length: 0\r\n"


class Seen:
    """How often which delivery arrived, and how many requests were in work at once."""

    def __init__(self) -> None:
        self.ids: set[bytes] = set()
        self.total = self.requests = self.open = self.most_open = 0

    def add(self, body: bytes) -> None:
        found = _ID.findall(body)
        self.ids.update(map(bytes.fromhex, map(bytes.decode, found)))
        self.total += len(found)
        self.requests += 1

    def report(self) -> bytes:
        """As JSON, in an answer."""
        names = {"seen": self.total, "different": len(self.ids), "requests": self.requests, "most": self.most_open}
        body = json.dumps(names).encode()
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@contextmanager
def running_sink(delay: float = 0.0) -> Iterator[int]:
    """The sink's port; it answers after `delay` seconds."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener, delay), daemon=True)
    process.start()
    try:
        yield listener.getsockname()[1]
    finally:
        process.terminate()
        process.join()
        listener.close()


def read_sink(port: int) -> dict[str, int]:
    """What the sink has seen: deliveries, different ones, requests, the most requests at once."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        found: dict[str, int] = json.load(answer)
    return found


def _serve(listener: socket.socket, delay: float) -> None:
    seen = Seen()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _answer_one(reader, writer, seen, delay):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, sock=listener, limit=1 << 22)
        await server.serve_forever()

    asyncio.run(run())


async def _answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen, delay: float) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"GET"):
        writer.write(seen.report())
        return False
    seen.open += 1
    seen.most_open = max(seen.most_open, seen.open)
    length = _LENGTH.search(head)
    seen.add(await reader.readexactly(int(length[1]) if length else 0))
    if delay:
        await asyncio.sleep(delay)
    seen.open -= 1
    is_last = b"connection: close" in head.lower()
    writer.write(_ACCEPTED + (b"Connection: close\r\n\r\n" if is_last else b"\r\n"))
    await writer.drain()
    return not is_last
