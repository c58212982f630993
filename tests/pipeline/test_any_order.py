"""Whatever officers do in whatever order, under whatever faults: nothing twice, nothing lost, and the ledger says the truth.

Random walks over what people and providers can do. Of one draft nobody may ever get a second message, since what has
gone out can no longer be changed; an officer who is asked for a word looks at the provider and says what is there.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest
from conftest import CLEAN  # type: ignore[import-not-found]
from test_handing import with_email  # type: ignore[import-not-found]

from pregon.errors import DecisionError, PregonError
from pregon.types import ChannelName, ContactState, Decision, DeliveryState

# `PREGON_WALKS=200` takes two hundred walks. These three meet, among much else, a message that arrived without an answer,
# could not be settled, was withdrawn and approved again.
SEEDS = range(int(os.environ["PREGON_WALKS"])) if "PREGON_WALKS" in os.environ else (18, 20, 81)
STEPS = 40
FAULTS = ("drop_after_accept", "drop_before_accept", "500_but_done", "502", "429_with_reset", "partial", "redirect")
CHANNELS = {"email": "sendgrid", "x": "x"}


class Walk:
    """One campaign, and everything that can happen to it. With `ahead` mails are handed over before their time."""

    def __init__(self, house, seed, *, ahead=False):
        self.house, self.random, self.log, self.ahead = house, random.Random(seed), [], ahead
        self.slug = house.open_campaign(CLEAN)
        self.first = {channel: house.draft(self.slug, channel).revision.fields for channel in CHANNELS}
        channels = house.settings.channels
        quick = {name: getattr(channels, name).model_copy(update={"settle_hours": 0.1}) for name in ("email", "x")}
        house.pipeline.delivering._settings = house.settings.model_copy(
            update={"channels": channels.model_copy(update=quick)}
        )

    def run(self):
        moves = (*3 * (self.approve,), *3 * (self.deliver,), self.wait, self.wait, self.break_something, self.lose, self.withdraw,
                 self.edit, self.edit_back, self.stop, self.say, self.unsubscribe, self.retry, self.resume)  # fmt: skip
        for _ in range(STEPS):
            move, channel = self.random.choice(moves), self.random.choice(list(CHANNELS))
            self.log.append(f"{move.__name__} {channel}")
            try:
                move(channel)
            except PregonError as error:
                self.log[-1] += f": {error}"
            if move in (self.deliver, self.say):
                self.check()

    # --- what can happen

    def approve(self, channel):
        self.decide(channel, Decision.APPROVED)

    def withdraw(self, channel):
        self.decide(channel, self.random.choice([Decision.WITHDRAWN, Decision.NEEDS_CHANGES]))

    def decide(self, channel, decision):
        view = self.house.draft(self.slug, channel)
        reviewing = self.house.pipeline.reviewing
        reviewing.decide(view.draft.id, decision, view.revision.digest, self.house.officer, comment="So.")

    def edit(self, channel):
        fields = self.first[channel]
        if channel == "email":
            self.save(channel, replace(fields, preheader="Changed"))
        else:
            self.save(channel, replace(fields, parts=(f"{fields.parts[0]} Changed", *fields.parts[1:])))

    def edit_back(self, channel):
        self.save(channel, self.first[channel])

    def save(self, channel, fields):
        draft = self.house.draft(self.slug, channel).draft
        self.house.pipeline.reviewing.edit_draft(draft.id, draft.revision, fields, self.house.officer)

    def stop(self, _):
        self.house.pipeline.stopping.stop(self.slug, Decision.WITHDRAWN, self.house.officer)

    def deliver(self, _=None):
        self.house.pipeline.delivering.deliver()

    def wait(self, _):
        self.forward(self.random.choice([1, 6, 40]))

    def forward(self, minutes):
        self.house.clock.forward(minutes=minutes)
        if self.ahead:
            self.house.sandbox.set_clock(self.house.clock().isoformat())

    def break_something(self, channel):
        on = self.random.choice(["write", "write", "read", *(("batch", "cancel") if self.ahead else ())])
        self.house.sandbox.set_fault(
            CHANNELS[channel], self.random.choice(FAULTS), self.random.choice([1, 3, 30]), on=on
        )

    def lose(self, channel):
        """The next message arrives without an answer, and for a while nobody can be asked."""
        self.house.sandbox.set_fault(CHANNELS[channel], "drop_after_accept")
        self.house.sandbox.set_fault(CHANNELS[channel], "502", 6, on="read")

    def say(self, channel):
        """The officer looks at the provider, and says what is there."""
        for row in self.rows(channel):
            if row.state in (DeliveryState.HELD, DeliveryState.UNKNOWN):
                word = DeliveryState.SENT if self.arrived(channel)[self.name(row)] else DeliveryState.PENDING
                try:
                    self.house.pipeline.reviewing.resolve_deliveries((row.id,), word, self.house.officer)
                except DecisionError as error:  # they try again when that time has passed
                    if word is not DeliveryState.PENDING or "may keep these mails" not in str(error):
                        raise

    def unsubscribe(self, _):
        contact = self.random.choice(self.house.pipeline.store.list_contacts())
        self.house.pipeline.store.set_contact_state(contact.id, ContactState.UNSUBSCRIBED, self.house.clock())

    def retry(self, _):
        self.house.pipeline.reviewing.retry_failed(self.slug, self.house.officer)

    def resume(self, channel):
        self.house.pipeline.stopping.resume_channel(ChannelName(channel), self.house.officer)

    # --- what must hold

    def rows(self, channel):
        return [row for row in self.house.pipeline.reviewing.who(self.slug) if row.channel == channel]

    def name(self, row):
        return row.address if row.channel == "email" else row.position

    def arrived(self, channel):
        """What the provider has: how many mails by address, or how many posts by their place in the thread."""
        if channel == "email":
            left = Counter(mail["to_email"] for mail in self.house.sandbox.read("mails"))
            return left + Counter(mail["to_email"] for mail in self.kept()) if self.ahead else left
        return Counter(self.place(post["typed_text"]) for post in self.house.sandbox.read("posts"))

    def kept(self):
        """What SendGrid keeps and will let go."""
        back = {each["batch_id"] for each in self.house.sandbox.read("called_back") if each["status"]}
        now = self.house.clock()
        kept = [mail for mail in self.house.sandbox.read("scheduled") if mail["batch_id"] not in back]
        return [mail for mail in kept if datetime.fromisoformat(mail["leaves_at"]) > now]

    def place(self, text):
        begins = [part.split("http")[0].strip()[:25] for part in self.first["x"].parts]
        return next(number for number, begin in enumerate(begins) if text.startswith(begin))

    def check(self, *, is_over=False):
        story = "\n".join(self.log)
        (figures,) = self.house.pipeline.measuring.funnels(self.slug)
        for row in figures.rows:
            assert row.planned == row.sent + row.failed + row.suppressed + row.unknown + row.held + row.pending, story
        for channel in CHANNELS:
            arrived, rows = self.arrived(channel), self.rows(channel)
            assert not [name for name, count in arrived.items() if count > 1], f"twice by {channel}\n{story}"
            states: dict[object, set[str]] = {}
            for row in rows:
                states.setdefault(self.name(row), set()).add(row.state.value)
            for name, found in states.items():
                if "sent" in found:
                    # While a batch is called back the provider knows it before the ledger does.
                    assert arrived[name] or (self.ahead and not is_over), (
                        f"{name} is said to be sent and did not arrive\n{story}"
                    )
                elif not found & {"unknown", "held", "sending"}:
                    assert not arrived[name], f"{name} arrived and is said to be {found}\n{story}"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whatever_the_order_nothing_goes_out_twice_or_gets_lost(house, seed):
    bring_to_an_end(Walk(house, seed))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nor_does_what_is_handed_over_ahead(house, seed):
    for ahead in with_email(house, handover_minutes=60, batch_size=3):
        bring_to_an_end(Walk(ahead, seed, ahead=True))


def bring_to_an_end(walk):
    walk.run()
    # In the end everything that somebody still wants comes to an end.
    for _ in range(40):
        for channel in CHANNELS:
            walk.resume(channel)
            walk.say(channel)
        walk.forward(minutes=10)
        walk.deliver()
        rows = walk.house.pipeline.reviewing.who(walk.slug)
        left = [row for row in rows if row.state.value in ("pending", "sending", "unknown")]
        if not left:
            break
    walk.forward(minutes=60)
    walk.deliver()
    walk.check(is_over=True)
    assert not left, "\n".join([*walk.log, *(f"{row.channel} {row.position} {row.state} {row.reason}" for row in left)])
