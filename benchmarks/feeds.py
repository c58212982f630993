"""Feeds polled from a server on this machine, all changed, then none changed: time, requests and peak memory.

Each way runs in a process of its own, against the same server process. The peer is a plain loop of a GET by httpx
(one client, connections kept) and `feedparser.parse` with its sanitiser on; it remembers nothing between two rounds.
`poll_feed` opens a connection for each poll (as it meets a host once in many minutes), asks with the ETag it knows, and
makes documents of the entries. Both must find the same titles, links, days and findings of every entry.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

ENTRIES = 20
NOW = datetime(2026, 5, 4, tzinfo=UTC)
_FINDING = re.compile(r"Finding \d+\.\d+\.\d+")
Seen = Iterable[tuple[str, str, str, tuple[str, ...]]]


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="1,000 feeds instead of 100")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child", nargs=3, metavar=("HOW", "ADDRESS", "COUNT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
    elif arguments.child:
        how, address, count = arguments.child
        print(json.dumps(run_child(how, address, int(count))))
    else:
        print(json.dumps(compare(1_000 if arguments.full else 100)))


def compare(count: int) -> dict[str, Any]:
    """Both ways against one server, and the figures."""
    print(f"{count} feeds of {ENTRIES} entries, all changed, then none; first by poll_feed, then by a plain loop ...")
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"
        here, peer = run("pregon", address, count), run("plain", address, count)
    finally:
        server.stdin.close()
        server.wait(timeout=10)
    if here["found"] != peer["found"]:
        raise SystemExit("The two ways found different entries.")
    if here["answers"] != [{"200": count}, {"304": count}]:
        raise SystemExit(f"An unchanged feed was sent again: {here['answers']}")
    return {"feeds": count, "entries": count * ENTRIES, **describe("", here), **describe("plain_", peer)} | {
        "ratio_plain_to_here_changed": round(peer["seconds"][0] / here["seconds"][0], 2),
        "ratio_plain_to_here_unchanged": round(peer["seconds"][1] / here["seconds"][1], 2),
        "ratio_plain_to_here_memory": round(peer["peak_mb"] / here["peak_mb"], 2),
    }


def describe(prefix: str, result: dict[str, Any]) -> dict[str, Any]:
    """The figures of one way under its own names."""
    named: dict[str, Any] = {}
    for number, when in enumerate(("changed", "unchanged")):
        named[f"{prefix}{when}_s"] = round(result["seconds"][number], 3)
        named[f"{prefix}{when}_requests"] = sum(result["answers"][number].values())
        named[f"{prefix}{when}_body_bytes"] = result["bytes"][number]
    return {**named, f"{prefix}peak_mb": result["peak_mb"], f"{prefix}start_mb": result["start_mb"]}


def run(how: str, address: str, count: int) -> dict[str, Any]:
    """One way in a child process."""
    command = [sys.executable, __file__, "--child", how, address, str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def run_child(how: str, address: str, count: int) -> dict[str, Any]:
    """Two rounds in this process: seconds, answers and body bytes of each, what was found, and memory."""
    import httpx

    poll = prepare_pregon(address) if how == "pregon" else prepare_plain(address)
    list(poll(count))  # one feed more, so that modules are loaded before the clock starts
    httpx.get(f"{address}/requests", trust_env=False)
    result: dict[str, Any] = {"seconds": [], "answers": [], "bytes": [], "start_mb": read_peak()}
    for round_number in range(2):
        started, found = time.perf_counter(), hashlib.sha256()
        for number in range(count):
            for seen in poll(number):
                found.update(repr(seen).encode())
        result["seconds"].append(time.perf_counter() - started)
        report = httpx.get(f"{address}/requests", trust_env=False).json()
        result["answers"].append(report["answers"])
        result["bytes"].append(report["bytes"])
        if round_number == 0:
            result["found"] = found.hexdigest()
    return {**result, "peak_mb": read_peak()}


def prepare_pregon(address: str) -> Callable[[int], Seen]:
    """`poll_feed` with what it remembered of each feed; at first the ETag of an older state of it."""
    from pregon.sources import poll_feed
    from pregon.types import SourceState

    states: dict[int, SourceState] = {}

    def poll(number: int) -> Seen:
        state = states.get(number, SourceState(etag='"older"', polled_before=True))
        found = poll_feed(f"{address}/feed/{number}", state, now=NOW, allow_private=True)
        states[number] = SourceState(etag=found.etag, last_modified=found.last_modified, polled_before=True)
        for sighting in found.sightings:
            document = sighting.document
            if document is None or sighting.published_at is None:
                raise SystemExit(f"An entry was not read: {sighting}")
            day = sighting.published_at.date().isoformat()
            yield document.title or "", document.canonical_url or "", day, tuple(_FINDING.findall(document.text))

    return poll


def prepare_plain(address: str) -> Callable[[int], Seen]:
    """The plain loop."""
    import feedparser
    import httpx

    client = httpx.Client(trust_env=False)

    def poll(number: int) -> Seen:
        parsed = feedparser.parse(client.get(f"{address}/feed/{number}").content, sanitize_html=True)
        for entry in parsed.entries:
            content = entry.content[0].value
            yield entry.title, entry.link, entry.published[:10], tuple(_FINDING.findall(content))

    return poll


def read_peak() -> float:
    """The highest resident memory of this process so far, in MB (Linux counts in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)


class Handler(BaseHTTPRequestHandler):
    """/feed/N with its ETag, and /requests: the answers since it was last asked."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    disable_nagle_algorithm = True
    answers: ClassVar[Counter[str]] = Counter()
    sent = 0

    def do_GET(self) -> None:
        if self.path == "/requests":
            report = {"answers": dict(Handler.answers), "bytes": Handler.sent}
            Handler.answers, Handler.sent = Counter(), 0
            self.answer(200, json.dumps(report).encode(), "application/json")
            return
        number = self.path.rpartition("/")[2]
        is_known = self.headers.get("If-None-Match") == f'"feed-{number}"'
        status, body = (304, b"") if is_known else (200, write_feed(int(number)))
        Handler.answers[str(status)] += 1
        Handler.sent += len(body)
        self.answer(status, body, "application/atom+xml", f'"feed-{number}"')

    def answer(self, status: int, body: bytes, media_type: str, etag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def serve() -> None:
    """Serve on a free port of this machine, whose number is printed, until standard input ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    server.shutdown()


def write_feed(number: int) -> bytes:
    """One Atom feed, its entries with HTML of about 2 kB."""
    entries = "".join(write_entry(number, entry) for entry in range(ENTRIES))
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">'
        f"<title>Feed {number}</title><id>urn:feed:{number}</id><updated>2026-05-04T09:00:00Z</updated>{entries}</feed>"
    ).encode()


def write_entry(number: int, entry: int) -> str:
    """One entry of a feed."""
    words = "The cities measured the tide at every gate and wrote it on the common map. " * 3
    parts = "".join(
        f'&lt;p class="x"&gt;Finding {number}.{entry}.{part}: {words}&lt;a href="/r/{part}"&gt;Report&lt;/a&gt;&lt;/p&gt;'
        for part in range(6)
    )
    day = f"2026-05-{entry % 4 + 1:02d}T09:00:00Z"
    return (
        f"<entry><title>Survey {number}.{entry}</title><id>urn:entry:{number}:{entry}</id>"
        f'<link href="https://tidalcities.example/en/{number}/{entry}"/>'
        f'<published>{day}</published><updated>{day}</updated><content type="html">{parts}</content></entry>'
    )


if __name__ == "__main__":
    main()
