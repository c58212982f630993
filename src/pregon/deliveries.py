"""Plan rows from an approved revision, decide what happens to them, and name them in links.

Pure: ids, times and keys come in as values. One row per recipient, thread part or playlist operation.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pregon.errors import SignatureError
from pregon.types import (
    Content,
    Delivery,
    DeliveryState,
    Outcome,
    PlannedDelivery,
    PlaylistBody,
    ThreadBody,
)

_BACK_OFF = (30, 120, 600, 1800, 3600)
# However long a provider asks to wait: it may have given another unit than it says, and what waits for weeks tells nobody.
_LONGEST_WAIT = 86_400
_SIGNATURE_LENGTH = 22
_PURPOSE = b"delivery:"
# SendGrid calls back until ten minutes before the time; a margin for clocks and for the call itself.
CALL_BACK_BEFORE = timedelta(minutes=12)
# What is handed over leaves so much later at the earliest: the time in which a lost answer can still be called back.
HAND_OVER_LEAD = timedelta(minutes=20)
# How the worker of a claim is marked that hands over ahead of the time.
AHEAD_MARK = "+"
# How the claim of one request of mails ends, behind the worker that made it.
_REQUEST_CLAIM = re.compile(r"/[0-9a-f]{12}\Z")
# How the reason of a failure begins that was no refusal, and of one that only followed from another.
GIVEN_UP = "given up after"
NOT_POSTED = "not posted, since a part before it was not"
TOO_LATE = "held: it was due too long ago; release it or cancel it"
NO_PART_BEFORE = (
    "held: no part of this thread before it is known to the provider. Post it by hand below them and mark it as sent, or "
    "cancel the draft"
)
RESTORED = "held: it was due when the backup was taken and may have gone out since; release it if it has not"


def plan_deliveries(content: Content, digest: str, draft_id: int) -> tuple[PlannedDelivery, ...]:
    """The outbox rows of one approved thread or playlist plan; () for a newsletter, whose rows are one per contact.

    Ids are derived from draft, digest and position, so planning twice names the same rows.
    """
    if isinstance(content.body, ThreadBody):
        return _plan_positions(content, digest, draft_id, len(content.body.parts), content.account or "")
    if isinstance(content.body, PlaylistBody):
        return _plan_positions(content, digest, draft_id, len(content.body.operations), content.account or "")
    return ()


def _plan_positions(
    content: Content, digest: str, draft_id: int, count: int, address: str
) -> tuple[PlannedDelivery, ...]:
    return tuple(
        PlannedDelivery(
            id=name_delivery(digest, draft_id, f"{address}#{position}"),
            channel=content.channel,
            position=position,
            address=address,
            contact_id=None,
            state=DeliveryState.PENDING,
            reason=None,
        )
        for position in range(count)
    )


def name_delivery(digest: str, draft_id: int, target: str) -> str:
    """The id of one delivery: 32 hexadecimal digits that say nothing about the person."""
    return hashlib.sha256(f"{draft_id}\n{digest}\n{target.casefold()}".encode()).hexdigest()[:32]


def name_mail(digest: str, draft_id: int, contact_id: int, address: str) -> str:
    """The id of a newsletter's delivery: 32 hexadecimal digits, of which the first six are where its contact is on file.

    They are the same for 1,024 contacts, so they say nothing about the person; but they make a plan write its rows side
    by side, where ids by chance alone would scatter each page of it over the whole ledger.
    """
    block = (contact_id >> 10) & 0xFFFFFF
    own = hashlib.sha256(f"{draft_id}\n{digest}\n{address.lower()}".encode()).hexdigest()
    return f"{block:06x}{own[:26]}"


def next_attempt(outcome: Outcome, attempts: int, max_attempts: int, now: datetime) -> datetime | None:
    """When a delivery that was certainly not done is tried again; None when it has been tried often enough."""
    if attempts >= max_attempts:
        return None
    planned = _BACK_OFF[min(attempts, len(_BACK_OFF)) - 1] if attempts else 0
    return now + timedelta(seconds=max(planned, min(outcome.retry_after or 0, _LONGEST_WAIT)))


def tried_for(attempts: int) -> timedelta:
    """For how long, at least, something has been tried that was found each time not to have left."""
    return timedelta(seconds=max(0, attempts - len(_BACK_OFF)) * _BACK_OFF[-1])


def leaving_time(due_at: datetime, now: datetime) -> datetime:
    """When a mail leaves that is handed over now: when it is due, in 20 minutes at the earliest, on a full minute."""
    wanted = max(due_at, now + HAND_OVER_LEAD)
    whole = wanted.replace(second=0, microsecond=0)
    return whole if whole == wanted else whole + timedelta(minutes=1)


def is_stale(claimed_at: datetime | None, now: datetime, lease: timedelta) -> bool:
    """Whether a claim is too old to be acted upon: after its lease it is taken for lost, and a request takes its time."""
    return claimed_at is None or now - claimed_at >= lease / 2


def is_one_request(claim: str | None) -> bool:
    """Whether what has this mark in the ledger was claimed together for one request."""
    return _REQUEST_CLAIM.search(claim or "") is not None


def choose_retriable(failed: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """What of the failed deliveries may be tried again: what was given up, and the parts that were waiting for it.

    A refusal that no repetition changes stays as it is, and so do the parts of a thread behind it.
    """
    given_up = [row for row in failed if (row.reason or "").startswith(GIVEN_UP)]
    threads = {(row.draft_id, row.revision) for row in given_up}
    waiting = [
        row for row in failed if (row.reason or "").startswith(NOT_POSTED) and (row.draft_id, row.revision) in threads
    ]
    return (*given_up, *waiting)


def sign_delivery(delivery_id: str, key: bytes) -> str:
    """The token that stands for a delivery in the unsubscribe and view links. It never expires."""
    return f"{delivery_id}.{_signature(delivery_id, key)}"


def sign_deliveries(ids: Iterable[str], key: bytes) -> list[str]:
    """`sign_delivery` for many at once: the key is worked in once, which is most of the work."""
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in _block(key))) for pad in (0x36, 0x5C))
    inner.update(_PURPOSE)
    tokens = []
    for delivery_id in ids:
        first, second = inner.copy(), outer.copy()
        first.update(delivery_id.encode())
        second.update(first.digest())
        tokens.append(f"{delivery_id}.{second.hexdigest()[:_SIGNATURE_LENGTH]}")
    return tokens


def _block(key: bytes) -> bytes:
    # RFC 2104, 2: the key fills one block of the hash; a longer one is hashed first.
    return (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")


def read_token(token: str, key: bytes) -> str:
    """The delivery id of a token. Raises `SignatureError` when it was not made with this key."""
    delivery_id, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(delivery_id, key).encode()):
        raise SignatureError("This link is incomplete or was changed; use the whole link from the mail.")
    return delivery_id


def _signature(delivery_id: str, key: bytes) -> str:
    return hmac.digest(key, _PURPOSE + delivery_id.encode(), "sha256").hex()[:_SIGNATURE_LENGTH]
