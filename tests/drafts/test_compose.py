from drafts.builders import build_circular, build_context, build_meeting, build_playbook, build_video_item
from pregon.drafts import compose_drafts, digest_content, render_content
from pregon.settings import PlaylistRule
from pregon.types import ChannelName


def proposals(item, context):
    return {(proposal.channel, proposal.language): proposal for proposal in compose_drafts(item, context)}


def test_a_circular_becomes_one_draft_per_channel_in_its_own_language():
    found = proposals(build_circular(), build_context())

    assert list(found) == [(ChannelName.EMAIL, "fr"), (ChannelName.X, "fr"), (ChannelName.YOUTUBE, None)]


def test_several_languages_give_one_draft_each_but_one_playlist_plan():
    context = build_context(playbook=build_playbook(languages=("en", "fr")))

    found = proposals(build_video_item(), context)

    assert [key for key in found if key[0] is ChannelName.EMAIL] == [
        (ChannelName.EMAIL, "en"),
        (ChannelName.EMAIL, "fr"),
    ]
    assert [key for key in found if key[0] is ChannelName.YOUTUBE] == [(ChannelName.YOUTUBE, "es")]


def test_an_item_in_an_unknown_language_is_drafted_in_the_first_of_the_network():
    found = proposals(build_circular(language=None), build_context())

    assert (ChannelName.EMAIL, "en") in found


def test_the_sender_renders_the_same_digest_again():
    context = build_context()

    for proposal in compose_drafts(build_meeting(), context):
        again = render_content(proposal.channel, proposal.language, proposal.fields, context)
        assert digest_content(again) == proposal.digest


def test_an_item_without_a_video_changes_no_playlist_and_says_why():
    plan = proposals(build_circular(), build_context())[ChannelName.YOUTUBE, None]

    assert plan.fields.operations == ()
    assert plan.fields.reason == "This item announces no video, so no playlist changes."


def test_a_video_joins_the_playlist_of_its_language():
    plan = proposals(build_video_item(), build_context())[ChannelName.YOUTUBE, "es"]

    assert [(change.op, change.playlist_id, change.video_id) for change in plan.fields.operations] == [
        ("add", "PLtidal-es", "tidalVid001")
    ]


def test_an_inactive_channel_of_the_playbook_is_not_drafted():
    context = build_context(playbook=build_playbook(x=None, youtube=None))

    assert list(proposals(build_circular(), context)) == [(ChannelName.EMAIL, "fr")]


def test_a_video_in_a_language_without_a_playlist_joins_none_and_says_why():
    context = build_context(playbook=build_playbook(youtube=PlaylistRule(playlists={"en": "PLtidal-en"})))
    plan = proposals(build_video_item(), context)[ChannelName.YOUTUBE, None]

    assert plan.fields.operations == ()
    assert plan.fields.reason == "The playbook names no playlist for the language es, so no playlist changes."
