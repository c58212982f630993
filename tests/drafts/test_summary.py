from hypothesis import given
from hypothesis import strategies as st

from drafts.builders import build_circular, find
from pregon.drafts.summary import rank_sentences, summarise
from pregon.types import Block, Item, Kind, Section


def build_item(*paragraphs, title="Tide gates open in Busan"):
    text = "\n\n".join(paragraphs)
    blocks = tuple(Block("paragraph", paragraph, find(text, paragraph)) for paragraph in paragraphs)
    return Item(Kind.NEWS, "en", title, text, sections=(Section(None, blocks),))


def test_a_sentence_that_leans_on_another_comes_after_one_that_stands_alone():
    item = build_item(
        "It was long in coming and nobody quite expected it. The tide gates of Busan open on Monday for all."
    )

    assert rank_sentences(item)[0].text == "The tide gates of Busan open on Monday for all."


def test_what_shares_words_with_the_title_and_states_a_figure_comes_first():
    item = build_item("The weather was fine for this time of the year. The tide gates in Busan saved 14 hours a year.")

    assert "14 hours" in rank_sentences(item)[0].text


def test_a_summary_keeps_the_sources_order():
    item = build_item("The tide gates open today in the harbour. The tide gates in Busan saved 14 hours a year.")

    assert summarise(item, 2) == (
        "The tide gates open today in the harbour.",
        "The tide gates in Busan saved 14 hours a year.",
    )


def test_each_sentence_stands_at_its_place_in_the_source():
    item = build_circular()

    for ranked in rank_sentences(item):
        assert ranked.text.split()[0] in item.text[slice(*ranked.span)]


paragraphs = st.lists(
    st.text(alphabet="abc .!?É\n", min_size=1, max_size=120).filter(str.strip), min_size=1, max_size=5
)


@given(paragraphs, st.integers(0, 6))
def test_every_chosen_sentence_is_the_sources_own(texts, count):
    item = build_item(*texts)
    source = " ".join(item.text.split())

    assert len(summarise(item, count)) <= count
    assert all(" ".join(sentence.split()) in source for sentence in summarise(item, count))
