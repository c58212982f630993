"""Once, to the right people, exactly as approved; an unknown outcome is read back, never sent again on a guess."""

from collections import Counter
from dataclasses import replace

import pytest
from conftest import CLEAN, VIDEO  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.errors import DecisionError
from pregon.pipeline import approved
from pregon.types import ChannelName, ContactState, Decision, DeliveryState, PostFields


def mails(house):
    return Counter(mail["to_email"] for mail in house.sandbox.read("mails"))


def ledger_adds_up(house, slug):
    (figures,) = house.pipeline.measuring.funnels(slug)
    for row in figures.rows:
        assert row.planned == row.sent + row.failed + row.suppressed + row.unknown + row.held + row.pending
    return figures


def test_everything_goes_out_once_and_a_second_pass_sends_nothing(house):
    slug = house.open_campaign(CLEAN)
    for channel in ("email", "x", "youtube"):
        house.approve(slug, channel)
    house.pipeline.delivering.deliver()
    sent = mails(house)
    posts = house.sandbox.read("posts")
    assert len(sent) == house.states(slug, "email").count("sent") > 0
    assert set(sent.values()) == {1}
    assert len(posts) == len(house.draft(slug, "x").revision.content.body.parts)
    house.pipeline.delivering.deliver()
    assert mails(house) == sent
    assert house.sandbox.read("posts") == posts
    ledger_adds_up(house, slug)


def test_a_video_is_added_once_to_its_playlist(house):
    slug = house.open_campaign(VIDEO)
    house.approve(slug, "youtube")
    house.pipeline.delivering.deliver()
    house.pipeline.delivering.deliver()
    assert house.states(slug, "youtube") == ["sent"]
    shown = str(house.sandbox.read("playlists"))
    assert shown.count("tidalVid001") == 1


@pytest.mark.parametrize("fault", ["drop_after_accept", "500_but_done"])
def test_a_lost_answer_is_settled_by_reading_back_and_nothing_is_sent_twice(house, fault):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.approve(slug, "x")
    house.sandbox.set_fault("sendgrid", fault)
    house.sandbox.set_fault("x", fault)
    house.pipeline.delivering.deliver()
    assert "unknown" in house.states(slug, "email")
    assert "unknown" in house.states(slug, "x")
    for _ in range(6):
        house.clock.forward(minutes=5)
        house.pipeline.delivering.deliver()
    assert set(house.states(slug, "email")) == {"sent", "suppressed"}
    assert set(house.states(slug, "x")) == {"sent"}
    assert set(mails(house).values()) == {1}
    texts = Counter(post["text"] for post in house.sandbox.read("posts"))
    assert set(texts.values()) == {1}
    ledger_adds_up(house, slug)


def test_a_claim_whose_worker_died_before_sending_is_not_lost(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    claimed = house.pipeline.store.exchange_mailings((), 1, 1000, "a worker that dies", house.clock())
    assert claimed
    house.pipeline.delivering.deliver()
    house.clock.forward(minutes=4)
    house.pipeline.delivering.deliver()
    assert "unknown" in house.states(slug, "email")
    for _ in range(8):
        house.clock.forward(minutes=5)
        house.pipeline.delivering.deliver()
    assert set(house.states(slug, "email")) == {"sent", "suppressed"}
    assert set(mails(house).values()) == {1}


def test_an_unknown_outcome_that_cannot_be_settled_is_held_for_a_person(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "x")
    house.sandbox.set_fault("x", "drop_after_accept")
    house.pipeline.delivering.deliver()
    house.sandbox.set_fault("x", "502", times=1000, on="read")
    house.clock.forward(hours=25)
    house.pipeline.delivering.deliver()
    states = house.states(slug, "x")
    assert states[0] == "held"
    held = [row.id for row in house.pipeline.reviewing.who(slug) if row.state is DeliveryState.HELD]
    assert house.pipeline.reviewing.resolve_deliveries(tuple(held), DeliveryState.SENT, house.officer) == 1
    settled = house.pipeline.store.read_delivery(held[0])
    assert (settled.state, settled.sent_at) == (DeliveryState.SENT, house.clock())


@pytest.mark.parametrize(
    ("channel", "content", "state"), [("email", "ApprovedMails", "pending"), ("x", "Approved", "sending")]
)
def test_a_machine_that_sleeps_between_claim_and_request_sends_nothing_when_it_wakes(
    house, monkeypatch, channel, content, state
):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, channel)
    kept = getattr(approved, content).content

    def sleep(self, claimed):
        house.clock.forward(minutes=20)
        return kept(self, claimed)

    monkeypatch.setattr(getattr(approved, content), "content", sleep)
    house.pipeline.delivering.deliver()
    # By now somebody else may have taken these claims for lost, read that nothing is out, and be sending them.
    assert state in house.states(slug, channel)
    assert house.sandbox.read("mails") == house.sandbox.read("posts") == []
    monkeypatch.undo()
    for _ in range(4):
        house.clock.forward(minutes=20)
        house.pipeline.delivering.deliver()
    assert set(house.states(slug, channel)) <= {"sent", "suppressed"}
    assert set(mails(house).values()) <= {1}


@pytest.mark.parametrize("decision", [Decision.WITHDRAWN, Decision.NEEDS_CHANGES])
def test_what_may_be_out_is_settled_by_a_person_before_its_approval_can_be_withdrawn(house, decision):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "x")
    house.sandbox.set_fault("x", "drop_after_accept")
    house.pipeline.delivering.deliver()
    house.sandbox.set_fault("x", "502", times=1000, on="read")
    house.clock.forward(hours=25)
    house.pipeline.delivering.deliver()
    view, reviewing = house.draft(slug, "x"), house.pipeline.reviewing
    with pytest.raises(DecisionError, match="may have"):
        reviewing.decide(view.draft.id, decision, view.revision.digest, house.officer, comment="Not yet.")
    assert house.states(slug, "x")[0] == "held"
    held = tuple(row.id for row in reviewing.who(slug) if row.state is DeliveryState.HELD)
    # Their word that it is not out: from now on it may be taken back, and goes out when it is approved again.
    reviewing.resolve_deliveries(held, DeliveryState.PENDING, house.officer)
    reviewing.decide(view.draft.id, decision, view.revision.digest, house.officer, comment="Not yet.")
    assert set(house.states(slug, "x")) == {"suppressed"}


def pending(house, slug):
    return [row for row in house.pipeline.reviewing.who(slug) if row.state is DeliveryState.PENDING]


def test_a_rate_limit_is_waited_for_and_then_everybody_gets_one_mail(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.sandbox.set_fault("sendgrid", "429_with_reset")
    house.pipeline.delivering.deliver()
    # What was claimed and had not left by then is pending, too, and was not tried.
    refused = {row.id for row in pending(house, slug) if row.attempts == 1}
    assert refused
    house.pipeline.delivering.deliver()
    assert {row.id for row in pending(house, slug)} == refused
    house.clock.forward(minutes=30)
    house.pipeline.delivering.deliver()
    assert set(house.states(slug, "email")) == {"sent", "suppressed"}
    assert set(mails(house).values()) == {1}


def test_a_channel_without_credit_pauses_and_says_so(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "x")
    house.sandbox.set_fault("x", "402")
    result = house.pipeline.delivering.deliver()
    assert "x" in result.paused
    assert house.states(slug, "x")[0] == "pending"
    house.pipeline.stopping.resume_channel(ChannelName.X, house.officer)
    house.clock.forward(minutes=30)
    house.pipeline.delivering.deliver()
    assert set(house.states(slug, "x")) == {"sent"}


def test_an_unsubscribe_is_effective_for_everything_not_yet_claimed(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    row = next(r for r in house.pipeline.reviewing.who(slug) if r.state is DeliveryState.PENDING)
    house.pipeline.store.set_contact_state(row.contact_id, ContactState.UNSUBSCRIBED, house.clock())
    house.pipeline.delivering.deliver()
    assert row.address not in mails(house)
    now = house.pipeline.store.read_delivery(row.id)
    assert (now.state, now.reason) == (DeliveryState.SUPPRESSED, "unsubscribed after planning")


def test_work_that_is_too_old_is_held(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.clock.forward(hours=49)
    result = house.pipeline.delivering.deliver()
    assert result.held > 0
    assert set(house.states(slug, "email")) == {"held", "suppressed"}
    assert house.sandbox.read("mails") == []


def test_being_interrupted_more_often_than_the_attempts_allow_loses_nothing(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    for _ in range(house.settings.channels.email.max_attempts + 2):
        while house.pipeline.store.exchange_mailings((), 1, 1000, "a worker that dies", house.clock()):
            pass
        house.clock.forward(minutes=20)
        house.pipeline.store.mark_lost_claims(house.clock(), house.clock())
        house.pipeline.delivering._settle_channel(house.pipeline.delivering._channels["email"])
        house.clock.forward(hours=1)
    house.pipeline.delivering.deliver()
    assert set(house.states(slug, "email")) == {"sent", "suppressed"}
    assert set(mails(house).values()) == {1}


def test_asking_again_without_news_is_not_written_down_each_time(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    house.sandbox.set_fault("sendgrid", "drop_before_accept", times=9)
    house.pipeline.delivering.deliver()
    unknown = [row.id for row in house.pipeline.reviewing.who(slug) if row.state is DeliveryState.UNKNOWN]
    tried = []
    for _ in range(3):
        house.clock.forward(minutes=3)
        house.pipeline.delivering.deliver()
        told = house.pipeline.store.receipts_of(unknown)[unknown[0]]
        tried.append([(receipt.kind, receipt.state.value) for receipt in told])
    assert tried[0] == tried[1] == tried[2] == [("send", "unknown"), ("settle", "unknown")]


THREAD = PostFields(("The towns meet.", "They bring maps.", "They share them."))


def open_thread(house):
    slug = house.open_campaign(CLEAN)
    view = house.draft(slug, "x")
    house.pipeline.reviewing.edit_draft(view.draft.id, view.revision.number, THREAD, house.officer)
    return slug


def test_a_refused_reply_is_held_with_what_to_do_and_the_rest_waits(house):
    slug = open_thread(house)
    house.approve(slug, "x")
    house.sandbox.set_fault("x", "slow", seconds=0)  # the first post goes through
    house.sandbox.set_fault("x", "reply_403")
    house.pipeline.delivering.deliver()
    assert house.states(slug, "x") == ["sent", "held", "pending"]
    held = next(row for row in house.pipeline.reviewing.who(slug) if row.state is DeliveryState.HELD)
    assert "Release it" in held.reason


def test_with_the_playbooks_leave_a_refused_reply_ends_the_thread(house, database_url):
    playbooks = {
        kind: playbook.model_copy(update={"x": playbook.x.model_copy(update={"reply_fallback": True})})
        for kind, playbook in house.settings.playbooks.items()
    }
    settings = house.settings.model_copy(update={"playbooks": playbooks})
    other = replace(house, pipeline=build_pipeline(settings, house.sandbox, clock=house.clock), settings=settings)
    slug = open_thread(other)
    other.approve(slug, "x")
    house.sandbox.set_fault("x", "slow", seconds=0)
    house.sandbox.set_fault("x", "reply_403")
    other.pipeline.delivering.deliver()
    assert other.states(slug, "x") == ["sent", "failed", "failed"]
    assert len(house.sandbox.read("posts")) == 1
    ledger_adds_up(other, slug)
    other.pipeline.store.close()


def test_a_thread_goes_out_over_oauth_2_and_its_token_is_kept_sealed(house):
    x = house.settings.channels.x.model_copy(update={"auth": "oauth2"})
    settings = house.settings.model_copy(update={"channels": house.settings.channels.model_copy(update={"x": x})})
    other = replace(house, pipeline=build_pipeline(settings, house.sandbox, clock=house.clock), settings=settings)
    slug = open_thread(other)
    other.approve(slug, "x")
    other.pipeline.delivering.deliver()
    assert other.states(slug, "x") == ["sent", "sent", "sent"]
    kept = other.pipeline.store.read_credential("x-sandbox")
    assert kept.startswith("gAAAA")
    assert "refresh" not in kept
    other.pipeline.store.close()
