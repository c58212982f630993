"""WebSub (W3C): finding a feed's hub, asking it for notifications, checking what it sends. No state, no server.

A notification is only a hint that the feed changed: whoever gets one polls the feed again and believes nothing that
the notification carries. YouTube's hub is given here, because its feeds do not name it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urljoin

import httpx

from pregon.errors import SignatureError, SourceError
from pregon.sources.network import open_transport

YOUTUBE_HUB = "https://pubsubhubbub.appspot.com/subscribe"
# The topic that YouTube's hub knows, which is not the address of the feed itself.
YOUTUBE_TOPIC = "https://www.youtube.com/xml/feeds/videos.xml?channel_id={channel}"
# WebSub §5.1: secrets are shorter than 200 bytes; leases of ten days are suggested.
_SECRET_BYTES = 199
LEASE = timedelta(days=10)
_METHODS = ("sha1", "sha256", "sha384", "sha512")
_LINK = re.compile(rb"<(?:\w{1,20}:)?link\b[^>]{0,1000}>", re.IGNORECASE)
_HEADER_LINK = re.compile(r"<([^<>]{1,2000})>\s*;\s*rel=\"?([\w -]{1,100})\"?")


@dataclass(frozen=True, slots=True)
class Subscription:
    """What was asked of a hub and not yet confirmed, or is running. `callback` is unguessable and used once."""

    hub: str
    topic: str
    callback: str
    secret: str
    mode: str = "subscribe"


def find_hub(headers: Mapping[str, str], body: bytes) -> tuple[str, str] | None:
    """(hub, topic) that a feed names for itself, by Link header first, then by its link elements; else None."""
    named: dict[str, str] = {}
    for address, relations in _HEADER_LINK.findall(headers.get("link", "")):
        for relation in relations.lower().split():
            named.setdefault(relation, address)
    for link in _LINK.findall(body[:100_000]):
        relation, address = _attribute(link, b"rel"), _attribute(link, b"href")
        if relation in {"hub", "self"} and address:
            named.setdefault(relation, address)
    return (named["hub"], named["self"]) if {"hub", "self"} <= named.keys() else None


def _attribute(link: bytes, name: bytes) -> str:
    found = re.search(rb"\b" + name + rb"\s{0,5}=\s{0,5}[\"']([^\"']{1,1000})[\"']", link, re.IGNORECASE)
    return found[1].decode("utf-8", "replace").replace("&amp;", "&").strip() if found else ""


def request_subscription(wanted: Subscription, *, deadline: float, allow_private: bool = False) -> None:
    """Ask the hub to (un)subscribe; it answers 202 and asks back at the callback. Raises `SourceError` otherwise."""
    if len(wanted.secret.encode()) > _SECRET_BYTES:
        raise SourceError(f"the secret for {wanted.hub} is longer than {_SECRET_BYTES} bytes: shorten it")
    form = {
        "hub.mode": wanted.mode,
        "hub.topic": wanted.topic,
        "hub.callback": wanted.callback,
        "hub.secret": wanted.secret,
        "hub.lease_seconds": str(int(LEASE.total_seconds())),
    }
    transport = open_transport(deadline, allow_private=allow_private)
    try:
        with httpx.Client(transport=transport, trust_env=False) as client:
            answer = client.post(
                urljoin(wanted.topic, wanted.hub),
                content=urlencode(form),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(f"the hub {wanted.hub} cannot be reached: the feed is polled meanwhile") from error
    if answer.status_code not in {202, 204}:
        raise SourceError(f"the hub {wanted.hub} answered {answer.status_code}: the feed is polled meanwhile")


def answer_verification(pending: Subscription | None, query: Mapping[str, str]) -> str | None:
    """The body to answer a hub's verification with (200), or None for 404: only what was asked for is confirmed."""
    asked = pending is not None and query.get("hub.mode") == pending.mode and query.get("hub.topic") == pending.topic
    return query.get("hub.challenge") or None if asked else None


def lease_end(query: Mapping[str, str], now: datetime) -> datetime:
    """When the confirmed lease ends, by the hub's own word; a day when it says nothing usable."""
    told = query.get("hub.lease_seconds", "")
    return now + timedelta(seconds=min(int(told), 90 * 86_400) if told.isdecimal() else 86_400)


def verify_notification(secret: str, header: str | None, body: bytes) -> None:
    """Raise `SignatureError` unless `X-Hub-Signature: method=hex` holds over the raw body (sha1 to sha512)."""
    method, _, given = (header or "").partition("=")
    if method.lower() not in _METHODS:
        raise SignatureError("the notification is not signed as WebSub says: it was ignored")
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.strip().lower().encode()):
        raise SignatureError("the notification's signature does not hold: it was ignored")
