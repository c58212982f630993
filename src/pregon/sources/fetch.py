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
# Who asks to be left alone for longer than a month made a mistake, and would otherwise never be heard of again.
_LONGEST_HOLD = 30 * 86_400


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
            request = build_request(client, current, headers)
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


def build_request(
    client: httpx.Client, address: str, headers: Mapping[str, str], method: str = "GET"
) -> httpx.Request:  # fmt: skip
    """A request as every one of ours looks. Raises `SourceError` for what is no http address."""
    try:
        parts = urlsplit(address)
        _ = parts.port
        url = httpx.URL(address)
    except (ValueError, httpx.InvalidURL) as error:
        raise SourceError(f"{address} is not an address: correct the address of this source") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SourceError(f"{address} is not an http or https address: correct the address of this source")
    return client.build_request(
        method, url, headers={"User-Agent": _AGENT, "Accept-Encoding": "gzip, deflate", **headers}
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
        401: f"{address} asks for a password: use an address that is public",
        403: f"{address} refuses to be read: ask its owner",
        404: f"{address} is not there (404): check the address; it is tried again later",
        410: f"{address} is gone for good (410): remove this source or give its new address",
        429: f"{address} has had too many requests (429): {later}",
    }
    said = sentences.get(status, f"{address} answered {status}: {later}")
    raise SourceError(said, retry_after=wait, gone=status == 410)


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110 §10.2.3: seconds or a date); None when it says nothing."""
    if not value:
        return None
    seconds = _whole(value)
    if seconds is not None:
        return float(min(seconds, _LONGEST_HOLD))
    until = _moment(value)
    return None if until is None else min(max(0.0, (until - now).total_seconds()), _LONGEST_HOLD)


def read_freshness(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds for which the answer stays fresh (RFC 9111 §4.2.1), a day at most; None when the headers do not say.

    max-age comes before Expires, which is counted from the answer's own Date; what its Age says has passed is taken off.
    """
    directives = dict(part.strip().partition("=")[::2] for part in headers.get("cache-control", "").lower().split(","))
    if {"no-cache", "no-store"} & directives.keys():
        return None
    fresh = _whole(directives.get("max-age", "").strip('"'))
    lifetime = float(fresh) if fresh is not None else _until_expiry(headers, now)
    left = lifetime - (_whole(headers.get("age", "")) or 0)
    return min(left, _LONGEST_FRESH) if left > 0 else None


def _until_expiry(headers: Mapping[str, str], now: datetime) -> float:
    expires = _moment(headers.get("expires", ""))
    if expires is None:
        return 0.0
    return (expires - (_moment(headers.get("date", "")) or now)).total_seconds()


def _whole(value: str) -> int | None:
    shown = value.strip()
    # Twelve digits are thirty thousand years: more is noise, and Python would take its time to read it.
    return int(shown[:12]) if shown.isascii() and shown.isdecimal() else None


def _moment(value: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
