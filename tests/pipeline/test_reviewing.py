"""Nothing is approved but exactly what a person saw; any edit makes the approval lapse."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from conftest import CLEAN, OPEN, on_sqlite  # type: ignore[import-not-found]

from pregon.bootstrap import build_pipeline
from pregon.errors import DecisionError, NotAllowedError, StaleRevisionError
from pregon.types import CampaignSearch, Decision, DraftState, LinkHealth, LinkState, Role, User


def edited(view, **changes):
    return replace(view.revision.fields, **changes)


def test_a_circular_sets_three_drafts_in_motion(house):
    slug = house.open_campaign(CLEAN)
    assert slug == "2026-circular-13"
    views = house.pipeline.reviewing.show_campaign(slug).drafts
    assert [view.draft.channel.value for view in views] == ["email", "x", "youtube"]
    assert all(view.draft.state is DraftState.IN_REVIEW for view in views)
    assert views[2].revision.content.body.operations == ()
    assert views[2].revision.content.body.reason


def test_approving_plans_every_recipient_and_says_who_is_left_out(house):
    slug = house.open_campaign(CLEAN)
    view = house.draft(slug, "email")
    house.approve(slug, "email")
    states = house.states(slug, "email")
    assert states.count("pending") == view.recipients > 0
    assert states.count("suppressed") == view.excluded > 0
    left_out = [row for row in house.pipeline.reviewing.who(slug) if row.state.value == "suppressed"]
    assert all(row.reason for row in left_out)


def test_an_edit_voids_the_approval_and_withdraws_its_work(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    view = house.draft(slug, "email")
    fields = edited(view, preheader="Un autre début")
    house.pipeline.reviewing.edit_draft(view.draft.id, view.draft.revision, fields, house.officer)
    after = house.draft(slug, "email")
    assert after.draft.state is DraftState.DRAFT
    assert after.revision.digest != view.revision.digest
    assert set(house.states(slug, "email")) == {"suppressed"}
    assert house.pipeline.delivering.deliver().outcomes["email"] == {}
    assert house.sandbox.read("mails") == []


def test_a_second_editor_is_told_and_nothing_is_overwritten(house):
    slug = house.open_campaign(CLEAN)
    view = house.draft(slug, "email")
    base = view.draft.revision
    house.pipeline.reviewing.edit_draft(view.draft.id, base, edited(view, preheader="Premier"), house.officer)
    with pytest.raises(StaleRevisionError):
        house.pipeline.reviewing.edit_draft(view.draft.id, base, edited(view, preheader="Second"), house.officer)
    assert house.draft(slug, "email").revision.fields.preheader == "Premier"


def test_a_decision_needs_the_role_and_the_newest_digest(house):
    slug = house.open_campaign(CLEAN)
    view = house.draft(slug, "email")
    for role in (Role.VIEWER, Role.EDITOR):
        with pytest.raises(NotAllowedError):
            house.pipeline.reviewing.decide(
                view.draft.id, Decision.APPROVED, view.revision.digest, User(9, "someone", role)
            )
    with pytest.raises(StaleRevisionError):
        house.pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, "sha256:0", house.officer)
    assert house.states(slug) == []


def test_an_open_question_stops_approval_until_it_is_answered(house):
    slug = house.open_campaign(OPEN)
    with pytest.raises(DecisionError, match="cannot be approved yet"):
        house.approve(slug, "email")
    reviewing = house.pipeline.reviewing
    for question in reviewing.show_campaign(slug).questions:
        answer = "https://tidalcities.example/en/alert" if question.id == "link.placeholder" else "-"
        reviewing.answer_question(slug, question.id, question.span[0], answer, house.officer)
    assert "https://tidalcities.example/en/alert" in house.draft(slug, "email").revision.content.body.html
    house.approve(slug, "email")
    assert "pending" in house.states(slug, "email")


def ask(house, slug, question):
    return next(each for each in house.pipeline.reviewing.show_campaign(slug).questions if each.id == question)


def test_a_slip_is_no_answer_and_the_question_stays_open(house):
    slug = house.open_campaign(OPEN)
    question = ask(house, slug, "link.placeholder")
    with pytest.raises(DecisionError, match="is no address"):
        house.pipeline.reviewing.answer_question(slug, question.id, question.span[0], "pas une adresse", house.officer)
    assert question in house.pipeline.reviewing.show_campaign(slug).questions
    house.pipeline.reviewing.answer_question(slug, question.id, question.span[0], "www.tides.example", house.officer)
    view = house.draft(slug, "email")
    assert 'href="https://www.tides.example' in view.revision.content.body.html
    assert [trace.origin for trace in view.revision.trace if "tides.example" in trace.text] == ["answer"]


def test_the_deadline_that_an_officer_gives_stands_in_the_drafts_as_theirs(house):
    slug = house.open_campaign(OPEN)
    question = ask(house, slug, "deadline.missing")
    house.pipeline.reviewing.answer_question(slug, question.id, question.span[0], "31 January 2027", house.officer)
    view = house.draft(slug, "email")
    assert "Deadline: 31 January 2027" in view.revision.content.body.text
    assert [trace.origin for trace in view.revision.trace if "31 January 2027" in trace.text] == ["answer"]
    assert "fact.untraced" not in [check.id for check in view.checks]
    link = ask(house, slug, "link.placeholder")
    house.pipeline.reviewing.answer_question(slug, link.id, link.span[0], "-", house.officer)
    house.approve(slug, "email")
    assert house.pipeline.delivering.deliver().outcomes["email"]


@on_sqlite
def test_the_deadline_that_an_officer_gives_stands_in_the_calendar_file(house):
    words = "# Workshop\n\nThe workshop will be held on 9 May 2027 in Bajamar.\n\nPlease register at a@t.example.\n"
    house.drop("workshop.en.md", words)
    (slug,) = house.watch()
    question = ask(house, slug, "deadline.missing")
    house.pipeline.reviewing.answer_question(slug, question.id, question.span[0], "2027-04-30", house.officer)
    assert "DTSTART;VALUE=DATE:20270430" in house.draft(slug, "email").revision.content.body.calendar
    (row,) = house.pipeline.inbox.search(CampaignSearch()).rows
    assert row.deadline == date(2027, 4, 30)


def test_the_deadline_that_an_officer_gives_stands_in_the_calendar_and_puts_its_campaign_first(house):
    house.open_campaign(CLEAN)
    house.drop("workshop.en.md", "# Workshop\n\nThe workshop is held in Bajamar.\n\nPlease register at a@t.example.\n")
    (slug,) = house.watch()
    day = house.settings.network.day_of(house.clock()) + timedelta(days=5)

    def shown():
        marked = {
            (each.campaign, each.kind, each.day)
            for each in house.pipeline.store.announced_days(day, day + timedelta(days=1))
        }
        return marked, house.pipeline.inbox.search(CampaignSearch(waiting=True)).rows[0].campaign.slug == slug

    assert shown() == (set(), False)
    question = ask(house, slug, "deadline.missing")
    house.pipeline.reviewing.answer_question(slug, question.id, question.span[0], day.isoformat(), house.officer)
    assert shown() == ({(slug, "deadline", day)}, True)
    # The source changes elsewhere: the question has the place that it had, and so has its answer.
    house.drop(
        "workshop.en.md",
        "# Workshop\n\nThe workshop is held in Bajamar.\n\nPlease register at a@t.example.\n\nIt lasts for two days.\n",
    )
    house.watch()
    assert shown() == ({(slug, "deadline", day)}, True)


def test_today_is_the_networks_day(house):
    network = house.settings.network.model_copy(update={"time_zone": "America/Los_Angeles"})
    away = build_pipeline(house.settings.model_copy(update={"network": network}), house.sandbox, clock=house.clock)
    house.drop("workshop.en.md", "# Workshop\n\nThe workshop is held in Bajamar.\n\nPlease register at a@t.example.\n")
    (slug,) = house.watch()
    house.clock.at = datetime(2027, 3, 9, 3, tzinfo=UTC)  # there it is still the evening of the 8th
    question = ask(house, slug, "deadline.missing")
    with pytest.raises(DecisionError, match="has passed"):
        house.pipeline.reviewing.answer_question(slug, question.id, question.span[0], "2027-03-08", house.officer)
    away.reviewing.answer_question(slug, question.id, question.span[0], "2027-03-08", house.officer)
    (there,), (here,) = away.inbox.search(CampaignSearch()).rows, house.pipeline.inbox.search(CampaignSearch()).rows
    assert (there.deadline, here.deadline) == (date(2027, 3, 8), None)
    away.store.close()


def test_a_withdrawn_approval_can_be_given_again_without_a_second_row(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    planned = len(house.states(slug, "email"))
    view = house.draft(slug, "email")
    house.pipeline.reviewing.decide(view.draft.id, Decision.WITHDRAWN, view.revision.digest, house.officer)
    assert set(house.states(slug, "email")) == {"suppressed"}
    house.approve(slug, "email")
    assert len(house.states(slug, "email")) == planned
    assert house.states(slug, "email").count("pending") == view.recipients


def test_what_has_gone_out_can_no_longer_be_changed(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "x")
    house.pipeline.delivering.deliver()
    view = house.draft(slug, "x")
    with pytest.raises(DecisionError, match="already gone out"):
        house.pipeline.reviewing.edit_draft(view.draft.id, view.draft.revision, view.revision.fields, house.officer)
    with pytest.raises(DecisionError, match="already gone out"):
        house.pipeline.reviewing.decide(view.draft.id, Decision.WITHDRAWN, view.revision.digest, house.officer)


def test_figures_leave_out_the_rows_of_an_approval_that_lapsed(house):
    slug = house.open_campaign(CLEAN)
    house.approve(slug, "email")
    view = house.draft(slug, "email")
    house.pipeline.reviewing.edit_draft(
        view.draft.id, view.draft.revision, edited(view, preheader="Un autre début"), house.officer
    )
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    (funnel,) = house.pipeline.measuring.funnels(slug)[0].rows
    assert (funnel.planned, funnel.sent) == (view.recipients + view.excluded, view.recipients)


def test_a_link_that_died_meanwhile_stands_in_the_way_and_one_that_lives_again_does_not(house):
    slug = house.open_campaign(CLEAN)
    (url, *_) = [u for u in house.pipeline.reviewing.list_waiting_addresses() if "guide-quais" in u]

    def found(health, detail=""):
        house.pipeline.store.save_link_states([LinkState(url, health, detail, house.clock())])
        return house.draft(slug, "email")

    gone = found(LinkHealth.GONE, "there is no such page (404).")
    assert any(check.id == "link.dead" and check.level == "error" for check in gone.checks)
    with pytest.raises(DecisionError, match="404"):
        house.approve(slug, "email")
    away = found(LinkHealth.UNREACHABLE)
    assert [check.level for check in away.checks if check.id == "link.dead"] == ["warning"]
    assert not [check for check in found(LinkHealth.ALIVE).checks if check.id == "link.dead"]
    house.approve(slug, "email")


def test_a_call_that_ends_while_its_draft_waits_can_no_longer_be_approved(house):
    house.drop(
        "call.en.md",
        "# Quay survey\n\nWe invite all cities to answer the survey on quays before 14 February 2027. Please write to a@tidalcities.example.\n",
    )
    (slug,) = house.watch()
    assert not [check for check in house.draft(slug, "email").checks if check.id == "call.expired"]
    house.clock.at = datetime(2027, 2, 15, 12, tzinfo=UTC)
    with pytest.raises(DecisionError, match="ended on 2027-02-14"):
        house.approve(slug, "email")


def test_what_ends_soon_comes_first_whatever_page_it_would_be_on(house):
    house.open_campaign(CLEAN)
    house.clock.forward(minutes=5)
    end = (house.clock() + timedelta(days=9)).strftime("%d %B %Y")
    words = f"# Quay survey\n\nWe invite all cities to answer the survey on quays before {end}. Please write to a@tidalcities.example.\n"
    house.drop("call.en.md", words)
    (urgent,) = house.watch()
    page = house.pipeline.inbox.search(CampaignSearch(waiting=True, limit=1))
    assert (page.count, page.rows[0].campaign.slug, page.rows[0].is_urgent) == (2, urgent, True)
