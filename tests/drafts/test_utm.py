from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL
from pregon.drafts.utm import Campaign, tag_link, untag_link

CAMPAIGN = Campaign("newsletter", "email", "2026-circular-12", "fr-button")


def test_adds_the_four_parameters_and_keeps_query_and_fragment():
    tagged = tag_link("https://tide.example/a?vue=digues#nord", CAMPAIGN)

    parts = urlsplit(tagged)
    assert parse_qsl(parts.query) == [
        ("vue", "digues"),
        ("utm_source", "newsletter"),
        ("utm_medium", "email"),
        ("utm_campaign", "2026-circular-12"),
        ("utm_content", "fr-button"),
    ]
    assert parts.fragment == "nord"


def test_an_address_without_a_path_gets_one():
    assert tag_link("https://tide.example", CAMPAIGN).startswith("https://tide.example/?utm_source=")


@pytest.mark.parametrize(
    "url",
    [
        "mailto:info@tide.example?subject=Hi",
        UNSUBSCRIBE_URL,
        VIEW_URL,
        f"https://desk.example/{UNSUBSCRIBE_URL}",
        "https://files.example/a.pdf?X-Amz-Signature=abc",
        "https://files.example/a.pdf?token=abc",
        "https://www.youtube.com/watch?v=tidalVid001",
        "https://x.com/tidalcities",
        "tel:+34000",
        "http://[broken",
        "",
    ],
)
def test_leaves_what_must_not_change(url):
    assert tag_link(url, CAMPAIGN) == url


def test_values_are_lower_case():
    assert "utm_campaign=2026-circular-12" in tag_link(
        "https://a.example/", Campaign("X", "Social", "2026-Circular-12", "FR")
    )


addresses = st.from_regex(
    r"https://[a-z]{1,9}\.example/[a-z/]{0,9}(\?[a-z]=[a-z0-9%&=]{0,9})?(#[a-z]{0,5})?", fullmatch=True
)


@given(addresses)
def test_tagging_twice_is_tagging_once(url):
    once = tag_link(url, CAMPAIGN)

    assert tag_link(once, CAMPAIGN) == once


@given(addresses)
def test_untagging_gives_the_address_back(url):
    plain = untag_link(url)

    assert untag_link(tag_link(plain, CAMPAIGN)) == plain
