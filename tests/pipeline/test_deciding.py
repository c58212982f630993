"""Two persons, comments on passages, trying the rest again, tests to oneself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pregon.errors import DecisionError, NotAllowedError
from pregon.pipeline import Materials
from pregon.settings import ApprovalRule
from pregon.types import Decision, DeliveryState, DraftState, Kind, Outcome, Role, User

CLEAN = "circulaire-13-2026.fr.txt"
ANA, BEN = User(11, "Ana", Role.APPROVER), User(12, "Ben", Role.APPROVER)


@pytest.fixture
def strict(house, monkeypatch):
    """Circulars need two persons, none of them the last editor."""
    composing = house.pipeline.composing
    playbooks = dict(composing._settings.playbooks)
    rule = ApprovalRule(persons=2, not_last_editor=True)
    playbooks[Kind.CIRCULAR] = playbooks[Kind.CIRCULAR].model_copy(update={"approval": rule})
    monkeypatch.setattr(composing, "_settings", composing._settings.model_copy(update={"playbooks": playbooks}))
    return house


def decide(house, view, decision, user, **said):
    return house.pipeline.reviewing.decide(view.draft.id, decision, view.revision.digest, user, **said)


def test_the_first_of_two_yeses_is_kept_and_writes_no_work(strict):
    slug = strict.open_campaign(CLEAN)
    view = strict.draft(slug, "x")
    assert decide(strict, view, Decision.APPROVED, ANA) is DraftState.IN_REVIEW
    assert strict.states(slug) == []
    once = strict.draft(slug, "x")
    assert (once.yeses, once.missing_yeses) == (("Ana",), 1)
    with pytest.raises(DecisionError, match="already"):
        decide(strict, view, Decision.APPROVED, ANA)
    assert decide(strict, view, Decision.APPROVED, BEN) is DraftState.APPROVED
    assert strict.states(slug, "x")
    strict.pipeline.delivering.deliver()
    assert set(strict.states(slug, "x")) == {"sent"}


def test_an_edit_voids_both_yeses_and_its_editor_cannot_approve_it(strict):
    slug = strict.open_campaign(CLEAN)
    view = strict.draft(slug, "x")
    decide(strict, view, Decision.APPROVED, ANA)
    fields = replace(view.revision.fields, parts=("Other words.",))
    strict.pipeline.reviewing.edit_draft(view.draft.id, view.draft.revision, fields, BEN)
    after = strict.draft(slug, "x")
    assert after.yeses == ()
    with pytest.raises(DecisionError, match="wrote this revision yourself"):
        decide(strict, after, Decision.APPROVED, BEN)
    decide(strict, after, Decision.APPROVED, ANA)
    assert strict.draft(slug, "x").draft.state is DraftState.DRAFT


def test_a_first_yes_can_be_withdrawn(strict):
    view = strict.draft(strict.open_campaign(CLEAN), "x")
    decide(strict, view, Decision.APPROVED, ANA)
    decide(strict, view, Decision.WITHDRAWN, ANA)
    assert strict.draft(strict.pipeline.reviewing.list_campaigns()[0].campaign.slug, "x").yeses == ()
    with pytest.raises(DecisionError):
        decide(strict, view, Decision.WITHDRAWN, ANA)


def test_two_first_yeses_at_once_do_not_both_count_as_the_first(strict):
    view = strict.draft(strict.open_campaign(CLEAN), "x")
    decide(strict, view, Decision.APPROVED, ANA)
    store, now = strict.pipeline.store, strict.clock()
    values = (view.draft, view.revision.digest, Decision.APPROVED, DraftState.IN_REVIEW, "Ben", "", (), False, now, now)
    with pytest.raises(DecisionError, match="just now"):
        store.record_decision(*values, decided_before=0)
    assert len(store.list_approvals(view.draft.id)) == 1


def test_a_comment_keeps_the_passage_that_it_is_about(house):
    slug = house.open_campaign(CLEAN)
    view = house.draft(slug, "email")
    decide(house, view, Decision.NEEDS_CHANGES, ANA, comment="Too long", quote="le  guide\n des quais")
    decide(house, view, Decision.NEEDS_CHANGES, BEN, comment="And this")
    first, second = house.draft(slug, "email").approvals
    assert (first.quote, first.comment, second.quote) == ("le guide des quais", "Too long", "")


def fail(house, slug, detail):
    rows = house.pipeline.reviewing.who(slug)
    with house.pipeline.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'sending' WHERE state = 'pending'")
    outcomes = [(Outcome(row.id, DeliveryState.FAILED, detail=detail), None) for row in rows if row.state == "pending"]
    house.pipeline.store.record_outcomes(outcomes, "send", house.clock())


def test_only_what_was_given_up_is_tried_again(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "x")
    fail(house, slug, "X refused it: the text is a duplicate")
    assert house.pipeline.reviewing.retry_failed(slug, house.officer) == 0
    house.approve(slug, "email")
    fail(house, slug, "given up after 5 attempts: the provider did not answer")
    failed = house.states(slug, "email").count("failed")
    with pytest.raises(NotAllowedError):
        house.pipeline.reviewing.retry_failed(slug, User(9, "e", Role.EDITOR))
    assert house.pipeline.reviewing.retry_failed(slug, house.officer) == failed > 0
    house.pipeline.delivering.deliver()
    assert house.states(slug, "email").count("sent") == failed
    assert set(house.states(slug, "x")) == {"failed"}
    assert house.pipeline.reviewing.retry_failed(slug, house.officer) == 0


def test_a_test_reaches_ones_own_mailbox_and_no_figure(house):
    slug = house.open_campaign(CLEAN)
    people, trying = house.pipeline.people, house.pipeline.trying
    people.add_user("Ana", "a long password", Role.EDITOR)
    admin, draft = User(1, "root", Role.ADMIN), house.draft(slug, "email").draft.id
    with pytest.raises(DecisionError, match="does not know your address"):
        trying.send_test(draft, people.user("Ana"))
    trying.set_address("Ana", "ana@tidalcities.example", admin)
    with pytest.raises(DecisionError, match="belongs to none"):
        trying.send_test(draft, people.user("Ana"), "stranger@else.example")
    sent = trying.send_test(draft, people.user("Ana"))
    assert (sent.state, sent.address) == (DeliveryState.SENT, "ana@tidalcities.example")
    (mail,) = house.sandbox.read("mails")
    assert mail["subject"].startswith("[TEST] ")
    assert house.states(slug) == []
    (figures,) = house.pipeline.measuring.funnels(slug)
    assert figures.rows == ()
    house.sandbox.react()
    assert house.draft(slug, "email").draft.state is DraftState.IN_REVIEW
    assert house.draft(slug, "email").tests == (sent,)
    with pytest.raises(NotAllowedError):
        trying.send_test(draft, User(3, "v", Role.VIEWER))
    with pytest.raises(DecisionError, match="no address"):
        trying.set_address("Ana", "not an address", admin)


def test_a_time_that_has_passed_means_at_once_and_says_so(house):
    slug = house.open_campaign(CLEAN)
    view = house.draft(slug, "x")
    later, edit = house.clock() + timedelta(hours=2), house.pipeline.reviewing.edit_draft
    with pytest.raises(DecisionError, match="has passed"):
        edit(view.draft.id, 1, view.revision.fields, house.officer, send_at=house.clock() - timedelta(minutes=1))
    edit(view.draft.id, 1, view.revision.fields, house.officer, send_at=later)
    assert house.draft(slug, "x").due_at == later
    house.clock.forward(hours=3)
    assert house.draft(slug, "x").due_at is None


def test_a_first_page_of_campaigns_takes_the_waiting_ones_first(house):
    first = house.open_campaign(CLEAN)
    for channel in ("email", "x", "youtube"):
        house.approve(first, channel)
    second = house.open_campaign("circular-12-2026.en.md")
    listing = house.pipeline.reviewing
    search = listing.list_campaigns.__defaults__[0]
    assert [row.campaign.slug for row in listing.list_campaigns()] == [second, first]
    assert [row.campaign.slug for row in listing.list_campaigns(replace(search, limit=1, offset=1))] == [first]
    assert [row.campaign.slug for row in listing.list_campaigns(replace(search, waiting=False))] == [first]
    assert listing.count_campaigns() == 2
    assert isinstance(house.pipeline.reviewing._materials, Materials)
