"""The trying use case: a newsletter sent to a person of the desk, so that they see it in their own mailbox; and what
providers say of our accounts before anything is sent.

It goes through the real channel, marked so that nobody takes it for the newsletter. It is no delivery: the ledger and
the figures never see it, its links of a recipient lead nowhere, and it is not sent again by itself.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from html import escape

from email_validator import EmailNotValidError, validate_email

from pregon.audiences import normalise_address
from pregon.deliveries import sign_delivery
from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL
from pregon.errors import DecisionError, NotAllowedError, NotFoundError
from pregon.pipeline.protocols import AccountReader, Channel, Clock, MailTrier, Storage
from pregon.settings import Settings
from pregon.types import (
    Account,
    AuditEntry,
    ChannelName,
    Content,
    Draft,
    MailBody,
    Outcome,
    Outgoing,
    Revision,
    Role,
    Sender,
    Shipment,
    TestSend,
    User,
)

_MARK = "[TEST]"
_WORDS = "This is a test that was sent to you from the desk. It has not gone out to anybody else."
_MOST_PER_HOUR = 30
_BODY = re.compile(r"<body[^>]*>", re.IGNORECASE)
_BANNER = '<div style="background:#fdf3dc;color:#5c3d00;padding:12px 16px;font:600 14px/1.4 sans-serif;text-align:center">{}</div>'


class Trying:
    """Drafts -> one's own mailbox."""

    def __init__(
        self, store: Storage, channels: Mapping[ChannelName, Channel], settings: Settings, clock: Clock, *, key: bytes
    ) -> None:
        self._store, self._channels, self._settings, self._clock, self._key = store, channels, settings, clock, key

    def send_test(self, draft_id: int, user: User, address: str = "") -> TestSend:
        """Send the newest revision of a newsletter to the person's own address, or to that of another user.

        Raises `NotAllowedError`, `NotFoundError`, or `DecisionError` with what to do.
        """
        if not user.role.includes(Role.EDITOR):
            raise NotAllowedError(f"Your role, {user.role}, does not include sending tests; an editor can do it.")
        target, draft = self._choose_address(user, address), self._store.read_draft(draft_id)
        revision = self._store.read_revision(draft_id, draft.revision) if draft else None
        if draft is None or revision is None:
            raise NotFoundError(f"There is no draft {draft_id}.")
        if not isinstance(revision.content.body, MailBody):
            raise DecisionError(
                "Only a newsletter can be sent as a test; the page shows posts and playlists as they will be."
            )
        test_id = f"test-{secrets.token_hex(13)}"
        content = mark_as_test(revision.content, revision.content.body)
        outgoing = Outgoing(test_id, 0, target.email, target.name, self._links(test_id))
        (outcome,) = self._channels[ChannelName.EMAIL].send(Shipment(content, (outgoing,)))
        return self._record(draft, revision, target.email, user, outcome)

    def ask_account(self, name: ChannelName) -> Account | None:
        """Whom a channel would write as, by its provider's own word; nothing is written. None for a channel that is off."""
        channel = self._channels.get(name)
        if isinstance(channel, MailTrier):
            problem = channel.try_out(self._trial())
            return Account("" if problem else self._settings.network.sender.address, problem)
        return self._compare(name, channel.read_account()) if isinstance(channel, AccountReader) else None

    def _compare(self, name: ChannelName, account: Account) -> Account:
        """What is approved names the configured account, so live posts must not come from another."""
        config = self._settings.channel(name)
        if (
            account.problem
            or config.mode != "live"
            or not config.account
            or is_same_account(config.account, account.name)
        ):
            return account
        problem = (
            f"the credentials are those of {account.name}, and config/channels.yaml says {config.account}: correct one"
        )
        return Account(problem=problem)

    def _trial(self) -> Shipment:
        """A mail from the network to itself."""
        network, test_id = self._settings.network, f"test-{secrets.token_hex(13)}"
        sender = Sender(**network.sender.model_dump())
        body = MailBody(_MARK, "", f"<p>{_WORDS}</p>", f"{_WORDS}\n", "")
        content = Content(ChannelName.EMAIL, network.languages[0], "test", body, sender=sender)
        return Shipment(content, (Outgoing(test_id, 0, sender.address, sender.name, self._links(test_id)),))

    def set_address(self, name: str, email: str, admin: User) -> None:
        """Where a person gets tests; "" for nowhere. Raises `NotAllowedError`, `NotFoundError` or `DecisionError`."""
        if not admin.role.includes(Role.ADMIN):
            raise NotAllowedError(f"Your role, {admin.role}, does not include this; an admin can do it.")
        if self._store.read_user(name) is None:
            raise NotFoundError(f"There is no person called {name!r}.")
        try:
            address = validate_email(email.strip(), check_deliverability=False).normalized if email.strip() else ""
        except EmailNotValidError as error:
            raise DecisionError(f"{email!r} is no address; correct it or leave it empty.") from error
        self._store.set_email(name, address)
        self._store.add_audit(AuditEntry(self._clock(), admin.name, "email", name, "changed" if address else "removed"))

    def _choose_address(self, user: User, address: str) -> User:
        wanted = normalise_address(address or user.email)
        if not wanted:
            raise DecisionError("The desk does not know your address; an admin can add it on the page People.")
        target = next((each for each in self._store.list_users() if normalise_address(each.email) == wanted), None)
        if target is None:
            raise DecisionError("A test goes to people of the desk only, and this address belongs to none of them.")
        if wanted in self._store.read_suppressions([wanted]):
            raise DecisionError("This address is on the list of those that are never written to; take it off first.")
        since = self._clock() - timedelta(hours=1)
        if self._store.count_test_sends(user.name, since) >= _MOST_PER_HOUR:
            raise DecisionError(f"You have sent {_MOST_PER_HOUR} tests within the hour; wait a while.")
        return target

    def _links(self, test_id: str) -> Mapping[str, str]:
        # Signed like a recipient's, and known to nobody: the pages say so and change nothing.
        token, base = sign_delivery(test_id, self._key), self._settings.base_url
        return {UNSUBSCRIBE_URL: f"{base}/unsubscribe/{token}", VIEW_URL: f"{base}/mail/{token}"}

    def _record(self, draft: Draft, revision: Revision, address: str, user: User, outcome: Outcome) -> TestSend:
        sent = TestSend(
            id=outcome.delivery_id,
            draft_id=draft.id,
            revision=revision.number,
            address=address,
            asked_by=user.name,
            state=outcome.state,
            detail=outcome.detail,
            asked_at=self._clock(),
            provider_id=outcome.provider_id,
        )
        self._store.add_test_send(sent)
        detail = f"revision {revision.number}, {outcome.state}"
        self._store.add_audit(AuditEntry(self._clock(), user.name, "test", f"draft {draft.id}", detail))
        return sent


def mark_as_test(content: Content, body: MailBody) -> Content:
    """The newsletter with the mark in its subject and above its text, under a name of its own at the provider."""
    html = _BODY.sub(lambda match: match.group() + _BANNER.format(escape(f"{_MARK} {_WORDS}")), body.html, count=1)
    marked = replace(body, subject=f"{_MARK} {body.subject}", html=html, text=f"{_MARK} {_WORDS}\n\n{body.text}")
    return replace(content, campaign=f"test-{content.campaign}", body=marked)


def is_same_account(configured: str, told: str) -> bool:
    """Whether a provider means the configured account; Mastodon leaves out its own server from @name@server."""
    wanted, found = (each.strip().removeprefix("@").casefold() for each in (configured, told))
    return found in (wanted, wanted.partition("@")[0])
