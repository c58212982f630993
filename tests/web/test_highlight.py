"""Marking a source, linking facts, differences of words: on any text, nothing is lost and nothing is markup."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from pregon.types import Question, Trace
from pregon.web.highlight import diff_words, link_facts, mark_source, split_sentences

TEXT = "Circular 12\n\nThe alert has 12 levels. It was tried in 3 towns; see [note](#) & <b>ask</b>."
TAG = re.compile(r"<[^>]*>")


def plain(markup: str) -> str:
    return unescape(TAG.sub("", markup))


def test_a_fact_is_marked_in_its_sentence() -> None:
    start = TEXT.index("12 levels")
    marked = mark_source(
        TEXT, [Trace("12", (start, start + 2))], [Question("q", "?", (TEXT.index("[note"), TEXT.index(" &")))], 7
    )
    assert (
        f'<span class="sentence">The alert has <mark class="fact" id="at-7-{start}" tabindex="-1">12</mark> levels.</span>'
        in marked
    )
    assert '<mark class="asked"' in marked
    assert "&lt;b&gt;ask&lt;/b&gt;" in marked


def test_a_number_inside_an_address_is_no_fact() -> None:
    traces = [Trace("12", (9, 11)), Trace("https://a.example/x", (30, 49))]
    linked = link_facts("Of 12: https://a.example/x?utm_campaign=circular-12 and https://b.example/12", traces, 7)
    assert linked.count("#at-7-9") == 1
    assert '<a class="fact" href="#at-7-30">https://a.example/x?utm_campaign=circular-12</a>' in linked
    assert linked.endswith("https://b.example/12")


@given(st.text(max_size=200), st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=6))
def test_marking_keeps_every_character(text: str, spans: list[tuple[int, int]]) -> None:
    traces = [Trace("x", (start, min(start + length, len(text)))) for start, length in spans if start < len(text)]
    marked = str(mark_source(text, traces, [], 7))
    assert plain(marked) == text
    assert len(set(re.findall(r'id="at-7-(\d+)"', marked))) == marked.count(" id=")


@given(st.text(max_size=300))
def test_sentences_tile_the_text(text: str) -> None:
    spans = list(split_sentences(text))
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)


@given(st.text(max_size=120), st.text(max_size=120))
def test_a_difference_holds_both_texts(before: str, after: str) -> None:
    difference = str(diff_words(before, after))
    assert plain(re.sub(r"<ins>.*?</ins>", "", difference, flags=re.S)) == before
    assert plain(re.sub(r"<del>.*?</del>", "", difference, flags=re.S)) == after


def test_a_difference_names_the_words() -> None:
    assert diff_words("ten towns met", "twelve towns met") == "<del>ten</del><ins>twelve</ins> towns met"


def test_signs_of_markdown_step_back_and_headings_stand_out() -> None:
    text = "# Circular 12\n\n**Call** for towns, 3 # 4\n\n## Ask <us>"
    marked = mark_source(text, [Trace("12", (11, 13))], [], 7)
    assert '<span class="sentence heading"><span class="sign">#</span> Circular <mark' in marked
    assert '<span class="sign">**</span>Call<span class="sign">**</span> for towns, 3 # 4' in marked
    assert '<span class="heading"><span class="sign">##</span> Ask &lt;us&gt;</span>' in marked
    assert plain(marked) == text
