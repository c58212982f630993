from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafts.builders import (
    build_circular,
    build_context,
    build_meeting,
    build_playbook,
    build_video_item,
    find,
    load_network,
)
from pregon.drafts import compose_drafts, has_url, weighted_length
from pregon.drafts.posts import price_thread, split_thread
from pregon.settings import PostRule
from pregon.types import Block, Call, ChannelName, Item, Kind, Section

FRAME = "Head\n\n...\n\nhttps://a.example/x\n#Tag"


def compose_post(item, context=None):
    return next(draft for draft in compose_drafts(item, context or build_context()) if draft.channel is ChannelName.X)


def test_a_post_has_head_sentences_link_and_hashtag():
    draft = compose_post(build_circular())

    assert draft.fields.parts == (
        "Circulaire 12\u00a0: Groupe de travail sur les digues\u00a0: appel aux villes\n\n"
        "Les villes intéressées à rejoindre le groupe de travail (8 villes maximum) peuvent écrire au secrétariat\u00a0:"
        " digues@tidalcities.example\n\n"
        "https://tidalcities.example/fr/\n#VillesDeMarée",
    )


def test_the_link_is_tagged_when_rendered_and_counts_the_same():
    draft = compose_post(build_circular())
    part = draft.content.body.parts[0]

    assert "utm_source=x&utm_medium=social&utm_campaign=2026-circular-12&utm_content=fr-post" in part.text
    assert part.weighted_length == weighted_length(draft.fields.parts[0])


def test_a_video_is_posted_with_its_own_link_once():
    draft = compose_post(build_video_item())

    assert draft.fields.parts[0].count("https://") == 1
    assert "x.too-many-links" not in [check.id for check in draft.checks]


def test_a_meeting_says_when_and_where_and_links_its_page():
    text = compose_post(build_meeting()).fields.parts[0]

    assert "12 October 2026, 14:30" in text
    assert "https://tidalcities.example/en/meeting-busan" in text


def test_only_a_call_becomes_a_thread():
    long = " ".join(
        f"Sentence number {word} has quite a few more words in it."
        for word in ["one", "two", "three", "four", "five", "six"]
    )
    item = Item(Kind.NEWS, "en", "News", long, sections=(Section(None, (Block("paragraph", long, (0, len(long))),)),))
    call = replace(item, kind=Kind.CIRCULAR, calls=(Call(long, None, None, None, find(long, long)),))

    assert len(compose_post(item).fields.parts) == 1
    assert len(compose_post(call).fields.parts) == 2


def test_no_thread_is_longer_than_the_playbook_allows():
    long = " ".join(
        f"This is sentence {n} of a call that goes on and on without coming to its end." for n in "abcdefghijklmnop"
    )
    item = Item(Kind.CIRCULAR, "en", "Call", long, calls=(Call(long, None, None, None, (0, len(long))),))
    context = build_context(playbook=build_playbook(x=PostRule(max_parts=3)))

    assert len(compose_post(item, context).fields.parts) == 3


def test_nobody_is_named_by_handle_who_did_not_agree():
    text = "The towns thank @somebody for the maps. The towns go on."
    item = Item(Kind.NEWS, "en", "Maps", text, sections=(Section(None, (Block("paragraph", text, (0, len(text))),)),))

    assert "@somebody" not in compose_post(item).fields.parts[0]
    assert "The towns go on." in compose_post(item).fields.parts[0]


@pytest.mark.parametrize(
    ("parts", "price"),
    [
        (("one",), 0.015),
        (("see https://a.org",), 0.2),
        (("see a.org", "two"), 0.215),
        (("a", "b", "c"), 0.045),
        ((), 0.0),
    ],
)
def test_prices_are_x_published_ones(parts, price):
    assert price_thread(parts) == price


sentences = st.lists(
    st.text(alphabet="abcdefgé 潮", min_size=1, max_size=320).map(lambda text: f"{text.strip() or 'a'}."), max_size=12
)


@given(sentences, st.integers(1, 6))
def test_parts_fit_hold_one_link_and_whole_sentences_in_order(sentences, max_parts):
    parts = split_thread(sentences, frame=FRAME, max_parts=max_parts)

    assert len(parts) <= max_parts
    assert all(weighted_length(part) <= 280 for part in parts)
    assert [has_url(part) for part in parts] == [True] + [False] * (len(parts) - 1)
    assert "#Tag" in parts[0]
    assert "..." not in parts[0].splitlines()
    shown = " ".join(parts)
    position = 0
    for sentence in sentences:
        if sentence in shown[position:]:
            position = shown.index(sentence, position)


@given(sentences)
def test_parts_are_numbered_only_in_a_thread(sentences):
    parts = split_thread(sentences, frame=FRAME, max_parts=4)

    numbered = [part.splitlines()[-1] == f"{position}/{len(parts)}" for position, part in enumerate(parts, 1)]
    assert all(numbered) if len(parts) > 1 else not any(numbered)


def test_a_sentence_too_long_for_any_part_is_left_out_not_cut():
    long = "word " * 80 + "end."

    assert split_thread([long, "Short."], frame=FRAME, max_parts=4) == ("Head\n\nShort.\n\nhttps://a.example/x\n#Tag",)


def test_a_topics_hashtag_joins_only_where_the_source_names_the_topic():
    network = load_network().model_copy(
        update={
            "hashtags": {
                "network": {"fr": "#VillesDeMarée"},
                "dykes": {"fr": "#DiguesBasses"},
                "roofs": {"fr": "#ToitsVerts"},
            }
        }
    )
    draft = compose_post(build_circular(), build_context(network=network))

    assert draft.fields.parts[0].endswith("#VillesDeMarée #DiguesBasses")
