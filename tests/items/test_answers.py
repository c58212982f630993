"""An answer is an address, a day or `-`, and else refused: a slip must not pass for an answer."""

from datetime import date

import pytest

from pregon.errors import DecisionError
from pregon.items import read_answer

TODAY = date(2026, 11, 10)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" https://tidalcities.example/note ", "https://tidalcities.example/note"),
        ("www.tidalcities.example/en/note", "https://www.tidalcities.example/en/note"),
        ("mailto:alerts@tidalcities.example", "mailto:alerts@tidalcities.example"),
        ("-", "-"),
    ],
)
def test_an_address_is_kept_whole(written: str, kept: str) -> None:
    assert read_answer("link.placeholder", written, TODAY) == kept


@pytest.mark.parametrize(
    "written",
    ["", "pas une adresse", "https://a note.example", "https://note", "http://", "#", "javascript:x", "a@b.example"],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(DecisionError, match="is no address: write it whole"):
        read_answer("link.placeholder", written, TODAY)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2027-01-31", "2027-01-31"),
        ("le 31 janvier 2027", "2027-01-31"),
        ("domingo 31 de enero de 2027", "2027-01-31"),
        ("2026-11-10", "2026-11-10"),
        ("-", "-"),
    ],
)
def test_a_deadline_is_kept_as_its_day(written: str, kept: str) -> None:
    assert read_answer("deadline.missing", written, TODAY) == kept


@pytest.mark.parametrize(
    "written",
    [
        *("no", "31 January", "not before 31 January 2027", "3/4/2027", "31 February 2027", "Monday 31 January 2027"),
        *("30 or 31 January 2027", "from 30 to 31 January 2027", "end of 2027"),
    ],
)
def test_a_day_that_is_not_certain_is_refused(written: str) -> None:
    with pytest.raises(DecisionError, match="write it with its year"):
        read_answer("deadline.missing", written, TODAY)


def test_a_deadline_that_has_passed_is_refused() -> None:
    with pytest.raises(DecisionError, match="2026-11-09 has passed"):
        read_answer("deadline.missing", "9 November 2026", TODAY)


def test_other_answers_are_free_text() -> None:
    assert read_answer("kind.unsure", " A meeting. ", TODAY) == "A meeting."
