"""The readers at work: what was accepted becomes signed event batches, one-click unsubscribes and scanner visits.

Calls only addresses of this machine. What the desk does not take (it is down) stays and is tried at the next round.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pregon.sandbox.faults import Fault
from pregon.sandbox.readers import fill_tokens, plan_reading
from pregon.sandbox.state import Record, State

BATCH = 100
# How often one event was seen to come in the worst report of the provider's users.
REPEATS = 46
_ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class WebhookKey:
    """The ECDSA P-256 key that signs the events, made at the first start and kept in the state."""

    def __init__(self, state: State) -> None:
        kept = state.get("setting", "webhook_key")
        if kept is None:
            kept = {"pem": _make_key()}
            state.put("setting", [("webhook_key", kept)])
        key = serialization.load_pem_private_key(kept["pem"].encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the kept webhook key is not an elliptic curve key")
        self._key = key

    def public(self) -> str:
        """The public key as SendGrid shows it: base64 of its DER form."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return b64encode(self._key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()

    def sign(self, body: bytes, timestamp: str) -> dict[str, str]:
        """The headers of a signed batch."""
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            "Content-Type": "application/json",
        }


def _make_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, form, serialization.NoEncryption()).decode()


def plan_reactions(state: State, seed: str) -> int:
    """Turn every accepted mail into what its reader will do; returns how many mails that were."""
    mails = state.all("mail", "accepted")
    messages: dict[str, Record] = {}
    events: list[tuple[str, Record]] = []
    actions: list[tuple[str, Record]] = []
    for mail in mails:
        message = messages.setdefault(mail["message_id"], state.get("message", mail["message_id"]) or {})
        plan = plan_reading(seed, mail, fill_tokens(_html(message), mail["substitutions"]))
        if any(fields.get("type") == "bounce" for _, fields in plan.events):
            state.put("bounces", [(mail["to_email"], {"email": mail["to_email"]})], status="on")
        events += [_build_event(mail, index, after, fields) for index, (after, fields) in enumerate(plan.events)]
        actions += _build_actions(mail, plan.unsubscribe_after, plan.scan_after)
    state.put("event", events, status="waiting")
    state.put("action", actions, status="waiting")
    state.mark("mail", [mail["sg_message_id"] for mail in mails], "read")
    return len(mails)


def _html(message: Record) -> str:
    return "".join(part["value"] for part in message.get("content", []) if part["type"] == "text/html")


def _build_event(mail: Record, index: int, after: float, fields: Record) -> tuple[str, Record]:
    at = datetime.fromisoformat(mail["created_at"]) + timedelta(seconds=after)
    identity = hashlib.sha256(f"{mail['sg_message_id']}/{index}".encode()).hexdigest()[:22]
    entry = {
        **mail["custom_args"],
        "email": mail["to_email"],
        "timestamp": int(at.timestamp()),
        "smtp-id": f"<{mail['message_id']}@sandbox>",
        "category": mail["categories"],
        "sg_event_id": identity,
        "sg_message_id": mail["sg_message_id"],
        **fields,
    }
    return identity, {"due": at.timestamp(), "entry": entry}


def _build_actions(mail: Record, unsubscribe: float | None, scan: float | None) -> list[tuple[str, Record]]:
    url = str(mail["headers"].get("List-Unsubscribe", "")).strip("<>")
    if not url:
        return []
    at = datetime.fromisoformat(mail["created_at"]).timestamp()
    wanted = (("unsubscribe", unsubscribe), ("scan", scan))
    return [
        (
            f"{mail['sg_message_id']}/{what}",
            {"id": f"{mail['sg_message_id']}/{what}", "what": what, "url": url, "due": at + after},
        )
        for what, after in wanted
        if after is not None
    ]


async def push_events(
    state: State, key: WebhookKey, url: str, until: float, timestamp: str, fault: Fault | None = None
) -> int:
    """Send what is due to the webhook, in batches; returns how many different events the desk took.

    Batches are out of order and repeat some events, as the real thing does; `fault` makes this round worse.
    """
    name = fault.name if fault else ""
    if name == "events_late":
        return 0
    due = sorted((event for event in state.all("event", "waiting") if event["due"] <= until), key=_shuffle)
    if name == "events_reversed":
        due.sort(key=lambda event: -float(event["due"]))
    taken = 0
    async with _client() as client:
        for start in range(0, len(due), BATCH):
            batch = due[start : start + BATCH]
            entries = [event["entry"] for event in batch]
            entries += [entry for entry in entries if int(entry["sg_event_id"][:2], 16) % 7 == 0]
            entries *= REPEATS if name == "events_repeated" else 1
            body = json.dumps(entries).encode()
            headers = {} if name == "events_unsigned" else key.sign(body, timestamp)
            if not await _took(client, "POST", url, content=body, headers=headers):
                break
            state.mark("event", [event["entry"]["sg_event_id"] for event in batch], "pushed")
            taken += len(batch)
    return taken


def _shuffle(event: Record) -> str:
    return str(event["entry"]["sg_event_id"])


async def take_actions(state: State, until: float) -> dict[str, int]:
    """Unsubscribe by really posting to the mail's List-Unsubscribe address; look at it as a scanner does."""
    done = {"unsubscribe": 0, "scan": 0}
    async with _client() as client:
        for action in state.all("action", "waiting"):
            if action["due"] > until:
                continue
            options = {"data": _ONE_CLICK} if action["what"] == "unsubscribe" else {}
            method = "POST" if options else "GET"
            if await _took(client, method, action["url"], **options):
                state.mark("action", [action["id"]], "done")
                done[action["what"]] += 1
    return done


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=10, trust_env=False, follow_redirects=False)


async def _took(client: httpx.AsyncClient, method: str, url: str, **options: Any) -> bool:
    if not is_here(url):
        return False
    try:
        answer = await client.request(method, url, **options)
    except httpx.HTTPError:
        return False
    return answer.is_success


def is_here(url: str) -> bool:
    """Whether an address is on this machine: the sandbox calls no other."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
