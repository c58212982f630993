"""One polite, bounded HTTP GET: conditional, few redirects, limited in bytes and in time, kept off private networks.

Everything that goes wrong is a `SourceError` of one sentence. Knows nothing of feeds.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import httpx

from pregon.errors import SourceError
from pregon.sources.network import open_transport, trusted_certificates

MAX_BYTES = 10 * 1024 * 1024
MAX_REDIRECTS = 5
_PERMANENT = frozenset({301, 308})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGENT = "pregon (feed reader)"
# RFC 9111 max-age is honoured up to a day: a feed that says a year is a misconfigured one.
_LONGEST_FRESH = 86_400


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `moved_to` is set when every redirect on the way was permanent (301, 308)."""

    status: int
    address: str
    headers: Mapping[str, str]
    body: bytes
    moved_to: str | None = None


def fetch(
    address: str, headers: Mapping[str, str], *, now: datetime, timeout: float, allow_private: bool
) -> Answer:  # fmt: skip
    """GET `address` within `timeout` seconds in all. Answers 200 and 304; everything else raises `SourceError`."""
    deadline = time.monotonic() + timeout
    seen: list[str] = []
    permanent = True
    current = address
    transport = open_transport(deadline, allow_private=allow_private)
    with httpx.Client(transport=transport, timeout=timeout, trust_env=False, verify=trusted_certificates()) as client:
        while True:
            seen.append(current)
            request = _build(client, current, headers)
            status, answered, body, target = _exchange(client, request, current, timeout)
            if target is None:
                moved = current if permanent and current != address else None
                _raise_for_status(status, answered, address, now)
                return Answer(status, current, answered, body, moved)
            permanent = permanent and status in _PERMANENT
            current = target
            _check_redirects(address, seen, current)


def _check_redirects(address: str, seen: list[str], target: str) -> None:
    if target in seen:
        raise SourceError(f"{address} redirects in a circle: correct the address of this source")
    if len(seen) > MAX_REDIRECTS:
        raise SourceError(f"{address} redirects more than {MAX_REDIRECTS} times: correct the address of this source")


def _build(client: httpx.Client, address: str, headers: Mapping[str, str]) -> httpx.Request:
    try:
        parts = urlsplit(address)
        _ = parts.port
        url = httpx.URL(address)
    except (ValueError, httpx.InvalidURL) as error:
        raise SourceError(f"{address} is not an address: correct the address of this source") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SourceError(f"{address} is not an http or https address: correct the address of this source")
    return client.build_request(
        "GET", url, headers={"User-Agent": _AGENT, "Accept-Encoding": "gzip, deflate", **headers}
    )


def _exchange(
    client: httpx.Client, request: httpx.Request, address: str, timeout: float
) -> tuple[int, Mapping[str, str], bytes, str | None]:
    """One request: status, headers, body, and where it redirects to."""
    try:
        response = client.send(request, stream=True)
        try:
            target = response.headers.get("location") if response.status_code in _REDIRECTS else None
            if target:
                return response.status_code, response.headers, b"", urljoin(address, target)
            body = _read(response, address) if response.status_code == 200 else b""
            return response.status_code, response.headers, body, None
        finally:
            response.close()
    except httpx.TimeoutException as error:
        raise SourceError(f"{address} did not answer within {timeout:g} seconds: it is tried again later") from error
    except (httpx.HTTPError, httpx.InvalidURL, zlib.error) as error:
        reason = str(error) or type(error).__name__
        raise SourceError(f"{address} cannot be reached ({reason}): it is tried again later") from error


def _read(response: httpx.Response, address: str) -> bytes:
    """The body, unpacked here so that a compressed bomb stops at the limit as well."""
    body = bytearray()
    for piece in _unpacked(response):
        body += piece
        if len(body) > MAX_BYTES:
            raise SourceError(
                f"{address} sends more than {MAX_BYTES // 1_048_576} MB, which no feed needs: check the address"
            )
    return bytes(body)


def _unpacked(response: httpx.Response) -> Iterator[bytes]:
    packed = response.headers.get("content-encoding", "").strip().lower() in {"gzip", "x-gzip", "deflate"}
    if not packed:
        yield from response.iter_raw()
        return
    unpacker = zlib.decompressobj(47)  # 47: gzip or zlib, whichever the first bytes say
    for packed_piece in response.iter_raw():
        piece = packed_piece
        while piece:
            yield unpacker.decompress(piece, 1_048_576)
            piece = unpacker.unconsumed_tail
    yield unpacker.flush()


def _raise_for_status(status: int, headers: Mapping[str, str], address: str, now: datetime) -> None:
    if status in {200, 304}:
        return
    wait = read_retry_after(headers.get("retry-after"), now)
    later = f"it asks to be left alone for {wait:.0f} seconds" if wait else "it is tried again later"
    sentences = {
        401: "asks for a password: use an address that is public",
        403: "refuses to be read: ask its owner",
        404: "is not there (404): check the address; it is tried again later",
        410: "is gone for good (410): remove this source or give its new address",
        429: f"has had too many requests (429): {later}",
    }
    said = sentences.get(status, f"answered {status}: {later}")
    raise SourceError(f"{address} {said}", retry_after=wait, gone=status == 410)


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110 §10.2.3: seconds or a date); None when it says nothing."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(min(int(value.strip()), 30 * _LONGEST_FRESH))
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def read_freshness(headers: Mapping[str, str]) -> float | None:
    """Seconds for which Cache-Control's max-age says the answer stays fresh, a day at most; None when it does not."""
    for part in headers.get("cache-control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name in {"no-cache", "no-store"}:
            return None
        if name == "max-age" and value.strip('"').isdecimal():
            return float(min(int(value.strip('"')), _LONGEST_FRESH)) or None
    return None
