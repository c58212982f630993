"""Embargoes and cancellations, as documents write them."""

from datetime import date

import pytest

from pregon.items import load_document, read_item, says_cancelled


def read(text: str, name: str = "a.txt"):
    return read_item(load_document(text.encode(), name=name, origin="a"), today=date(2026, 11, 23))


BODY = "\n\nThe network publishes its study on quays in spring, and twelve cities have answered the questions so far.\n"


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("Under embargo until 12 January 2027, 10:00 (UTC)", "2027-01-12T10:00+00:00"),
        ("EMBARGO: 12 January 2027", "2027-01-12"),
        ("Sous embargo jusqu'au 12 janvier 2027 à 10h30", "2027-01-12T10:30"),
        ("Embargado hasta el 12 de enero de 2027", "2027-01-12"),
    ],
)
def test_an_embargo_is_read_with_its_day_and_hour(line, moment):
    assert read(f"A study on quays\n\n{line}{BODY}").embargo == moment


def test_an_embargo_without_a_day_is_asked_and_blocks():
    item = read(f"A study on quays\n\nUnder embargo until further notice.{BODY}")
    assert item.embargo is None
    (question,) = [one for one in item.questions if one.id == "embargo.undated"]
    assert question.blocking
    assert "further notice" in question.message


def test_a_document_without_an_embargo_has_none():
    item = read(f"A study on quays{BODY}The embargo on fish was lifted in 1998.\n")
    assert item.embargo is None
    assert not [one for one in item.questions if one.id == "embargo.undated"]


@pytest.mark.parametrize(
    ("text", "is_cancelled"),
    [
        ("Meeting on quays\n\nThe meeting on 12 January 2027 in Portamar is cancelled.", True),
        ("Cancelled: meeting on quays\n\nThe meeting takes place on 12 January 2027 in Portamar.", True),
        ("Réunion sur les quais\n\nLa réunion du 12 janvier 2027 à Portamar est annulée.", True),
        ("Reunión sobre muelles\n\nLa reunión del 12 de enero de 2027 en Portamar ha sido cancelada.", True),
        ("Meeting on quays\n\nThe meeting takes place on 12 January 2027 in Portamar.", False),
        ("A study\n\nThe order was cancelled.", False),
    ],
)
def test_a_cancelled_meeting_says_so(text, is_cancelled):
    assert says_cancelled(read(text)) is is_cancelled
