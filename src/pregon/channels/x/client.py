"""tweepy's client for X API v2, with OAuth 1.0a or OAuth 2, made to send once and to give up in time.

tweepy has no timeout of its own, and its `wait_on_rate_limit` repeats a call without delay when X names no reset
time; both are settled here. It does no media upload in v2: see `media.upload_media`.
"""

from __future__ import annotations

from dataclasses import dataclass

import tweepy

from pregon.channels.transport import harden_session


@dataclass(frozen=True, slots=True)
class XCredentials:
    """The four values of OAuth 1.0a user context. They do not expire."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str

    def __repr__(self) -> str:
        return "XCredentials(...)"


def build_client(credentials: XCredentials, base_url: str | None, timeout: float) -> tweepy.Client:
    """A client for X, or for whatever answers at `base_url` instead."""
    client = tweepy.Client(
        consumer_key=credentials.consumer_key,
        consumer_secret=credentials.consumer_secret,
        access_token=credentials.access_token,
        access_token_secret=credentials.access_token_secret,
        wait_on_rate_limit=False,
    )
    harden_session(client.session, timeout, base_url)
    return client


def build_token_client(base_url: str | None, timeout: float) -> tweepy.Client:
    """A client over OAuth 2: whoever uses it puts a valid user token on `bearer_token` first."""
    client = tweepy.Client(bearer_token="", wait_on_rate_limit=False)
    harden_session(client.session, timeout, base_url)
    return client


def is_signed(client: tweepy.Client) -> bool:
    """Whether its calls are signed with OAuth 1.0a (tweepy's `user_auth`) instead of carrying a token."""
    return client.bearer_token is None
