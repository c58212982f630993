"""The plan is what is missing between the playbook and the channel."""

from dataclasses import replace

import pytest

from drafts.builders import build_context, build_playbook, build_video_item
from pregon.drafts import compose_drafts
from pregon.drafts.playlist_words import describe_operation, list_texts
from pregon.settings import PlaylistRule
from pregon.types import (
    ChannelName,
    ChannelState,
    Kind,
    PlaylistEntry,
    PlaylistOperation,
    PlaylistState,
    PlaylistText,
    Practice,
    VideoState,
)

VIDEO = "tidalVid001"
AXIS = {
    "es": {
        "title": "Buenas prácticas – {axis}",
        "description": "Vídeos sobre {axis}.",
        "titles": {"en": "Good practices"},
    }
}


def plan(rule=None, state=None, item=None):
    rule = PlaylistRule.model_validate(rule or {"playlists": {"es": "PLes"}})
    context = build_context(playbook=build_playbook(youtube=rule), youtube_state=state)
    drafts = compose_drafts(item or build_video_item(), context)
    return next(draft for draft in drafts if draft.channel is ChannelName.YOUTUBE)


def channel(*playlists, captions=True):
    return ChannelState(playlists, (VideoState(VIDEO, "Mareas vivas", captions),))


def playlist(name="PLes", title="Mareas", places=(), size=5, **texts):
    items = tuple(PlaylistEntry(f"UE{name}{place}", VIDEO, place) for place in places)
    return PlaylistState(name, title, size=size, items=items, **texts)


def ops(draft):
    return [(each.op, each.playlist_id, each.position) for each in draft.fields.operations]


def ids(draft):
    return [check.id for check in draft.checks]


def practice_item(axis="Agua"):
    item = build_video_item()
    return replace(item, kind=Kind.PRACTICE, text=f"Eje: Agua. {item.text}", practice=Practice(axis=axis))


def test_a_video_that_the_playlist_lacks_is_added_at_the_place_of_the_playbook():
    rule = {"playlists": {"es": {"id": "PLes", "position": "first"}}}
    assert ops(plan(state=channel(playlist()))) == [("add", "PLes", None)]
    assert ops(plan(rule, channel(playlist()))) == [("add", "PLes", 0)]
    rule["playlists"]["es"]["position"] = "last"
    assert ops(plan(rule, channel(playlist(size=5)))) == [("add", "PLes", 5)]


def test_a_video_that_is_there_changes_nothing_and_the_reason_says_so():
    draft = plan(state=channel(playlist(places=(3,))))
    assert draft.fields.operations == ()
    assert "“Mareas” has it already" in draft.fields.reason
    assert draft.language is None


def test_a_video_at_another_place_is_moved_and_further_copies_are_removed():
    rule = {"playlists": {"es": {"id": "PLes", "position": "first"}}}
    draft = plan(rule, channel(playlist(places=(2, 4))))
    assert ops(draft) == [("move", "PLes", 0), ("remove", "PLes", None)]
    assert [each.item_id for each in draft.fields.operations] == ["UEPLes2", "UEPLes4"]


def test_an_exclusive_rule_takes_the_video_out_of_its_other_playlists():
    rule = {"playlists": {"es": "PLes", "en": "PLen"}, "exclusive": True}
    state = channel(playlist(), playlist("PLen", "Tides", (1,)), playlist("PLother", "Other", (0,)))
    assert ops(plan(rule, state)) == [("add", "PLes", None), ("remove", "PLen", None)]
    assert ops(plan({**rule, "exclusive": False}, state)) == [("add", "PLes", None)]


def test_a_playlist_of_the_axis_is_created_with_its_texts_when_the_channel_has_none():
    draft = plan({"playlists": AXIS}, channel(playlist()), practice_item())
    create, add = draft.fields.operations
    assert (create.op, create.playlist_title, create.description, create.language, create.privacy) == (
        "create", "Buenas prácticas – Agua", "Vídeos sobre Agua.", "es", "public",
    )  # fmt: skip
    assert create.localizations == (PlaylistText("en", "Good practices"),)
    assert (add.op, add.playlist_id, add.playlist_title) == ("add", "", create.playlist_title)
    assert "Agua" in [trace.text for trace in draft.trace if trace.span]
    assert ids(draft) == []


def test_a_playlist_of_that_title_is_taken_whatever_its_case():
    there = playlist("PLagua", "buenas prácticas – agua", description="Vídeos sobre Agua.",
                     localizations=(PlaylistText("en", "Good practices"),))  # fmt: skip
    draft = plan({"playlists": AXIS}, channel(there), practice_item())
    assert ops(draft) == [("retitle", "PLagua", None), ("add", "PLagua", None)]
    assert draft.fields.operations[0].earlier_title == "buenas prácticas – agua"
    exact = replace(there, title="Buenas prácticas – Agua")
    assert ops(plan({"playlists": AXIS}, channel(exact), practice_item())) == [("add", "PLagua", None)]


@pytest.mark.parametrize("change", [{"title": "Other"}, {"description": "Other"}, {"localizations": ()}])
def test_each_text_that_differs_is_a_retitling(change):
    target = {"id": "PLes", "title": "Mareas", "description": "Todas", "titles": {"en": "Tides"}}
    there = playlist(description="Todas", localizations=(PlaylistText("en", "Tides"),), places=(0,))
    assert ops(plan({"playlists": {"es": target}}, channel(there))) == []
    assert ops(plan({"playlists": {"es": target}}, channel(replace(there, **change)))) == [("retitle", "PLes", None)]


def test_an_axis_has_a_playlist_of_its_own_where_the_playbook_says_so():
    rule = {"playlists": {"es": "PLes"}, "axes": {"AGUA": {"es": "PLagua"}}}
    state = channel(playlist(), playlist("PLagua", "Agua"))
    assert ops(plan(rule, state, practice_item())) == [("add", "PLagua", None)]
    assert ops(plan(rule, state)) == [("add", "PLes", None)]


def test_a_title_is_never_made_of_what_the_item_does_not_state():
    draft = plan({"playlists": AXIS}, channel())
    assert draft.fields.operations == ()
    assert "does not state its axis" in draft.fields.reason


def test_a_channel_that_was_not_read_is_said_so_and_planned_for_as_empty():
    draft = plan()
    assert ops(draft) == [("add", "PLes", None)]
    assert ids(draft) == ["playlist.unread"]
    assert ops(plan({"playlists": AXIS}, None, practice_item())) == [("create", "", None), ("add", "", None)]


@pytest.mark.parametrize(
    ("captions", "found"), [(True, []), (False, ["video.no-captions"]), (None, ["video.captions-unknown"])]
)
def test_captions_are_looked_at_before_a_video_is_added(captions, found):
    draft = plan(state=channel(playlist(), captions=captions))
    assert ids(draft) == found
    assert all(check.fix for check in draft.checks)


def test_what_cannot_work_is_an_error():
    assert ids(plan(state=channel())) == ["playlist.unknown"]
    assert ids(plan(state=ChannelState((playlist(),)))) == ["video.unknown"]


def test_a_change_without_the_playlist_it_needs_is_an_error():
    from pregon.drafts import propose
    from pregon.types import PlaylistFields

    rule = PlaylistRule.model_validate({"playlists": AXIS})
    context = build_context(playbook=build_playbook(youtube=rule), youtube_state=channel())
    fields = plan({"playlists": AXIS}, channel(), practice_item()).fields
    kept = PlaylistFields(fields.operations[1:])
    assert ids(propose(ChannelName.YOUTUBE, "es", kept, practice_item(), context)) == ["playlist.missing"]


@pytest.mark.parametrize("target", [{}, {"title": "About {city}"}, {"id": "PL", "position": "middle"}])
def test_a_target_that_cannot_be_found_is_refused(target):
    with pytest.raises(ValueError, match=r"id or a title|not a fact|first"):
        PlaylistRule.model_validate({"playlists": {"es": target}})


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        (PlaylistOperation("create", "", "Tides", privacy="unlisted"), "Create the playlist “Tides” (unlisted)"),
        (
            PlaylistOperation("retitle", "PL", "New", earlier_title="Old"),
            "Rename the playlist “Old” to “New”, with its texts",
        ),
        (PlaylistOperation("retitle", "PL", "New", earlier_title="New"), "Change the texts of the playlist “New”"),
        (PlaylistOperation("add", "PL", "", "v1", position=0), "Add “v1” to the playlist “PL” at place 1"),
        (PlaylistOperation("move", "PL", "Tides", "v1", "Film", 2), "Move “Film” in the playlist “Tides” to place 3"),
        (
            PlaylistOperation("remove", "PL", "Tides", "v1", "Film"),
            "Remove one copy of “Film” from the playlist “Tides”",
        ),
    ],
)
def test_an_officer_reads_what_will_be_done(operation, sentence):
    assert describe_operation(operation) == sentence


def test_an_officer_reads_every_text_that_viewers_will():
    create = plan({"playlists": AXIS}, channel(), practice_item()).fields.operations[0]
    assert list_texts(create) == (("es", "Vídeos sobre Agua."), ("en", "Good practices"))
