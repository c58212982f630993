import dataclasses
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.drafts import decode_content, decode_fields, digest_content, encode_content, encode_fields
from pregon.types import (
    Audience,
    ChannelName,
    Content,
    MailBody,
    MailFields,
    MailSection,
    Media,
    PlaylistBody,
    PlaylistFields,
    PlaylistOperation,
    PostFields,
    PostPart,
    Sender,
    ThreadBody,
)

text = st.text(max_size=20)
texts = st.lists(text, max_size=3).map(tuple)
operations = st.lists(st.builds(PlaylistOperation, text, text, text, text, text), max_size=2).map(tuple)
media = st.builds(Media, text, text, st.binary(max_size=8), text)
bodies = st.one_of(
    st.builds(MailBody, text, text, text, text, text),
    st.builds(
        ThreadBody,
        st.lists(
            st.builds(PostPart, text, st.integers(0, 280), st.lists(media, max_size=2).map(tuple)), max_size=3
        ).map(tuple),
        st.floats(0, 9, allow_nan=False),
    ),
    st.builds(PlaylistBody, operations, text),
)
contents = st.builds(
    Content,
    st.sampled_from(ChannelName),
    st.none() | text,
    text,
    bodies,
    st.none() | st.builds(Audience, text, texts, texts),
    st.none() | st.builds(Sender, text, text, st.none() | text),
    st.none() | text,
    st.none() | st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),
)
pairs = st.lists(st.tuples(text, text), max_size=2).map(tuple)
mail_fields = st.builds(
    MailFields,
    text,
    text,
    text,
    text,
    st.lists(st.builds(MailSection, text, texts), max_size=3).map(tuple),
    facts=pairs,
    links=pairs,
    call=text,
)


@given(contents)
def test_a_content_survives_the_round_trip(content):
    assert decode_content(encode_content(content)) == content


@given(mail_fields)
def test_mail_fields_survive_the_round_trip(fields):
    assert decode_fields(ChannelName.EMAIL, encode_fields(fields)) == fields


@given(st.builds(PostFields, texts))
def test_post_fields_survive_the_round_trip(fields):
    assert decode_fields(ChannelName.X, encode_fields(fields)) == fields


@given(st.builds(PlaylistFields, operations, text))
def test_playlist_fields_survive_the_round_trip(fields):
    assert decode_fields(ChannelName.YOUTUBE, encode_fields(fields)) == fields


def change_each_leaf(value):
    """Every variant of `value` in which exactly one leaf is another one."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            for changed in change_each_leaf(getattr(value, field.name)):
                yield dataclasses.replace(value, **{field.name: changed})
    elif isinstance(value, tuple):
        for position, entry in enumerate(value):
            for changed in change_each_leaf(entry):
                yield (*value[:position], changed, *value[position + 1 :])
        yield (*value, value[0] if value else "new")
    elif isinstance(value, ChannelName):
        yield next(name for name in ChannelName if name is not value)
    elif isinstance(value, str):
        yield value + "x"
    elif isinstance(value, bytes):
        yield value + b"x"
    elif isinstance(value, datetime):
        yield value + timedelta(seconds=1)
    elif isinstance(value, int | float):
        yield value + 1
    elif value is None:
        yield "was none"


FULL = [
    Content(
        ChannelName.EMAIL,
        "fr",
        "2026-circular-12",
        MailBody("s", "p", "<p>h</p>", "t", "<mjml>"),
        Audience("Members", ("members",), ("fr", "en")),
        Sender("n", "a@b.example", "r@b.example"),
        send_at=datetime(2026, 5, 4, 8, tzinfo=UTC),
    ),
    Content(
        ChannelName.X,
        "es",
        "c",
        ThreadBody((PostPart("uno", 3, (Media("m.png", "image/png", b"\x00", "alt"),)), PostPart("dos", 3)), 0.215),
        account="@tidalcities",
    ),
    Content(
        ChannelName.YOUTUBE, None, "c", PlaylistBody((PlaylistOperation("add", "p", "t", "v", "w"),), ""), account="a"
    ),
]


@pytest.mark.parametrize("content", FULL)
def test_changing_any_leaf_changes_the_digest(content):
    variants = list(change_each_leaf(content))
    digests = {digest_content(variant) for variant in variants}

    assert digest_content(content) not in digests
    assert len(digests) == len(variants) >= 10


@given(contents)
def test_changing_any_leaf_of_any_content_changes_the_digest(content):
    digest = digest_content(content)

    assert all(digest_content(variant) != digest for variant in change_each_leaf(content))


def test_the_same_moment_in_another_zone_is_the_same_content():
    moment = datetime(2026, 5, 4, 10, tzinfo=timezone(timedelta(hours=2)))

    assert digest_content(dataclasses.replace(FULL[0], send_at=moment)) == digest_content(FULL[0])


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        encode_content(dataclasses.replace(FULL[0], send_at=datetime(2026, 5, 4)))


@pytest.mark.parametrize(
    "text", ['{"type":"PostFields","parts":"x"}', '{"type":"MailFields"}', "[]", '{"type":"PostFields","parts":[1]}']
)
def test_text_of_something_else_is_refused(text):
    with pytest.raises(ValueError, match=r"expected|has no|missing"):
        decode_fields(ChannelName.X, text)


def test_an_unknown_field_is_refused_rather_than_dropped():
    with pytest.raises(ValueError, match="extra"):
        decode_fields(ChannelName.X, '{"type":"PostFields","parts":[],"extra":1}')


def test_a_digest_names_its_method():
    assert digest_content(FULL[1]).startswith("sha256:")
    assert len(digest_content(FULL[1])) == len("sha256:") + 64
