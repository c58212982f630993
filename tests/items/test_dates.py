from __future__ import annotations

from datetime import date, timedelta

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from pregon.items.dates import find_dates

DAYS = st.dates(date(1950, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("text", "language", "first", "last"),
    [
        ("du 5 au 6 juin 2027", "fr", date(2027, 6, 5), date(2027, 6, 6)),
        ("le 1er avril 2027", "fr", date(2027, 4, 1), None),
        ("du 30 mai au 2 juin 2027", "fr", date(2027, 5, 30), date(2027, 6, 2)),
        ("les 5 et 6 juin 2027", "fr", date(2027, 6, 5), date(2027, 6, 6)),
        ("Barcelone, le 25 Juin 2018", "fr", date(2018, 6, 25), None),
        ("12 août 2027", "fr", date(2027, 8, 12), None),
        ("12 AOUT 2027", "fr", date(2027, 8, 12), None),
        ("31/12/2027", "fr", date(2027, 12, 31), None),
        ("the 28th of June 2016", "en", date(2016, 6, 28), None),
        ("August 31st 2015", "en", date(2015, 8, 31), None),
        ("June 5-6, 2027", "en", date(2027, 6, 5), date(2027, 6, 6)),
        ("from 30 December 2027 to 2 January 2028", "en", date(2027, 12, 30), date(2028, 1, 2)),
        ("on Thursday, 17 June 2027", "en", date(2027, 6, 17), None),
        ("12/31/2027", "en", date(2027, 12, 31), None),
        ("2027-03-04", "en", date(2027, 3, 4), None),
        ("5 May 2027", "en", date(2027, 5, 5), None),
        ("del 5 al 6 de junio de 2027", "es", date(2027, 6, 5), date(2027, 6, 6)),
        ("el 1 de septiembre del 2027", "es", date(2027, 9, 1), None),
        ("1º de mayo de 2027", "es", date(2027, 5, 1), None),
        ("10.11.2027", "es", date(2027, 11, 10), None),
    ],
)
def test_dates_as_people_write_them(text, language, first, last):
    (found,) = find_dates(text, language)
    assert (found.resolve(), found.resolve_last()) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "En 2016, le réseau", "depuis 1990", "novembre 2009", "fin 2010", "au fin 2010", "2011-2013", "à la fin de l'année",
        "10 villes maximum", "you may 10", "version 1.2.2024.5", "II Sommet", "3 domaines", "0,5 mai", "tel. 12-34-56",
        "the 2 may apply", "chapter 4.12", "page 12 of 2027", "100 janvier",
    ],
)  # fmt: skip
def test_what_is_no_day_is_not_found(text):
    assert find_dates(text, "fr") == []


def test_days_that_cannot_be_or_can_be_two_are_told():
    assert find_dates("le 31 juin 2027", "fr")[0].problem == "impossible"
    assert find_dates("29 February 2027", "en")[0].problem == "impossible"
    assert find_dates("03/04/2027", "en")[0].problem == "ambiguous"
    assert find_dates("03/04/2027", "fr")[0].resolve() == date(2027, 4, 3)
    assert find_dates("04/04/2027", "en")[0].resolve() == date(2027, 4, 4)


def test_a_missing_year_stays_missing_until_the_document_has_a_date():
    (found,) = find_dates("antes del 28 de abril", "es")
    assert found.resolve() is None
    assert found.resolve(date(2027, 3, 2)) == date(2027, 4, 28)
    assert found.resolve(date(2027, 5, 2)) == date(2028, 4, 28)


def test_a_weekday_is_held_against_the_date():
    assert find_dates("Monday, 16 March 2027", "en")[0].contradicts_weekday()
    assert not find_dates("jeudi 17 juin 2027", "fr")[0].contradicts_weekday()


@given(day=DAYS, language=st.sampled_from(["en", "fr", "es"]), form=st.sampled_from(["long", "full"]))
def test_every_day_written_out_is_found_again(day, language, form):
    text = f"({format_date(day, form, locale=language)})"
    (found,) = find_dates(text, language)
    assert found.resolve() == day
    assert not found.contradicts_weekday()


@given(day=DAYS, length=st.integers(1, 20), language=st.sampled_from(["en", "fr", "es"]))
def test_every_range_written_out_is_found_again(day, length, language):
    last = day + timedelta(days=length)
    words = {"en": ("from", "to"), "fr": ("du", "au"), "es": ("del", "al")}[language]
    text = f"{words[0]} {format_date(day, 'long', locale=language)} {words[1]} {format_date(last, 'long', locale=language)}"
    (found,) = find_dates(text, language)
    assert (found.resolve(), found.resolve_last()) == (day, last)


@given(text=st.text(max_size=300), language=st.sampled_from(["en", "fr", "es", None]))
def test_any_text_gives_days_with_spans_inside_it(text, language):
    for found in find_dates(text, language):
        assert 0 <= found.span[0] < found.span[1] <= len(text)
        assert any(char.isdecimal() for char in text[slice(*found.span)])
