"""A channel is paused with a reason; a campaign that is going out is stopped, and goes on, from its result."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.web.builders import Browser, Place

from pregon.pipeline import DraftView
from pregon.types import Batch, BatchState, Decision, DeliveryState, Outcome

Browse = Callable[[str], Browser]


def test_a_channel_is_paused_with_a_reason_and_resumed(place: Place, browse: Browse) -> None:
    approver, editor = browse("approver"), browse("editor")
    editor.post("/channels/email/pause", 403, reason="no")
    assert "Pause…" not in editor.get("/channels")
    assert "a few words" in approver.post("/channels/email/pause", 409, reason=" ")
    approver.post("/channels/pigeon/pause", 404, reason="no")
    approver.post("/channels/email/pause", reason="the <b>chair</b> asked")
    assert "paused by approver: the &lt;b&gt;chair&lt;/b&gt; asked" in editor.get("/channels")
    slug = place.campaign()
    page = editor.get(f"/campaigns/{slug}")
    assert "Nothing goes out by Newsletter now</a>: paused by approver: the &lt;b&gt;chair&lt;/b&gt; asked" in page
    goes_on = "Newsletter only once it is no longer paused (paused by approver: the &lt;b&gt;chair&lt;/b&gt; asked)."
    sentences = re.findall('class="sentence-big">(.*?)</p>', approver.get(f"/campaigns/{slug}"))
    all_drafts, mails = (sentence for sentence in sentences if goes_on in sentence)
    assert f": at once, {goes_on}" in all_drafts, "another channel goes on"
    assert f": {goes_on}" in mails, "nothing of it leaves at once"
    place.send(slug)
    for path in (f"/campaigns/{slug}", f"/campaigns/{slug}/result"):
        assert "Nothing goes out by Newsletter now" in editor.get(path)
    assert {row.state for row in place.pipeline.reviewing.who(slug) if row.channel == "email"} >= {
        DeliveryState.PENDING
    }
    assert re.search(r'data-label="When">due \w', editor.get(f"/campaigns/{slug}/result?state=pending"))
    editor.post("/channels/email/resume", 403)
    approver.post("/channels/email/resume")
    place.pipeline.delivering.deliver()
    assert DeliveryState.PENDING not in {row.state for row in place.pipeline.reviewing.who(slug)}
    approver.post("/channels/email/pause", reason="nothing of this campaign waits for it")
    assert "Nothing goes out by Newsletter now" not in editor.get(f"/campaigns/{slug}")


def test_a_paused_channel_is_not_told_where_nothing_waits_for_it(place: Place, browse: Browse) -> None:
    approver = browse("approver")
    approver.post("/channels/youtube/pause", reason="a new account")
    views = {
        slug: place.pipeline.reviewing.show_campaign(slug).drafts
        for slug in (c.campaign.slug for c in place.pipeline.reviewing.list_campaigns())
    }
    moves = {
        slug: any(view.revision.content.body.operations for view in drafts if view.draft.channel == "youtube")
        for slug, drafts in views.items()
    }
    assert set(moves.values()) == {True, False}
    for slug, has_video in moves.items():
        page = approver.get(f"/campaigns/{slug}")
        assert ("Nothing goes out by YouTube now" in page) is has_video
        assert has_video or "YouTube only once it is no longer paused" not in page


def begin(place: Place, slug: str) -> DraftView:
    """Approve a campaign's newsletter, and send one mail of it."""
    person, store = place.pipeline.people.user("approver"), place.pipeline.store
    (view,) = [d for d in place.pipeline.reviewing.show_campaign(slug).drafts if d.draft.channel == "email"]
    place.pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, person)
    now = datetime.now(UTC)
    (mailing,) = store.exchange_mailings((), 1, 1, "worker", now)
    store.record_outcomes([(Outcome(mailing.rows[0][0], DeliveryState.SENT, "one"), None)], "send", now)
    return view


def test_what_was_stopped_for_good_is_not_said_to_be_out(place: Place, browse: Browse) -> None:
    approver, slug = browse("approver"), place.campaign()
    begin(place, slug)
    approver.post(f"/campaigns/{slug}/stop", word="for_good")
    assert re.search(r"1 of \d\d sent, \d\d stopped for good\.", approver.get(f"/campaigns/{slug}"))


def test_a_campaign_is_stopped_in_the_middle_and_goes_on(place: Place, browse: Browse) -> None:
    approver, editor, slug = browse("approver"), browse("editor"), place.campaign()
    view = begin(place, slug)
    left = sum(each.state is DeliveryState.PENDING for each in place.pipeline.reviewing.who(slug))
    result = f"/campaigns/{slug}/result"
    assert f"1 of {left + 1} is out and cannot be called back; {left} have not gone out yet." in approver.get(result)
    assert "Still to go" in approver.get(result)
    assert "Stop for now" not in editor.get(result)
    editor.post(f"/campaigns/{slug}/stop", 403, word="for_now")
    approver.post(f"/campaigns/{slug}/stop", 409, word="perhaps")
    assert approver.post(f"/campaigns/{slug}/stop", word="for_now") == f"{result}?said=stopped_for_now"
    page = approver.get(result)
    assert "Still to go" not in page
    assert f"1 is out; {left} did not go out. approver stopped it" in page
    campaign = approver.get(f"/campaigns/{slug}")
    assert "Approve 1 ready draft" not in campaign, "it goes on from its result alone"
    left_out = sum(each.state is DeliveryState.SUPPRESSED for each in place.pipeline.reviewing.who(slug)) - left
    assert f"{left + 1} people{f', {left_out} left out' if left_out else ''}</dd>" in campaign
    assert f"1 of {left + 1} sent, {left} stopped, waiting for a decision." in campaign
    assert "goes on" not in editor.get(result)
    editor.post(f"/campaigns/{slug}/go-on", 403, digest=view.revision.digest)
    approver.post(f"/campaigns/{slug}/go-on", 409, digest="sha256:another")
    approver.post(f"/campaigns/{slug}/go-on", digest=view.revision.digest)
    assert place.hints[-1][0] == "pregon.draft.approved"
    place.pipeline.delivering.deliver()
    states = [each.state for each in place.pipeline.reviewing.who(slug) if each.channel == "email"]
    assert states.count(DeliveryState.SENT) == left + 1
    assert "out just now" not in approver.get(result)


def test_the_ledger_is_filtered_and_searched(place: Place, browse: Browse) -> None:
    viewer, slug = browse("viewer"), place.campaign()
    sent = [row for row in place.send(slug) if row.channel == "email"]
    rows = place.pipeline.reviewing.who(slug)
    mails = [row for row in rows if row.channel == "email"]
    result = f"/campaigns/{slug}/result"
    for query, count in (
        ("", len(rows)),
        ("?state=sent&way=email:fr", len(sent)),
        ("?state=failed&way=email:fr", len(mails)),
        (f"?q={sent[0].address}", 1),
        (f"?q={sent[0].address.upper()}", 1),
        ("?q=@", sum("@" in row.address for row in rows)),
    ):
        shown = viewer.get(result + query).partition('<table class="ledger">')[2].partition("</table>")[0]
        assert shown.count("<tr><td data-label") == count, query


def test_an_answer_is_remembered_in_words(place: Place, browse: Browse) -> None:
    slug, editor = place.campaign("circular", "en"), browse("editor")
    view = place.pipeline.reviewing.show_campaign(slug)
    question = next(q for q in view.questions if q.id == "link.placeholder")
    fields = {"question": question.id, "span_start": question.span[0], "item": view.source.id}
    editor.post(f"/campaigns/{slug}/answers", answer="https://tidalcities.example/en/note", **fields)
    page = editor.get(f"/drafts/{view.drafts[0].draft.id}/history")
    assert "The address of a link" in page
    assert "link.placeholder" not in page
    assert "link.placeholder</a>" not in editor.get(f"/campaigns/{slug}")


def test_what_is_handed_over_is_said_and_called_back(place: Place, browse: Browse) -> None:
    approver, slug, store = browse("approver"), place.campaign(), place.pipeline.store
    person = place.pipeline.people.user("approver")
    (view,) = [d for d in place.pipeline.reviewing.show_campaign(slug).drafts if d.draft.channel == "email"]
    place.pipeline.reviewing.decide(view.draft.id, Decision.APPROVED, view.revision.digest, person)
    place.pipeline.delivering._planning.plan_all()
    now, result = datetime.now(UTC), f"/campaigns/{slug}/result"
    (mailing,) = store.exchange_mailings((), 1, 1, "worker+", now)
    leaves_at = now + timedelta(minutes=30)
    store.join_batch(mailing, Batch("one", leaves_at), now)
    sent = Outcome("", DeliveryState.SENT, "id", leaves_at=leaves_at)
    store.exchange_mailings([(mailing, sent)], 0, 1, "worker+", now)
    store.close_claims([mailing.claim], BatchState.HANDED_OVER, now)
    page = approver.get(result)
    assert "leaves " in page
    assert "handed over" in page
    assert re.search(r"With SendGrid: 1, leaving .*; until .* they can be called back\.", page)
    assert "handed over" in approver.get("/")
    (others,) = [each for each in place.pipeline.stopping.look(slug) if each.draft.id == view.draft.id]
    approver.post(f"/campaigns/{slug}/stop", word="for_now")
    states = [row.state for row in place.pipeline.reviewing.who(slug) if row.channel == "email"]
    assert DeliveryState.PENDING not in states
    assert others.gone == 0
    assert "Being called back from SendGrid: 1, which would leave" in approver.get(result)
