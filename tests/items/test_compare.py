from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from pregon.items import (
    are_versions,
    ask_across_documents,
    describe_changes,
    find_series_gaps,
    item_from_json,
    item_to_json,
    load_document,
    read_item,
)
from pregon.types import Item, Kind


def read(text: str, name: str = "a.txt") -> Item:
    return read_item(load_document(text.encode(), name=name, origin="https://t.example/en/a"))


ENGLISH = Item(Kind.CIRCULAR, "en", "Tide tables", "", number=12, year=2027, date=date(2027, 5, 4))


def test_one_number_in_two_languages_is_one_announcement():
    french = replace(ENGLISH, language="fr", title="Tables des marées", date=date(2027, 5, 6))
    assert are_versions(ENGLISH, french)
    assert not are_versions(ENGLISH, replace(french, date=date(2027, 6, 6)))
    assert not are_versions(ENGLISH, replace(french, number=13))
    assert not are_versions(ENGLISH, replace(french, year=2026))
    assert not are_versions(ENGLISH, replace(ENGLISH, title="Another"))


def test_pages_that_name_one_another_are_versions():
    head = '<link rel="canonical" href="/en/a"><link rel="alternate" hreflang="fr-FR" href="/fr/a/">'
    english = read(
        f"<html><head>{head}</head><body><p>The ferry sails again with the tide of the morning.</p></body></html>",
        "a.html",
    )
    french = replace(english, language="fr", canonical_url="http://www.t.example/fr/a", alternates=())
    assert english.alternates == (("fr", "https://t.example/fr/a/"),)
    assert item_from_json(item_to_json(english), english.text) == english
    assert are_versions(english, french)
    assert are_versions(french, english)
    assert not are_versions(english, replace(french, canonical_url="https://t.example/fr/b"))


def test_gaps_in_a_series_are_told():
    assert find_series_gaps([46, 48, 44, 48]) == (45, 47)
    assert find_series_gaps([]) == ()
    assert len(find_series_gaps([1, 10_000])) == 100


@given(st.sets(st.integers(1, 60)))
def test_numbers_and_gaps_fill_the_series(numbers):
    gaps = find_series_gaps(numbers)
    assert sorted([*numbers, *gaps]) == list(range(min(numbers, default=1), max(numbers, default=0) + 1))


def test_changes_that_a_reader_would_notice_are_described():
    before = read("# Survey\n\nThe survey is short. Please reply by 5 May 2027 to a@t.example.")
    moved = read("# Survey\n\nThe survey is short. Please reply by 9 May 2027 to a@t.example.")
    assert (
        describe_changes(
            before, read("# Survey\n\nThe survey  is **short**. Please reply by 5 May 2027 to a@t.example.")
        )
        == ()
    )
    assert describe_changes(before, moved)[:2] == ("deadline gone: “2027-05-05”", "deadline new: “2027-05-09”")
    assert "title: “Survey” became “Questions”" in describe_changes(before, read("# Questions\n\nThe survey is short."))


HISTORY = """Une histoire

En novembre 2009, les villes ont voulu une portée plus vaste. Les membres de la Commission ont approuvé changer la dénomination de la Commission.
"""
PLAN = """Un plan

Sur la base de la décision approuvée fin 2010 par les membres de la Commission de modifier l'orientation de la Commission, le travail continue.
"""


def test_one_decision_with_two_years_is_asked_and_not_merged():
    (question,) = ask_across_documents(read(HISTORY), [read(PLAN)])
    assert question.id == "date.conflict"
    assert "2009" in question.message
    assert "2010" in question.message
    assert read(HISTORY).text[slice(*question.span)].startswith("En novembre 2009")


def test_documents_that_agree_or_tell_of_other_things_raise_no_question():
    assert ask_across_documents(read(HISTORY), [read(HISTORY)]) == ()
    assert ask_across_documents(read(HISTORY), [read(PLAN.replace("2010", "2009"))]) == ()
    other = "Un pont\n\nEn 2014, la ville a approuvé le changement des horaires du ferry pour les écoles."
    assert ask_across_documents(read(HISTORY), [read(other)]) == ()
