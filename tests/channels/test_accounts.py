"""What a provider says of our account before anything is sent: whom we write as, or one sentence with what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from imap_server import running_mailbox
from pregon.channels.bluesky import BlueskyChannel
from pregon.channels.discourse import DiscourseChannel
from pregon.channels.mastodon import MastodonChannel
from pregon.channels.smtp import SmtpChannel
from pregon.channels.x import UserTokens, XChannel
from pregon.sandbox import Sandbox, accounts
from pregon.types import Account

from .builders import (
    PATIENCE,
    Kept,
    bluesky_channel,
    discourse_channel,
    mastodon_channel,
    x_channel,
    youtube_channel,
)

NOWHERE = "http://127.0.0.1:9"


def x_with_token(sandbox: Sandbox, refresh_token: str = accounts.X_REFRESH_TOKEN) -> XChannel:
    keys = (accounts.X_CLIENT_ID, accounts.X_CLIENT_SECRET, refresh_token)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
    tokens = UserTokens(*keys, Kept(), timeout=PATIENCE, clock=now, base_url=sandbox.x_url, sleep=lambda _: None)
    return XChannel("", "", "", "", tokens=tokens, base_url=sandbox.x_url, timeout=PATIENCE)


def smtp_channel(port: int, **options: Any) -> SmtpChannel:
    given = {"return_path": "bounce@mail.example", "key": b"key", "security": "none", "timeout": 5.0} | options
    return SmtpChannel("127.0.0.1", port=port, **given)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (x_channel, "@tidalcities"),
        (x_with_token, "@tidalcities"),
        (youtube_channel, "Tidal Cities Network"),
        (mastodon_channel, "@tidalcities"),
        (bluesky_channel, "@tidalcities.example"),
        (discourse_channel, "secretariat"),
    ],
)
def test_it_says_whom_we_write_as_and_writes_nothing(sandbox: Sandbox, build: Callable[..., Any], name: str) -> None:
    assert build(sandbox).read_account() == Account(name)
    calls = [each.split() for each in sandbox.read("requests")["counts"] if each != "youtube units"]
    assert calls
    # Only a token or a session is written.
    assert all(method == "GET" or path.endswith(("oken", "createSession")) for _, method, path in calls)


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (
            lambda sandbox: XChannel("a", "b", "c", "d", base_url=sandbox.x_url),
            "X refuses us (401): give it other keys",
        ),
        (lambda sandbox: x_with_token(sandbox, "ended"), "X's authorisation has ended: connect the account again"),
        (lambda sandbox: youtube_channel(sandbox, "ended"), "authorisation has ended: connect the channel again"),
        (lambda sandbox: mastodon_channel(sandbox, "wrong"), "Mastodon refuses us (401): give it another token"),
        (lambda sandbox: bluesky_channel(sandbox, "wrong"), "Bluesky refuses us (401): give it another app password"),
        (lambda sandbox: discourse_channel(sandbox, "wrong"), "The forum refuses us (403): give it another API key"),
        (lambda _: MastodonChannel("token", NOWHERE), "Mastodon cannot be reached (ConnectionError); look at host"),
        (lambda _: BlueskyChannel("a.example", "word", NOWHERE), "Bluesky cannot be reached (ConnectionError)"),
        (lambda _: DiscourseChannel("key", "user", NOWHERE), "The forum cannot be reached (ConnectionError)"),
        (lambda _: smtp_channel(9), "the mail server cannot be reached"),
    ],
)
def test_what_is_wrong_is_one_sentence(sandbox: Sandbox, build: Callable[[Sandbox], Any], problem: str) -> None:
    account = build(sandbox).read_account()
    assert problem in account.problem
    assert not account.name
    assert "\n" not in account.problem


@pytest.mark.parametrize(
    ("fault", "problem"),
    [("redirect", "answers with a redirect, which is refused"), ("502", "answered 502; ask again")],
)
def test_faults_of_the_way_are_told_apart(sandbox: Sandbox, fault: str, problem: str) -> None:
    for name, channel in (("x", x_channel(sandbox)), ("mastodon", mastodon_channel(sandbox))):
        sandbox.set_fault(name, fault, on="read")
        assert problem in channel.read_account().problem


def test_a_password_of_bluesky_that_was_changed_is_found_though_the_session_still_holds(sandbox: Sandbox) -> None:
    channel = bluesky_channel(sandbox)
    assert not channel.read_account().problem
    channel._client._password = "changed"
    assert "another app password" in channel.read_account().problem


def test_a_quota_that_is_used_up_is_said_and_no_call_is_made(sandbox: Sandbox) -> None:
    assert "goes on by itself" in youtube_channel(sandbox, daily_quota=0).read_account().problem
    assert not [each for each in sandbox.read("requests")["counts"] if each.startswith("youtube GET")]


def test_the_mail_server_and_the_mailbox_of_bounces_are_both_asked(sandbox: Sandbox) -> None:
    port = sandbox.smtp_port
    assert smtp_channel(port).read_account() == Account(f"127.0.0.1:{port}")
    with running_mailbox() as mailbox:
        folder = f"imap://bounce@127.0.0.1:{mailbox.server_address[1]}/Circulars"
        right = {"bounces": folder, "bounces_password": "right", "place": Kept()}
        assert smtp_channel(port, **right).read_account() == Account(f"127.0.0.1:{port}, bounces at 127.0.0.1")
        wrong = smtp_channel(port, **right | {"bounces_password": "wrong"}).read_account()
        assert "refuses the user or password" in wrong.problem
        nowhere = smtp_channel(port, **right | {"bounces": folder.replace("Circulars", "Nowhere")}).read_account()
        assert "has no folder Nowhere" in nowhere.problem
        assert not [each for each in mailbox.commands if each.startswith("UID")], "nothing was read"
    assert sandbox.read("mails") == []
