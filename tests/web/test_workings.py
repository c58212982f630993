"""The page of the channels: their hours, what is used of a quota, and when something last went out."""

from pregon.settings import SendWindowRule
from pregon.types import ChannelName
from pregon.web.wording import say_hours


def test_a_channel_tells_its_hours_its_quota_and_its_last_success(place, browse):
    approver = browse("approver")
    assert "nothing lately" in approver.get("/channels")
    slug = place.pipeline.reviewing.list_campaigns()[-1].campaign.slug
    sent = place.pipeline.store.last_successes()
    assert sent == {}
    drafts = place.pipeline.reviewing.show_campaign(slug).drafts
    view = next(each for each in drafts if not each.obstacles and each.draft.channel == "x")
    approver.post(f"/drafts/{view.draft.id}/decision", decision="approved", digest=view.revision.digest)
    place.pipeline.delivering.deliver()
    # A day that nothing was used on before: the plans that the samples need have read the channel already.
    assert place.pipeline.store.spend_quota(ChannelName.YOUTUBE, "2126-11-23", 1250, 10_000)
    assert set(place.pipeline.store.last_successes()) == {ChannelName.X}
    page = approver.get("/channels")
    assert "1,250 of 10,000 on 23 November 2126" in page
    assert page.count("nothing lately") == 2


def test_an_approver_asks_whether_an_account_works(place, browse):
    approver, path = browse("approver"), "/channels/x/ask"
    assert path in approver.get("/channels")
    assert "The provider knows us as @tidalcities. Nothing was sent or posted." in approver.post(path, status=200)
    place.sandbox.set_fault("x", "401", on="read")
    refused = approver.post(path, status=200)
    assert "X refuses us (401): give it other keys, or connect the account again" in refused
    assert approver.get("/channels").count("refuses us") == 0
    approver.post("/channels/telegraph/ask", status=404)
    viewer = browse("viewer")
    assert path not in viewer.get("/channels")
    viewer.post(path, status=403)


def test_hours_are_said_in_words():

    rule = SendWindowRule.model_validate({"from": 480, "to": "19:00", "days": ["sat", "mon"], "zone": "recipient"})
    assert say_hours(rule.window()) == "Mon, Sat, 08:00 to 19:00 in each reader's country"
