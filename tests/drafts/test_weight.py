from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pregon.drafts import has_url, weighted_length
from pregon.drafts.weight import find_urls

CASES = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "text"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Marée", 5),
        ("Mare\u0301e", 5),
        ("潮", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇪🇸", 2),
        ("1️⃣", 2),
        ("2026", 4),
        ("See https://tidalcities.example/en/a/very/long/path?with=a&query=1#here", 4 + 23),
        ("tide.org", 23),
        ("info@tide.org", 13),
        ("version 2.0", 11),
        ("(https://a.org/b_(c))", 25),
        ("https://t.co/abcd and more", 23 + 9),
    ],
)
def test_counts_as_x_publishes(text, length):
    assert weighted_length(text) == length


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Read https://tide.org/a.", ["https://tide.org/a"]),
        ("tide.org, sea.org", ["tide.org", "sea.org"]),
        ("mail info@tide.org", []),
        ("file.nosuchtld", []),
        ("http://a_b.sea.org/x", ["http://a_b.sea.org/x"]),
    ],
)
def test_finds_the_links_that_x_finds(text, links):
    assert [text[start:end] for start, end in find_urls(text)] == links
    assert has_url(text) is bool(links)


@given(st.text(), st.text())
def test_a_longer_text_never_weighs_less_where_no_link_can_form(first, second):
    plain = [text.replace(".", "").replace("\u200d", "") for text in (first, second)]

    assert weighted_length(" ".join(plain)) >= max(weighted_length(text) for text in plain)


@given(st.text(max_size=2000))
def test_counts_any_text_without_failing(text):
    assert weighted_length(text) >= 0


@pytest.mark.parametrize(
    "text",
    ["a." * 20_000, "https://" * 5_000, "(" * 30_000 + ".", "a-" * 20_000 + ".org", "http://a.org/" + "(a" * 9000],
)
def test_hostile_texts_are_counted_in_time(text):
    assert weighted_length(text) > 0


def load_cases(file, group):
    path = CASES / file
    if not path.exists():
        pytest.skip("the published cases are not here")
    return yaml.safe_load(path.read_text(encoding="utf-8"))["tests"][group]


@pytest.mark.seeds
@pytest.mark.parametrize(
    "group", ["WeightedTweetsWithDiscountedEmojiCounterTest", "UnicodeDirectionalMarkerCounterTest"]
)
def test_every_published_length(group):
    for case in load_cases("twitter_text_validate.yml", group):
        assert weighted_length(case["text"]) == case["expected"]["weightedLength"], case["description"]


@pytest.mark.seeds
@pytest.mark.parametrize(
    "group", ["urls", "urls_with_indices", "urls_with_directional_markers", "tco_urls_with_params"]
)
def test_every_published_link(group):
    for case in load_cases("twitter_text_extract.yml", group):
        found = [case["text"][start:end] for start, end in find_urls(case["text"])]
        expected = [entry["url"] if isinstance(entry, dict) else entry for entry in case["expected"]]
        assert found == expected, case["description"]
