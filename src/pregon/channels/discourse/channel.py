"""A Discourse forum as a channel: one delivery is one topic, under an external id that is the delivery id.

The external id is known before the topic is written, so settling is one read, and a second write of the same delivery
is refused; a refusal is therefore looked up before it counts as one. A topic that waits for a moderator has no external id
yet, so before a lost one is written again the queue is read too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import requests

from pregon.channels.answers import is_settled_absence
from pregon.channels.discourse.answers import QUEUED, read_created, read_refusal, read_trouble
from pregon.channels.discourse.client import Client
from pregon.channels.discourse.payload import build_topic, is_waiting, read_topic_id, select_topic, show_picture
from pregon.channels.threads import without_post
from pregon.channels.transport import explain_unread
from pregon.types import Account, ChannelName, DeliveryState, Media, Outcome, Outgoing, Sample, Shipment, TopicBody

_TROUBLE = (requests.RequestException, ValueError, KeyError, TypeError)
_REFUSED = 422


class DiscourseChannel:
    """Topics by the account `user` on the forum at `base_url`, e.g. https://forum.example."""

    name = ChannelName.DISCOURSE
    batch_size = 1

    def __init__(
        self,
        key: str,
        user: str,
        base_url: str,
        *,
        timeout: float = 10.0,
        grace_seconds: float = 120.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = Client(key, user, base_url, timeout)
        self._grace_seconds, self._clock = grace_seconds, clock

    def send(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Post the topic."""
        topic = select_topic(shipment)
        return tuple(self._send_one(topic, delivery) for delivery in shipment.deliveries)

    def _send_one(self, topic: TopicBody, delivery: Outgoing) -> Outcome:
        now = self._clock()
        try:
            body = build_topic(topic, delivery, [self._upload(media) for media in topic.parts[0].media])
        except _TROUBLE as error:
            return without_post(read_trouble(delivery.delivery_id, error, now))
        try:
            answer = self._client.create_topic(body)
        except _TROUBLE as error:
            return read_trouble(delivery.delivery_id, error, now)
        if answer.ok:
            return read_created(delivery.delivery_id, answer.text)
        refusal = read_refusal(delivery.delivery_id, answer.status_code, answer.headers, answer.text, now)
        return self._look_behind(delivery, refusal) if answer.status_code == _REFUSED else refusal

    def _upload(self, media: Media) -> str:
        answer = self._client.upload(media)
        answer.raise_for_status()
        return show_picture(media, str(answer.json()["short_url"]))

    def _look_behind(self, delivery: Outgoing, refusal: Outcome) -> Outcome:
        """A refusal may say that this very topic is there already; in which language, nobody knows."""
        found = self._find(delivery)
        return refusal if found.state is DeliveryState.PENDING else found

    def settle(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Read each delivery's topic by its external id, and where there is none, what waits for a moderator."""
        topic = select_topic(shipment)
        return tuple(self._settle_one(topic, delivery) for delivery in shipment.deliveries)

    def _settle_one(self, topic: TopicBody, delivery: Outgoing) -> Outcome:
        found = self._find(delivery)
        if found.state is not DeliveryState.PENDING:
            return found
        if is_settled_absence((delivery,), self._clock(), self._grace_seconds):
            return self._look_in_queue(topic, delivery, found)
        detail = "no topic has this delivery's external id yet"
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, detail)

    def _look_in_queue(self, topic: TopicBody, delivery: Outgoing, absence: Outcome) -> Outcome:
        """What waits for a moderator has no external id yet: held when a topic of this title does, unknown when nobody says."""
        try:
            answer = self._client.read_pending()
            answer.raise_for_status()
            waits = is_waiting(topic, answer.json())
        except _TROUBLE as error:
            detail = (
                "no topic has this delivery's external id, but the forum does not show what waits for its moderators"
            )
            return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, detail, repr(error))
        return Outcome(delivery.delivery_id, DeliveryState.HELD, None, QUEUED, in_doubt=True) if waits else absence

    def _find(self, delivery: Outgoing) -> Outcome:
        """Sent when there is such a topic, pending when there is none, unknown when the forum does not say."""
        try:
            answer = self._client.find(delivery.delivery_id)
        except _TROUBLE as error:
            return Outcome(
                delivery.delivery_id, DeliveryState.UNKNOWN, None, "the forum could not be read", repr(error)
            )
        topic_id = read_topic_id(answer.headers.get("Location", "")) if answer.is_redirect else None
        if topic_id:
            return Outcome(delivery.delivery_id, DeliveryState.SENT, topic_id, "found by its external id")
        if answer.status_code == 404:
            detail = "no topic has this delivery's external id"
            return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, detail)
        return Outcome(delivery.delivery_id, DeliveryState.UNKNOWN, None, "the forum could not be read", answer.text)

    def read_account(self) -> Account:
        """Whose key it is: what of this account waits for a moderator is shown to itself alone, and settling needs it."""
        try:
            answer = self._client.read_pending()
            answer.raise_for_status()
            answer.json()
        except _TROUBLE as error:
            return Account(
                problem=explain_unread("The forum", error, "give it another API key, with all rights of its user")
            )
        return Account(self._client.user)

    def sample(self, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
        """Views, likes and replies of the topics that have a provider id; nothing for what cannot be read."""
        found: list[Sample] = []
        for delivery in deliveries:
            if not delivery.provider_id:
                continue
            try:
                topic = self._client.read_topic(delivery.provider_id)
                values = (topic["views"], topic["like_count"], max(0, topic["posts_count"] - 1))
            except _TROUBLE:
                continue  # a counter missed now is read at the next pass
            names = ("views", "likes", "replies")
            found += [
                Sample(delivery.delivery_id, name, int(value), at) for name, value in zip(names, values, strict=True)
            ]
        return tuple(found)
