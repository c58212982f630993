"""The way onto the network for one fetch: only public addresses unless allowed, and one deadline for everything.

httpx's timeouts start anew with every byte, so a host that sends a byte a second would hold a worker for ever; and a
name that is checked before the request may lead elsewhere when the request is made. Both are settled here, where the
connection is made: the address that is connected to is the one that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore
import httpx

from pregon.errors import SourceError


class PrivateHostError(SourceError):
    """The host is on a private network, and that was not allowed."""


def open_transport(deadline: float, *, allow_private: bool) -> httpx.HTTPTransport:
    """A transport whose connections end at `deadline` (of `time.monotonic`)."""
    context = trusted_certificates()
    transport = httpx.HTTPTransport(verify=context)
    # httpx has no public way to hand its pool a network backend (0.28); tests hold that this one is used.
    transport._pool = httpcore.ConnectionPool(
        ssl_context=context,
        max_connections=1,
        network_backend=_Backend(deadline, allow_private=allow_private),
    )
    return transport


@cache
def trusted_certificates() -> ssl.SSLContext:
    """The authorities that are trusted, loaded once: loading takes longer (30 ms) than most polls."""
    return httpx.create_ssl_context(trust_env=False)


def resolve_public(host: str, port: int) -> str:
    """An address of `host`. Raises `SourceError` when there is none, or when any of them is on a private network."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise SourceError(f"there is no host {host}: correct the address of this source, or try later") from error
    for one in found:
        if not _is_public(one):
            raise PrivateHostError(
                f"{host} is on a private network: set allow_private for this source if that is meant"
            )
    return found[0]


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its very name; nothing is looked up."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_public(address: str) -> bool:
    known = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(known, "ipv4_mapped", None) or getattr(known, "sixtofour", None)
    return known.is_global and not known.is_multicast and (mapped is None or mapped.is_global)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: float, *, allow_private: bool) -> None:
        self._deadline = deadline
        self._allow_private = allow_private
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = host if self._allow_private else resolve_public(host, port)
        left = _time_left(self._deadline, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(address, port, left, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection of which every wait is cut to what is left until the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _time_left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _time_left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _time_left(self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _time_left(deadline: float, late: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("the deadline has passed")
    return left
