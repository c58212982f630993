from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest

from pregon.items import load_document, read_item
from pregon.items.calls import find_capacity
from pregon.items.texts import fold
from pregon.types import Item, Kind


def read(text: str, name: str = "a.md", **options) -> Item:
    return read_item(load_document(text.encode(), name=name), **options)


@pytest.mark.parametrize(
    ("words", "capacity"),
    [
        ("un petit groupe de travail des villes (10 villes maximum)", 10),
        ("quinze collectivités au maximum", 15),
        ("Le nombre est limité à vingt-cinq participants", 25),
        ("Les places sont limitées à trente personnes", 30),
        ("jusqu'à douze villes", 12),
        ("a maximum of ten cities", 10),
        ("up to fifteen members", 15),
        ("12 towns at most", 12),
        ("only two projects", 2),
        ("Capacity: 40", 40),
        ("un máximo de 20 ciudades", 20),
        ("hasta dieciséis municipios", 16),
        ("solo tres proyectos", 3),
        ("10 villes participent déjà", None),
        ("the ten cities of the coast", None),
        ("up to 10 days", None),
        ("3 domaines d'activités", None),
        ("au maximum", None),
    ],
)
def test_capacities_as_people_write_them(words, capacity):
    assert find_capacity(fold(words)) == capacity


@pytest.mark.parametrize(
    ("sentence", "deadlines"),
    [
        ("Please register by 5 May 2027.", ["2027-05-05"]),
        ("Registration closes on 5 May 2027.", ["2027-05-05"]),
        ("Applications must reach us no later than Friday, 7 May 2027.", ["2027-05-07"]),
        ("Deadline: 25 September 2027", ["2027-09-25"]),
        ("Merci de répondre avant le 1er avril 2027.", ["2027-04-01"]),
        ("Date limite d'inscription : 4 juin 2027.", ["2027-06-04"]),
        ("Les candidatures sont ouvertes jusqu'au 4 juin 2027.", ["2027-06-04"]),
        ("Envíen su propuesta antes del 28 de abril de 2027.", ["2027-04-28"]),
        ("El plazo de inscripción termina el 3 de mayo de 2027.", ["2027-05-03"]),
        ("The exhibition is open until 5 May 2027.", []),
        ("L'étude commencera à la fin de l'année.", []),
        ("The pier was closed before 5 May 1990.", []),
        ("La commission a été créée avant le 3 juin 2005.", []),
        ("We start by the end of 2027.", []),
        ("Please register by 28 April.", []),
    ],
)
def test_deadlines_as_people_write_them(sentence, deadlines):
    item = read(f"# About the tide\n\n{sentence}\n")
    assert [one.date.isoformat() for one in item.deadlines] == deadlines
    assert all(one.text in sentence for one in item.deadlines)


@pytest.mark.parametrize(
    ("sentence", "start", "end", "online"),
    [
        ("The meeting will be held on 12 October 2027, 14:30-16:30 (KST).", "2027-10-12T14:30+09:00", "2027-10-12T16:30+09:00", False),
        ("Join us on 3 June 2027 at 9 am (UTC+2) on Zoom.", "2027-06-03T09:00+02:00", None, True),
        ("La réunion aura lieu le 3 juin 2027 de 9h à 12h30.", "2027-06-03T09:00", "2027-06-03T12:30", False),
        ("Le webinaire se tiendra le 3 décembre 2027 à 15 h 00 (heure de Paris).", "2027-12-03T15:00+01:00", None, True),
        ("La reunión tendrá lugar el 3 de junio de 2027 a las 10:00 (hora de Bogotá).", "2027-06-03T10:00-05:00", None, False),
        ("The congress takes place from 30 May to 2 June 2028.", "2028-05-30", "2028-06-02", False),
        ("Meeting on 5 May 2027, 2-4 pm.", "2027-05-05T14:00", "2027-05-05T16:00", False),
    ],
)  # fmt: skip
def test_meetings_keep_the_precision_of_the_source(sentence, start, end, online):
    (event,) = read(f"# Meeting of the harbour offices\n\n{sentence}\n").events
    assert (event.start, event.end, event.online) == (start, end, online)


def test_a_time_or_place_of_something_else_is_not_the_meetings():
    text = "# Workshop\n\nThe workshop will be held on 9 May 2027. The ferry leaves at 7:30 from Ferrymouth.\n"
    (event,) = read(text).events
    assert (event.start, event.place) == ("2027-05-09", None)
    two = "# Two workshops\n\nDate: 9 May 2027\nTime: 10:00\nPlace: Bajamar\n\nDate: 12 May 2027\nTime: 11:00\nPlace: Portamar\n"
    assert [(one.start, one.place) for one in read(two).events] == [
        ("2027-05-09T10:00", "Bajamar"),
        ("2027-05-12T11:00", "Portamar"),
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "The summit was held on 12 March 2005.",
        "Le sommet s'est tenu le 12 mars 2005.",
        "La cumbre se celebró el 12 de marzo de 2005.",
        "Since 12 March 2005 the port is open.",
    ],
)
def test_what_has_been_held_is_no_event(sentence):
    assert read(f"# The summit\n\n{sentence}\n").events == ()


def test_every_question_shows_its_sentence_and_points_at_it():
    text = "# Survey\n\nThe survey is short. Please reply by 31 June 2027, see the [form](#). It is easy.\n"
    item = read(text)
    assert {one.id for one in item.questions} == {"date.impossible", "link.placeholder", "deadline.missing"}
    for one in item.questions:
        assert "Please reply by 31 June 2027, see the form." in one.message
    spans = {one.id: text[slice(*one.span)] for one in item.questions}
    assert (spans["date.impossible"], spans["link.placeholder"]) == ("31 June 2027", "[form](#)")


def test_a_bare_deadline_that_differs_from_the_sentence_is_asked():
    item = read(
        "# Call for towns\n\nDeadline: 5 May 2027\n\nTowns are invited to register by 9 May 2027 at a@t.example.\n"
    )
    assert [one.date.day for one in item.deadlines] == [5, 9]
    assert [(one.id, one.blocking) for one in item.questions] == [("date.conflict", True)]


def test_two_deadlines_for_two_things_are_no_conflict():
    item = read("# Meeting\n\nPlease register by 9 May 2027.\n\nPlease answer the survey before 5 May 2027.\n")
    assert [one.date.day for one in item.deadlines] == [5, 9]
    assert "date.conflict" not in {one.id for one in item.questions}


def test_a_deadline_after_the_meeting_is_asked():
    item = read("# Workshop\n\nThe workshop will be held on 9 May 2027 in Bajamar. Please register by 12 May 2027.\n")
    assert [one.id for one in item.questions] == ["date.conflict"]


def test_a_passed_deadline_is_asked_only_when_the_day_is_known():
    text = "# Survey\n\nPlease reply by 5 May 2027 to a@t.example.\n"
    assert read(text).questions == ()
    assert read(text, today=date(2027, 5, 5)).questions == ()
    (passed,) = read(text, today=date(2027, 5, 6)).questions
    assert (passed.id, passed.blocking) == ("deadline.past", True)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Président : Mme Anne Le Goff, maire de Rive.", True),
        ("We thank the Mayor of Portamar, Ana Ruiz.", True),
        ("Inaugura el puente la alcaldesa Ana de la Ruiz.", True),
        ("Ana Ruiz, Mayor of Portamar, opens the quay.", True),
        ("The mayors of the network and the President of the Tidal Cities meet.", False),
        ("La maire de Rive ouvre le quai.", False),
        ("Ask the chair, Portamar.", False),
    ],
)
def test_who_holds_an_office_is_asked_when_a_text_is_old_or_undated(said, asked):
    today = date(2026, 11, 23)
    wanted = ["item.old"] if asked else []
    for day in ("", "Portamar, 12 March 2012\n\n"):
        text = f"# The quay is open\n\n{day}{said}\n"
        assert [one.id for one in read(text, today=today).questions if one.id == "item.old"] == wanted
        assert "item.old" not in [one.id for one in read(text).questions]
    fresh = read(f"# The quay is open\n\nPortamar, 12 March 2026\n\n{said}\n", today=today)
    assert "item.old" not in [one.id for one in fresh.questions]


def test_the_kind_of_a_source_is_taken_and_not_judged():
    text = "# Meeting of the harbour offices\n\nThe meeting will be held on 9 May 2027 in Bajamar.\n"
    assert read(text).kind is Kind.MEETING
    item = read(text, kind=Kind.CIRCULAR)
    assert item.kind is Kind.CIRCULAR
    assert [one.id for one in item.questions] == ["number.missing"]


def test_the_network_names_its_superseded_hosts():
    network = SimpleNamespace(legacy_hosts={"old.t.example": "t.example"})
    item = read("# News\n\nSee [one](https://old.t.example/a) and [two](https://t.example/a).\n", network=network)
    assert [link.problem for link in item.links] == ["legacy", None]


def test_a_number_in_the_text_is_another_circular():
    item = read(
        "# The new rules\n\nThe rules of Circular 12/2026 still hold, as Circulaire 13 said.\n\nCircular 14/2026 repealed one.\n"
    )
    assert (item.kind, item.number, item.year) == (Kind.NEWS, None, None)


def test_clean_text_has_no_marks_and_its_span_is_the_raw_text():
    text = "# News\n\nA **bold** [link](https://t.example/a), <u>under</u> and \\*star\\* at <https://t.example/b>.\n"
    item = read(text)
    (block,) = item.sections[0].blocks
    assert block.text == "A bold link, under and *star* at https://t.example/b."
    assert text[slice(*block.span)].startswith("A **bold**")
