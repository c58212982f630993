"""YouTube as a channel: one delivery is one playlist operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pregon.channels.youtube.answers import Trouble, read_trouble
from pregon.channels.youtube.client import build_service
from pregon.channels.youtube.quota import Quota, SpendUnits
from pregon.channels.youtube.reading import read_own_title, read_state
from pregon.channels.youtube.samples import sample_videos
from pregon.channels.youtube.send import send_operation
from pregon.channels.youtube.settle import settle_operation
from pregon.types import Account, ChannelName, ChannelState, Outcome, Outgoing, Sample, Shipment


class YouTubeChannel:
    """Playlist changes on YouTube. One writer per playlist: concurrent inserts race for positions.

    Calls are counted before they are made, at most `daily_quota` units a day; `spend` keeps the count.
    """

    name = ChannelName.YOUTUBE
    batch_size = 1

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        *,
        daily_quota: int,
        base_url: str | None = None,
        token_uri: str | None = None,
        timeout: float = 10.0,
        grace_seconds: float = 120.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        spend: SpendUnits | None = None,
    ) -> None:
        quota = Quota(clock, daily_quota, spend)
        self._service = build_service(client_id, client_secret, refresh_token, timeout, quota, base_url, token_uri)
        self._grace_seconds = grace_seconds
        self._clock = clock

    def send(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Carry out each delivery's operation in order."""
        return tuple(
            send_operation(self._service, shipment, delivery, self._clock()) for delivery in shipment.deliveries
        )

    def settle(self, shipment: Shipment) -> tuple[Outcome, ...]:
        """Read the playlists for deliveries whose outcome is unknown."""
        return tuple(
            settle_operation(self._service, shipment, delivery, self._clock(), self._grace_seconds)
            for delivery in shipment.deliveries
        )

    def read_state(self, video_ids: Sequence[str]) -> ChannelState:
        """What the channel has, with regard to these videos. Raises what the library raises (`answers.Trouble`)."""
        return read_state(self._service, video_ids)

    def read_account(self) -> Account:
        """The channel that the authorisation is for."""
        try:
            title = read_own_title(self._service)
        except Trouble as error:
            return Account(problem=read_trouble("", error, self._clock(), is_write=False).detail)
        if title is None:
            return Account(problem="this Google account has no YouTube channel: connect the account that has it")
        return Account(title)

    def sample(self, deliveries: Sequence[Outgoing], at: datetime) -> tuple[Sample, ...]:
        """Statistics of the videos of these deliveries."""
        return sample_videos(self._service, deliveries, at)
