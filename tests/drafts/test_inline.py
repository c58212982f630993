import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.drafts.inline import Run, mark_link, parse_runs, spell_link, strip_links
from pregon.drafts.sentences import split_sentences, take_sentences
from pregon.drafts.words import set_type


def test_reads_marked_and_bare_links():
    runs = parse_runs("See [the map](https://a.example/(x)) or https://b.example/y. Write to a@b.example!")

    assert runs == (
        Run("See "),
        Run("the map", "https://a.example/(x)"),
        Run(" or "),
        Run("https://b.example/y", "https://b.example/y"),
        Run(". Write to "),
        Run("a@b.example", "mailto:a@b.example"),
        Run("!"),
    )


@pytest.mark.parametrize(
    "text", ["[x](javascript:alert(1))", "[x](#)", "[x](data:text/html,y)", "a [b] c", "[](https://a.example)x"]
)
def test_nothing_else_becomes_a_link_of_its_own(text):
    assert all(run.url is None or run.url.startswith("https://a.example") for run in parse_runs(text))


@given(st.text(max_size=200))
def test_no_text_is_lost_without_markup(text):
    plain = text.replace("[", "").replace("]", "")

    assert strip_links(plain) == plain


def test_marks_only_words_that_are_not_a_link_yet():
    once = mark_link("the map and the map", "the map", "https://a.example/")

    assert once == "[the map](https://a.example/) and the map"
    assert (
        mark_link(once, "the map", "https://b.example/")
        == "[the map](https://a.example/) and [the map](https://b.example/)"
    )


def test_an_address_is_spelled_once_in_plain_text():
    assert spell_link("https://a.example/", "https://a.example/?utm_source=x") == "https://a.example/?utm_source=x"
    assert spell_link("a@b.example", "mailto:a@b.example?subject=x") == "a@b.example"
    assert spell_link("the map", "https://a.example/") == "the map <https://a.example/>"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ("One.", "Two!", "Three?")),
        ("Avec M. Azkuna et J. Ortiz. Fin.", ("Avec M. Azkuna et J. Ortiz.", "Fin.")),
        ("Le no. 4 vaut 3.5 m. Voir p. 12 du guide.", ("Le no. 4 vaut 3.5 m.", "Voir p. 12 du guide.")),
        ("¿Vienen? ¡Sí! «Claro.» Bien.", ("¿Vienen?", "¡Sí!", "«Claro.»", "Bien.")),
        (
            "Write to a@b.example. See https://a.example/b.c now.",
            ("Write to a@b.example.", "See https://a.example/b.c now."),
        ),
        ("no end", ("no end",)),
        ("", ()),
    ],
)
def test_cuts_at_sentence_ends(text, sentences):
    assert split_sentences(text) == sentences


@given(st.text(max_size=300))
def test_sentences_join_to_the_text(text):
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@given(st.text(max_size=300), st.integers(0, 300))
def test_taken_sentences_fit_and_begin_the_text(text, room):
    taken = take_sentences(text, room)

    assert len(taken) <= room
    assert " ".join(text.split()).startswith(taken)


@pytest.mark.parametrize(
    ("text", "typeset"),
    [
        ("Contact: ici", "Contact\u00a0: ici"),
        ("Quoi ? Oui !", "Quoi\u00a0? Oui\u00a0!"),
        ("«Mot»", "«\u00a0Mot\u00a0»"),
        ("« Mot » ; fin", "«\u00a0Mot\u00a0»\u00a0; fin"),
        ("14:30 et https://a.example/?b", "14:30 et https://a.example/?b"),
    ],
)
def test_french_signs_keep_their_word(text, typeset):
    assert set_type(text, "fr") == typeset
    assert set_type(typeset, "fr") == typeset
    assert set_type(text, "es") == text


def test_a_sources_own_french_gets_no_new_space():
    assert set_type("Contact: «Mot» ; fin", "fr", adding=False) == "Contact: «Mot»\u00a0; fin"
