from dataclasses import replace
from datetime import date

import pytest

from drafts.builders import build_circular, build_meeting, load_templates
from pregon.drafts.facts import list_facts, write_moment
from pregon.drafts.words import read_words, write_date
from pregon.types import Event, Item, Kind, Practice, Study


@pytest.mark.parametrize(
    ("start", "end", "language", "written"),
    [
        ("2026-10-12T14:30+09:00", "2026-10-12T16:30+09:00", "en", "12 October 2026, 14:30–16:30 (UTC+09:00)"),
        ("2026-10-12T14:30", None, "fr", "12 octobre 2026, 14:30"),
        ("2031-05-08", "2031-05-10", "es", "8–10 de mayo de 2031"),
        ("2031-05-08", "2031-05-10", "fr", "8–10 mai 2031"),
        ("2031-05-30", "2031-06-02", "en", "30 May – 2 June 2031"),
        ("2026-06-05", "2026-06-05", "es", "5 de junio de 2026"),
    ],
)
def test_a_meetings_time_is_written_as_the_language_does(start, end, language, written):
    assert write_moment(Event("x", start, end, None, False, (0, 1)), language) == written


def test_french_has_its_first_of_the_month():
    assert write_date(date(2026, 4, 1), "fr") == "1er avril 2026"
    assert write_date(date(2026, 4, 11), "fr") == "11 avril 2026"


def facts_of(item, language):
    return list_facts(item, read_words(load_templates(), language))


def test_only_what_the_source_states_is_a_fact():
    assert facts_of(build_circular(), "fr") == (("Places", "8"),)
    assert facts_of(build_circular(calls=()), "fr") == ()


def test_facts_are_in_the_language_of_the_draft():
    assert facts_of(build_meeting(), "es") == (
        ("Cuándo", "12 de octubre de 2026, 14:30–16:30 (UTC+09:00)"),
        ("Dónde", "Busan"),
    )


def test_a_practice_and_a_study_state_what_they_know_of_themselves():
    practice = Item(Kind.PRACTICE, "en", "Gates", "", practice=Practice(city="Busan", axis="Water"))
    study = Item(Kind.STUDY, "en", "Tides", "", study=Study(edition=3, languages=("en", "fr"), cities=31))

    assert facts_of(practice, "en") == (("City", "Busan"), ("Topic", "Water"))
    assert facts_of(study, "en") == (("Edition", "3"), ("Cities", "31"), ("Languages", "English, French"))


def test_a_deadline_is_said_once():
    call = replace(build_circular().calls[0], deadline=date(2026, 6, 30), capacity=None)

    assert facts_of(build_circular(calls=(call, call)), "fr") == (("Date limite", "30 juin 2026"),)
