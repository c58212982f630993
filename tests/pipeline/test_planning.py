"""Planning by SQL writes what the pure rules say, in pages, however often it is interrupted; figures are counted anew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from conftest import wait_for_lock  # type: ignore[import-not-found]
from sqlalchemy import select, text, update

from pregon.audiences import select_recipients
from pregon.deliveries import name_mail
from pregon.errors import DecisionError
from pregon.pipeline.planning import Planning
from pregon.storage.funnels import COUNTS
from pregon.storage.plans import PlanQueries
from pregon.storage.segments import audience_condition
from pregon.storage.tables import contacts, deliveries
from pregon.types import Audience, ContactState, Decision, DeliveryState, SuppressionReason

OPEN_FRENCH = "circulaire-13-2026.fr.txt"


def approve_without_planning(house, slug, monkeypatch):
    monkeypatch.setattr("pregon.pipeline.reviewing._PLANNED_AT_ONCE", -1)
    view = house.draft(slug, "email")
    house.pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, house.officer)
    return view


def expected(house, view):
    store, audience = house.pipeline.store, view.revision.content.audience
    recipients = select_recipients(audience, store.list_contacts(), store.list_suppressions())
    return {r.contact.address: r.excluded for r in recipients}


def test_the_ledger_says_what_the_rules_say(house):
    slug = house.open_campaign()
    view = house.draft(slug, "email")
    bounced = next(address for address, why in expected(house, view).items() if why is None)
    house.pipeline.store.add_suppression(bounced, SuppressionReason.BOUNCED, "", house.clock())
    wanted = expected(house, view)
    house.approve(slug, "email")
    rows = house.pipeline.store.list_deliveries(house.pipeline.reviewing.show_campaign(slug).campaign.id)
    assert {row.address: row.reason for row in rows} == wanted
    assert wanted[bounced] == "suppressed: bounced"
    assert {row.state for row in rows if row.reason is None} == {DeliveryState.PENDING}
    assert {row.state for row in rows if row.reason} == {DeliveryState.SUPPRESSED}
    digest = view.revision.digest
    assert {row.id for row in rows} == {name_mail(digest, view.draft.id, row.contact_id, row.address) for row in rows}
    people = {c.id: c for c in house.pipeline.store.list_contacts()}
    assert all(row.track_clicks == (people[row.contact_id].click_tracking == "granted") for row in rows)


def test_a_plan_that_was_interrupted_goes_on_where_it_stopped(house, monkeypatch):
    slug = house.open_campaign()
    view = approve_without_planning(house, slug, monkeypatch)
    store = house.pipeline.store
    (plan,) = store.list_open_plans()
    assert store.plan_page(plan, view.revision.content.audience, 3, house.clock()) == 3
    assert len(house.states(slug, "email")) == 3
    monkeypatch.setattr("pregon.pipeline.planning._PAGE", 4)
    written = Planning(store, house.settings, house.clock).plan_all()
    assert written == len(expected(house, view)) - 3
    assert store.list_open_plans() == ()
    assert len(house.states(slug, "email")) == len(expected(house, view))
    house.pipeline.delivering.deliver()
    assert len(house.sandbox.read("mails")) == sum(why is None for why in expected(house, view).values())


def test_the_deliver_pass_plans_what_was_left(house, monkeypatch):
    slug = house.open_campaign()
    view = approve_without_planning(house, slug, monkeypatch)
    assert house.states(slug, "email") == []
    house.pipeline.delivering.deliver()
    assert house.states(slug, "email").count("sent") == view.recipients


def test_an_approval_that_is_withdrawn_before_it_is_planned_plans_nothing(house, monkeypatch):
    slug = house.open_campaign()
    view = approve_without_planning(house, slug, monkeypatch)
    house.pipeline.reviewing.decide(view.draft.id, Decision.WITHDRAWN, view.revision.digest, house.officer)
    house.pipeline.delivering.deliver()
    assert house.sandbox.read("mails") == []
    # Approved again, and somebody left in between.
    gone = next(row for row in house.pipeline.store.list_contacts() if row.state is ContactState.SUBSCRIBED)
    house.pipeline.store.set_contact_state(gone.id, ContactState.UNSUBSCRIBED, house.clock())
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    assert {mail["to_email"] for mail in house.sandbox.read("mails")} == {
        address for address, why in expected(house, view).items() if why is None
    }


def test_nobody_gets_one_campaign_in_two_languages(house):
    from test_languages import ENGLISH, FRENCH  # type: ignore[import-not-found]

    house.drop("a.fr.txt", FRENCH)
    (slug,) = house.watch()
    house.approve(slug, "email")
    house.pipeline.delivering.deliver()
    first = {mail["to_email"] for mail in house.sandbox.read("mails")}
    house.drop("a.en.txt", ENGLISH)
    house.watch()
    views = {
        v.draft.language: v for v in house.pipeline.reviewing.show_campaign(slug).drafts if v.draft.channel == "email"
    }
    view = views["en"]
    house.pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, house.officer)
    house.pipeline.delivering.deliver()
    assert len(house.sandbox.read("mails")) == len(first)
    reasons = {row.reason for row in house.pipeline.reviewing.who(slug) if row.draft_id == view.draft.id}
    assert "has this campaign's mail in another language" in reasons


@pytest.mark.parametrize("steps", [("deliver",), ("deliver", "react", "measure", "deliver")])
def test_kept_figures_are_those_that_counting_anew_gives(house, steps):
    slug = house.open_campaign()
    campaign = house.pipeline.reviewing.show_campaign(slug).campaign
    for channel in ("email", "x"):
        house.approve(slug, channel)
        assert_kept(house, campaign.id)
    for step in steps:
        if step == "deliver":
            house.pipeline.delivering.deliver()
        elif step == "measure":
            house.pipeline.measuring.measure()
        else:
            house.sandbox.react()
        assert_kept(house, campaign.id)


def assert_kept(house, campaign_id):
    store = house.pipeline.store
    kept = store.count_funnels([campaign_id]).get(campaign_id, ())
    assert store.refresh_funnels([campaign_id]) == 0
    with store._write() as connection:
        connection.exec_driver_sql("UPDATE funnel_marks SET mark = mark + 1")
    assert store.count_funnels([campaign_id])[campaign_id] == kept
    for funnel in kept:
        assert funnel.planned == sum(
            getattr(funnel, name) for name in ("sent", "failed", "suppressed", "unknown", "held", "pending")
        )
    assert {f.channel: f.planned for f in store.total_funnels()} == {f.channel: f.planned for f in kept}
    assert len(COUNTS) == 17


def test_what_a_mail_server_cannot_track_is_not_planned_as_tracked(house, monkeypatch):
    slug = house.open_campaign()
    view = approve_without_planning(house, slug, monkeypatch)
    email = house.settings.channels.email.model_copy(update={"provider": "smtp"})
    channels = house.settings.channels.model_copy(update={"email": email})
    Planning(house.pipeline.store, house.settings.model_copy(update={"channels": channels}), house.clock).plan_all()
    rows = house.pipeline.reviewing.who(slug)
    assert len(rows) == view.recipients + view.excluded
    assert not any(row.track_opens or row.track_clicks for row in rows)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_withdrawal_waits_for_a_claim_that_is_under_way_and_is_refused(house):
    slug = house.open_campaign()
    house.approve(slug, "email")
    view = house.draft(slug, "email")
    wanted = (view.draft.id, Decision.WITHDRAWN, view.revision.digest, house.officer)
    with ThreadPoolExecutor(1) as pool, house.pipeline.store.engine.connect() as worker:
        row = worker.execute(select(deliveries.c.id).where(deliveries.c.state == "pending").limit(1)).scalar_one()
        worker.execute(update(deliveries).where(deliveries.c.id == row).values(state="sending"))
        decided = pool.submit(house.pipeline.reviewing.decide, *wanted)
        wait_for_lock(house)
        worker.commit()
        with pytest.raises(DecisionError, match="already gone out"):
            decided.result(10)
    assert set(house.states(slug, "email")) == {"pending", "sending", "suppressed"}
    assert house.draft(slug, "email").draft.state == "approved"


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_withdrawal_takes_back_the_page_that_is_being_planned(house, monkeypatch):
    slug = house.open_campaign()
    view = approve_without_planning(house, slug, monkeypatch)
    store, wanted = house.pipeline.store, (view.draft.id, Decision.WITHDRAWN, view.revision.digest, house.officer)
    with ThreadPoolExecutor(1) as pool:
        withdrawn = []

        def meanwhile(connection, plan):
            withdrawn.append(pool.submit(house.pipeline.reviewing.decide, *wanted))
            wait_for_lock(house)
            return False

        monkeypatch.setattr(PlanQueries, "_has_sent_in_another_language", staticmethod(meanwhile))
        (plan,) = store.list_open_plans()
        store.plan_page(plan, view.revision.content.audience, 1_000, house.clock())
        withdrawn[0].result(10)
    assert set(house.states(slug, "email")) == {"suppressed"}
    assert store.list_open_plans() == ()


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_lists_are_looked_up_for_each_contact_whatever_the_figures_of_the_database_are(house):
    """A join of contacts and lists took a hundred times as long when PostgreSQL took both for small."""
    chosen = select(contacts.c.id).where(audience_condition(Audience("All", ("members",), ("en", "fr"))))
    with house.pipeline.store.engine.connect() as connection:
        query = chosen.compile(connection, compile_kwargs={"literal_binds": True})
        plan = "\n".join(connection.execute(text(f"EXPLAIN {query}")).scalars())
    assert "SubPlan" in plan
    assert "Join" not in plan
    assert "Nested Loop" not in plan


def test_what_is_in_the_ledger_of_a_draft_that_is_not_approved_is_held(house):
    slug = house.open_campaign()
    house.approve(slug, "email")
    with house.pipeline.store.engine.begin() as connection:
        connection.execute(text("UPDATE drafts SET state = 'needs_changes' WHERE channel = 'email'"))
    house.pipeline.delivering.deliver()
    assert house.sandbox.read("mails") == []
    assert set(house.states(slug, "email")) == {"held", "suppressed"}


def edited(view):
    fields = view.revision.fields
    if view.draft.channel == "email":
        return replace(fields, preheader="Changed")
    first, *others = fields.parts
    return replace(fields, parts=(f"{first} Changed", *others))


@pytest.mark.parametrize("channel", ["email", "x"])
def test_a_text_that_was_changed_and_changed_back_goes_out_as_it_was_approved_last(house, channel):
    slug = house.open_campaign()
    first = house.draft(slug, channel)
    house.approve(slug, channel)
    for fields in (edited(first), first.revision.fields):
        newest = house.draft(slug, channel)
        house.pipeline.reviewing.edit_draft(newest.draft.id, newest.draft.revision, fields, house.officer)
    again = house.draft(slug, channel)
    assert (again.revision.digest, again.revision.number) == (first.revision.digest, first.revision.number + 2)
    house.approve(slug, channel)
    house.pipeline.delivering.deliver()
    assert set(house.states(slug, channel)) <= {"sent", "suppressed"}
    assert "sent" in house.states(slug, channel)


def test_what_another_worker_is_sending_of_a_changed_draft_is_not_taken_for_held(house):
    slug = house.open_campaign()
    house.approve(slug, "email")
    store, at = house.pipeline.store, house.clock()
    (elsewhere,) = store.exchange_mailings((), 1, 3, "another-worker", at)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE drafts SET state = 'needs_changes' WHERE channel = 'email'"))
    house.pipeline.delivering.deliver()
    states = {row.id: row.state.value for row in house.pipeline.reviewing.who(slug) if row.channel == "email"}
    assert {states.pop(row[0]) for row in elsewhere.rows} == {"sending"}
    assert set(states.values()) == {"held", "suppressed"}
