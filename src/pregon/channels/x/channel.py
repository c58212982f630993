"""X as a channel: one delivery is one part of a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import requests

from pregon.channels.answers import CREDENTIALS
from pregon.channels.transport import explain_unread
from pregon.channels.x.answers import is_duplicate
from pregon.channels.x.client import XCredentials, build_client, build_token_client, is_signed
from pregon.channels.x.samples import sample_posts
from pregon.channels.x.send import Trouble, send_post
from pregon.channels.x.settle import look_behind, settle_post
from pregon.channels.x.tokens import TokenEndedError, UserTokens
from pregon.types import Account, ChannelName, DeliveryState, Outcome, Outgoing, Sample, Shipment

_TOKEN_TROUBLE = (requests.RequestException, ValueError, KeyError, TypeError)


class XChannel:
    """Posts on X. `base_url` replaces X's own address, e.g. by a stand-in's.

    With `tokens` it speaks OAuth 2 and the four keys are not used; without, OAuth 1.0a.
    """

    name = ChannelName.X
    batch_size = 1

    def __init__(
        self,
        consumer_key: str,
        consumer_secret: str,
        access_token: str,
        access_token_secret: str,
        *,
        tokens: UserTokens | None = None,
        base_url: str | None = None,
        timeout: float = 10.0,
        grace_seconds: float = 120.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        credentials = XCredentials(consumer_key, consumer_secret, access_token, access_token_secret)
        self._client = build_token_client(base_url, timeout) if tokens else build_client(credentials, base_url, timeout)
        self._tokens = tokens
        self._grace_seconds = grace_seconds
        self._clock = clock

    def send(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Post each delivery's part in order; after one that was not posted the rest stay pending."""
        outcomes: list[Outcome] = []
        for delivery in shipment.deliveries:
            if outcomes and outcomes[-1].state is not DeliveryState.SENT:
                detail = "waits for the part before it"
                outcomes.append(Outcome(delivery.delivery_id, DeliveryState.PENDING, None, detail))
                continue
            outcomes.append(self._send_one(shipment, delivery))
        return tuple(outcomes)

    def _send_one(self, shipment: Shipment, delivery: Outgoing) -> Outcome:
        trouble = self._authorise(delivery)
        if trouble:
            return trouble
        outcome = send_post(self._client, shipment, delivery, self._clock())
        if outcome.state is DeliveryState.UNKNOWN and is_duplicate(outcome.raw):
            return look_behind(self._client, shipment, delivery, outcome, self._clock())
        if self._tokens and outcome.pause == CREDENTIALS and self._tokens.refuse(str(self._client.bearer_token)):
            # A token may end before its time. X refused, so nothing was posted; one other token is tried.
            return replace(outcome, pause=None, retry_after=1.0)
        return outcome

    def settle(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Look for each delivery's post on the account's own timeline."""
        return tuple(self._settle_one(shipment, delivery) for delivery in shipment.deliveries)

    def _settle_one(self, shipment: Shipment, delivery: Outgoing) -> Outcome:
        trouble = self._authorise(delivery)
        if trouble:
            return replace(trouble, state=DeliveryState.UNKNOWN)
        return settle_post(self._client, shipment, delivery, self._clock(), self._grace_seconds)

    def read_account(self) -> Account:
        """Whom the keys or the token belong to."""
        try:
            if self._tokens:
                self._client.bearer_token = self._tokens.give()
            return Account(f"@{self._client.get_me(user_auth=is_signed(self._client)).data['username']}")
        except TokenEndedError:
            return Account(problem="X's authorisation has ended: connect the account again")
        except Trouble as error:
            return Account(problem=explain_unread("X", error, "give it other keys, or connect the account again"))

    def sample(self, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
        """Public counters of the posts that have a provider id."""
        if not deliveries or self._authorise(deliveries[0]):
            return ()
        return sample_posts(self._client, deliveries, at)

    def _authorise(self, delivery: Outgoing) -> Outcome | None:
        """Put a valid token on the client; the outcome of a delivery for which there is none."""
        if self._tokens is None:
            return None
        try:
            self._client.bearer_token = self._tokens.give()
        except TokenEndedError as error:
            detail = "X's authorisation has ended: connect the account again"
            return _pending(delivery, detail, str(error), CREDENTIALS)
        except _TOKEN_TROUBLE as error:
            return _pending(delivery, "X gave no token; nothing was posted", repr(error), None)
        return None


def _pending(delivery: Outgoing, detail: str, raw: str, pause: str | None) -> Outcome:
    return Outcome(delivery.delivery_id, DeliveryState.PENDING, None, detail, raw, pause=pause, is_unsent=pause is None)
