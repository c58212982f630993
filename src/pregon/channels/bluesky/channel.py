"""Bluesky as a channel: one delivery is one post, under a key that is made of the delivery id.

A post's key is known before it is written, so settling is one read, and a second write of the same delivery is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import requests

from pregon.channels.answers import RAW_LIMIT, is_settled_absence
from pregon.channels.bluesky.answers import ENDED, name_error, read_refusal, read_trouble
from pregon.channels.bluesky.client import Client
from pregon.channels.bluesky.payload import MAX_MEDIA, build_record, make_key
from pregon.channels.threads import send_in_order, without_post
from pregon.channels.transport import explain_unread
from pregon.types import Account, ChannelName, DeliveryState, Outcome, Outgoing, PostPart, Sample, Shipment

DEFAULT_HOST = "https://bsky.social"
_TROUBLE = (requests.RequestException, ValueError, KeyError, TypeError)
_METRICS = {"likeCount": "likes", "repostCount": "reposts", "replyCount": "replies", "quoteCount": "quotes"}
_PAGE = 25


class BlueskyChannel:
    """Posts of the account `identifier`, opened with an app password, on the server at `base_url`."""

    name = ChannelName.BLUESKY
    batch_size = 1

    def __init__(
        self,
        identifier: str,
        password: str,
        base_url: str = DEFAULT_HOST,
        *,
        timeout: float = 10.0,
        grace_seconds: float = 30.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = Client(identifier, password, base_url, timeout)
        self._grace_seconds, self._clock = grace_seconds, clock

    def send(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Post each delivery's part in order; after one that was not posted the rest stay pending."""
        language = shipment.content.language or ""
        return send_in_order(shipment, lambda part, delivery: self._send_one(part, delivery, language))

    def _send_one(self, part: PostPart, delivery: Outgoing, language: str) -> Outcome:
        now = self._clock()
        try:
            self._client.sign_in()
            blobs = [self._upload(part, index) for index in range(len(part.media[:MAX_MEDIA]))]
            reply = self._find_reply(delivery.reply_to_id) if delivery.reply_to_id else None
        except _TROUBLE as error:
            return self._note_end(without_post(read_trouble(delivery.delivery_id, error, now)))
        record = build_record(part, language, blobs, reply, now)
        try:
            answer = self._client.create(make_key(delivery.delivery_id), record)
            if not answer.ok:
                return self._note_end(
                    read_refusal(delivery.delivery_id, answer.status_code, answer.headers, answer.text, now)
                )
            address = str(answer.json()["uri"])
        except _TROUBLE as error:
            return read_trouble(delivery.delivery_id, error, now)
        return Outcome(delivery.delivery_id, DeliveryState.SENT, address, "posted", answer.text[:RAW_LIMIT])

    def _note_end(self, outcome: Outcome) -> Outcome:
        if name_error(outcome.raw) in ENDED:
            self._client.forget()
        return outcome

    def _upload(self, part: PostPart, index: int) -> dict[str, Any]:
        answer = self._client.upload(part.media[index])
        answer.raise_for_status()
        blob: dict[str, Any] = answer.json()["blob"]
        return blob

    def _find_reply(self, parent: str) -> dict[str, Any]:
        """Root and parent of a reply, each by address and content id."""
        answer = self._client.find(parent.rpartition("/")[2])
        answer.raise_for_status()
        found = answer.json()
        reference = {"uri": found["uri"], "cid": found["cid"]}
        root = (found["value"].get("reply") or {}).get("root") or reference
        return {"root": root, "parent": reference}

    def settle(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Read each delivery's post by its key."""
        return tuple(self._settle_one(delivery) for delivery in shipment.deliveries)

    def _settle_one(self, delivery: Outgoing) -> Outcome:
        try:
            self._client.sign_in()
            answer = self._client.find(make_key(delivery.delivery_id))
            if answer.ok:
                address = str(answer.json()["uri"])
                return Outcome(delivery.delivery_id, DeliveryState.SENT, address, "found by its key")
        except _TROUBLE as error:
            outcome = read_trouble(delivery.delivery_id, error, self._clock())
            return replace(outcome, state=DeliveryState.UNKNOWN, detail="Bluesky could not be read", pause=None)
        if name_error(answer.text) == "RecordNotFound":
            return self._judge_absence(delivery)
        unread = Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, "Bluesky could not be read", answer.text)
        return self._note_end(unread)

    def _judge_absence(self, delivery: Outgoing) -> Outcome:
        if is_settled_absence((delivery,), self._clock(), self._grace_seconds):
            return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, "no post has this delivery's key")
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, "no post has this delivery's key yet")

    def read_account(self) -> Account:
        """Whom the app password opens a session for: a new one, since a kept one says nothing of the password."""
        self._client.forget()
        try:
            self._client.sign_in()
        except _TROUBLE as error:
            return Account(problem=explain_unread("Bluesky", error, "give it another app password"))
        return Account(f"@{self._client.handle}")

    def sample(self, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
        """Likes, reposts, replies and quotes of the posts that have a provider id; nothing for what cannot be read."""
        named = {delivery.provider_id: delivery.delivery_id for delivery in deliveries if delivery.provider_id}
        addresses, found = list(named), list[Sample]()
        try:
            self._client.sign_in()
            for start in range(0, len(addresses), _PAGE):
                for post in self._client.count(addresses[start : start + _PAGE])["posts"]:
                    values = [(metric, post[name]) for name, metric in _METRICS.items() if name in post]
                    found += [Sample(named[post["uri"]], metric, int(value), at) for metric, value in values]
        except _TROUBLE:
            self._client.forget()  # a counter missed now is read at the next pass
        return tuple(found)
