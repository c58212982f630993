"""Messages of an IMAP folder are sightings, each once, and the folder stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from imap_server import LETTER, Mailbox, running_mailbox
from pregon.errors import SourceError
from pregon.items import read_item
from pregon.sources.mailbox import poll_mailbox
from pregon.types import Poll, SourceState

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as server:
        yield server


def poll(mailbox: Mailbox, etag: str | None = None, *, password: str = "right", folder: str = "Circulars") -> Poll:
    address = f"imap://officer@127.0.0.1:{mailbox.server_address[1]}/{folder}"
    return poll_mailbox(address, password, SourceState(etag=etag), now=NOW, timeout=5, allow_private=True)


def test_messages_are_sightings_and_only_new_ones_come_again(mailbox):
    mailbox.messages = {4: LETTER.format(n=4).encode(), 9: LETTER.format(n=9).encode()}
    first = poll(mailbox)
    assert [one.key for one in first.sightings] == ["<4@t.example>", "<9@t.example>"]
    assert first.sightings[0].published_at == datetime(2027, 3, 9, 9, tzinfo=UTC)
    item = read_item(first.sightings[0].document)
    assert (item.number, item.title, item.issuer) == (16, "Tide tables", "The Secretariat")
    assert poll(mailbox, first.etag).sightings == ()
    mailbox.messages[12] = LETTER.format(n=12).encode()
    assert [one.key for one in poll(mailbox, first.etag).sightings] == ["<12@t.example>"]


def test_messages_stay_unread_and_the_folder_unchanged(mailbox):
    mailbox.messages = {4: LETTER.format(n=4).encode()}
    poll(mailbox)
    assert not any(word in command for command in mailbox.commands for word in ("STORE", "SELECT", "BODY[]", "EXPUNGE"))


def test_a_rebuilt_mailbox_is_read_from_its_beginning(mailbox):
    mailbox.messages = {4: LETTER.format(n=4).encode()}
    etag = poll(mailbox).etag
    mailbox.validity, mailbox.messages = 8, {1: LETTER.format(n=1).encode()}
    assert [one.key for one in poll(mailbox, etag).sightings] == ["<1@t.example>"]


def test_an_unreadable_message_is_a_problem_and_holds_up_no_other(mailbox):
    mailbox.messages = {1: b"Subject: empty\r\n\r\n", 2: b"x", 3: LETTER.format(n=3).encode()}
    mailbox.sizes = {2: 30 * 1024 * 1024}
    found = poll(mailbox).sightings
    assert [one.document is None for one in found] == [False, True, False]
    assert found[0].document.text.strip() == "# empty"
    assert "30 MB and the limit is 20 MB" in found[1].problem


def test_what_is_wrong_is_told_without_the_password(mailbox):
    with pytest.raises(SourceError, match="refuses the user or password") as raised:
        poll(mailbox, password="secret-word")
    assert "secret-word" not in str(raised.value)
    with pytest.raises(SourceError, match="has no folder Other"):
        poll(mailbox, folder="Other")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("imap://a@mail.example/INBOX", "not encrypted"),
        ("imaps://a@127.0.0.1/INBOX", "private network"),
        ("https://mail.example/", "not a mailbox"),
        ("imaps://mail.example/INBOX", "not a mailbox"),
    ],
)
def test_odd_addresses_are_refused(address, words):
    with pytest.raises(SourceError, match=words):
        poll_mailbox(address, "x", SourceState(), now=NOW, timeout=1)
