"""Posts for other channels than X are shown and edited like those for X, with the limits of their own channel."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient
from tests.web.builders import ORIGIN, Browser, build_desk, make_settings, open_place, prepare_home

from pregon.settings import ChannelConfig, ForumConfig, PostRule, TopicRule
from pregon.types import Kind, TopicBody
from pregon.web.api.fields import show_content


def test_a_draft_for_mastodon_and_one_for_the_forum_are_shown_and_edited(tmp_path: Path) -> None:
    given = make_settings(tmp_path)
    rules = {"mastodon": PostRule(), "discourse": TopicRule(tags=("circulars", "calls"))}
    playbooks = {
        kind: playbook.model_copy(update=rules) if kind is Kind.CIRCULAR else playbook
        for kind, playbook in given.playbooks.items()
    }
    way = ChannelConfig(provider="mastodon", mode="sandbox", account="@tidal@social.example")
    forum = ForumConfig(provider="discourse", account="secretariat", categories={"en": 7, "fr": 8, "es": 9})
    channels = given.channels.model_copy(update={"mastodon": way, "discourse": forum})
    settings = given.model_copy(update={"playbooks": playbooks, "channels": channels})
    prepare_home(settings)
    with open_place(settings) as place:
        http = TestClient(build_desk(place), base_url=ORIGIN, follow_redirects=False)
        editor = Browser(http).sign_in("editor")
        row, draft = next(
            (row, draft)
            for row in place.pipeline.reviewing.list_campaigns()
            for draft in row.drafts
            if draft.channel == "mastodon"
        )
        page = editor.get(f"/campaigns/{row.campaign.slug}")
        assert "@tidal@social.example" in page
        assert " / 500</p>" in page
        form = editor.get(f"/drafts/{draft.id}/edit")
        assert "At most 500 characters each." in form
        base = str(place.pipeline.reviewing.show_draft(draft.id)[1].revision.number)
        location = editor.post(f"/drafts/{draft.id}/edit", base=[base], part=["Two calls are open.", ""])
        assert "said=saved" in location
        assert "Two calls are open." in editor.get(f"/campaigns/{row.campaign.slug}")
        topic = next(draft for draft in row.drafts if draft.channel == "discourse")
        body = place.pipeline.reviewing.show_draft(topic.id)[1].revision.content.body
        assert isinstance(body, TopicBody)
        page = editor.get(f"/campaigns/{row.campaign.slug}")
        assert f"In category {body.category} of the forum. Tags: circulars, calls" in page
        assert "its first line is the topic" in editor.get(f"/drafts/{topic.id}/edit")
        shown = show_content(place.pipeline.reviewing.show_draft(topic.id)[1].revision.content)
        assert (shown.category, shown.tags) == (body.category, ["circulars", "calls"])
