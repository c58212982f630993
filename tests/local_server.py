"""A real HTTP server on this machine whose answers each test writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class LocalServer:
    """`routes` maps a path to a function that answers; `requests` keeps (path, headers) in order.

    `methods` keeps the verb of each request, `bodies` what was posted.
    """

    def __init__(self) -> None:
        self.routes: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.methods: list[str] = []
        self.bodies: list[bytes] = []
        self.closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:
                server.methods.append(self.command)
                server.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
                with suppress(BrokenPipeError, ConnectionResetError):
                    server.find(self.path)(self)

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_POST(self) -> None:
                server.bodies.append(self.rfile.read(int(self.headers.get("content-length", 0))))
                self.do_GET()

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def find(self, path: str) -> Answer:
        """What answers `path`: the route with its query, else without, else 404."""
        for name in (path, path.partition("?")[0]):
            with suppress(KeyError):
                return self.routes[name]
        return lambda handler: handler.send_error(404)

    def serve(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """Answer `path` with `body`; returns its address. Header names are given with underscores."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content_Type": "application/atom+xml", **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            if handler.command != "HEAD":
                handler.wfile.write(body)

        self.routes[path] = answer
        return self.address + path

    def redirect(self, path: str, target: str, status: int = 302) -> str:
        """Answer `path` with a redirect to `target`."""
        return self.serve(path, b"", status, Location=target)

    def stop(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@contextmanager
def running_server() -> Iterator[LocalServer]:
    local = LocalServer()
    try:
        yield local
    finally:
        local.stop()
