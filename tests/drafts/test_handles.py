"""Who is named by handle agreed to it; pictures, emoji and hashtags are looked at before a person is."""

from dataclasses import replace
from datetime import date

import pytest

from drafts.builders import build_context, build_playbook, find, load_network
from pregon.drafts import compose_drafts, decode_fields, digest_content, encode_fields, propose
from pregon.drafts.handles import WITHOUT_CONSENT, write_handles
from pregon.drafts.post_checks import count_emoji
from pregon.settings import Partner, PostRule
from pregon.types import Block, ChannelName, Item, Kind, Media, PostFields, Section

TEXT = "The towns thank @OceanLab, @harbour4all and @somebody_42 for the maps. The towns go on."
PARTNERS = (
    Partner(name="Ocean Laboratory", handles={"x": "@oceanlab"}, agreed_on=date(2026, 3, 1)),
    Partner(name="Harbour for All", handles={"x": "@Harbour4All"}),
)
TODAY = date(2026, 5, 4)


def context(today=TODAY, **changes):
    network = load_network().model_copy(update={"partners": PARTNERS})
    return build_context(network=network, today=today, **changes)


def item():
    section = Section(None, (Block("paragraph", TEXT, (0, len(TEXT))),))
    return Item(Kind.NEWS, "en", "Maps", TEXT, sections=(section,))


def compose(**changes):
    return next(d for d in compose_drafts(item(), context(**changes)) if d.channel is ChannelName.X)


def judge(text, *media, **changes):
    return propose(ChannelName.X, "en", PostFields((text,), (media,) if media else ()), item(), context(**changes))


def ids(draft):
    return [check.id for check in draft.checks]


def test_only_a_partner_who_agreed_keeps_the_handle_and_the_others_are_traced():
    draft = compose()
    text = draft.fields.parts[0]
    assert "thank @OceanLab, Harbour for All and somebody_42 for the maps" in text
    named = {trace.text: trace.span for trace in draft.trace if trace.origin == WITHOUT_CONSENT}
    assert named == {"Harbour for All": find(TEXT, "@harbour4all"), "somebody_42": find(TEXT, "@somebody_42")}
    assert ids(draft) == []


def test_an_agreement_counts_from_its_day():
    assert "@OceanLab" not in compose(today=date(2026, 2, 28)).fields.parts[0]


def test_our_own_account_and_addresses_of_mail_stay():
    text = "@TidalCities writes from maps@ocean.example"
    assert write_handles(text, context()) == text


def test_an_officer_cannot_name_somebody_by_handle_who_did_not_agree():
    draft = judge("Thanks to @harbour4all and @OceanLab")
    (check,) = draft.checks
    assert (check.id, check.level) == ("handle.not-agreed", "error")
    assert "agreed_on" in check.fix


# --- pictures


def picture(size=3, alt="The quay at low tide", kind="image/png"):
    return Media("quay.png", kind, b"x" * size, alt)


def test_an_attached_picture_is_in_the_content_its_digest_and_its_price():
    plain, pictured = judge("Look"), judge("Look", picture())
    assert pictured.content.body.parts[0].media == (picture(),)
    assert pictured.content.body.cost_usd == 0.02
    others = [judge("Look", picture(alt="Another")), judge("Look", picture(size=4))]
    assert len({digest_content(each.content) for each in (plain, pictured, *others)}) == 4
    assert decode_fields(ChannelName.X, encode_fields(pictured.fields)) == pictured.fields


def test_a_picture_of_the_source_is_not_attached_by_itself():
    text = "Maps are out. ![The quay](https://tidalcities.example/quay.png)"
    with_picture = replace(item(), text=text, sections=(Section(None, (Block("paragraph", text, (0, len(text))),)),))
    draft = next(d for d in compose_drafts(with_picture, context()) if d.channel is ChannelName.X)
    assert draft.fields.media == ()
    assert draft.content.body.parts[0].media == ()


@pytest.mark.parametrize(
    ("media", "found"),
    [
        ((picture(),) * 4, []),
        ((picture(),) * 5, ["media.too-many"]),
        ((picture(kind="image/gif"), picture()), ["media.too-many"]),
        ((picture(alt=" "),), ["media.alt-missing"]),
        ((picture(alt="a" * 1001),), ["media.alt-long"]),
        ((picture(kind="image/tiff"),), ["media.kind"]),
        ((picture(size=5_000_001),), ["media.too-large"]),
        ((picture(size=5_000_001, kind="image/gif"),), []),
    ],
)
def test_what_x_or_a_reader_cannot_take_stops_approval(media, found):
    draft = judge("Look", *media)
    assert ids(draft) == found
    assert all(check.level == "error" and check.fix for check in draft.checks)


# --- emoji, hashtags, replies


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Plain 1 # 2 © 2026 ™", 0),
        ("🌊🌊🌊", 3),
        ("👩‍👩‍👧 one family, 🇫🇷 one flag, 1️⃣ one key", 3),
        ("👍🏽", 1),
        ("☀️ and ❤", 2),
    ],
)
def test_emoji_are_counted_as_they_are_seen(text, count):
    assert count_emoji(text) == count


def test_more_than_three_emoji_are_pointed_out():
    assert ids(judge("Tides 🌊🌊🌊")) == []
    assert ids(judge("Tides 🌊🌊🌊🌊")) == ["emoji.many"]


def test_a_hashtag_is_written_as_the_term_base_has_it():
    (check,) = judge("News #tidalcities").checks
    assert (check.id, check.fix) == ("hashtag.case", "Write #TidalCities.")
    assert ids(judge("News #TidalCities #Maps")) == []
    assert ids(judge("News #culturalheritagecities")) == ["hashtag.case"]


def test_what_happens_to_a_refused_reply_is_part_of_what_is_approved():
    plain = judge("One")
    other = judge("One", playbook=build_playbook(x=PostRule(reply_fallback=True)))
    assert other.content.body.reply_fallback
    assert plain.digest != other.digest
