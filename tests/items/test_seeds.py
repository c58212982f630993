"""The user's own documents, when they are beside the checkout: real, and not to be copied into the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from pregon.items import ask_across_documents, identify_item, load_document, read_item
from pregon.types import Item

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
pytestmark = [pytest.mark.seeds, pytest.mark.skipif(not SEEDS.is_dir(), reason="the user's documents are not here")]


def read(name: str) -> Item:
    return read_item(load_document((SEEDS / name).read_bytes(), name=name))


def test_circular_46():
    item = read("circulaire-46-2018.fr.txt")
    assert (item.kind, item.language, item.number, item.year) == ("circular", "fr", 46, 2018)
    assert (item.date.isoformat(), item.place, item.salutation) == ("2018-06-25", "Barcelone", "Chers membres")
    assert item.issuer == "Le Secrétariat Mondial de CGLU"
    assert item.on_behalf_of == "la Commission des Villes numériques et de la Connaissance"
    assert item.series == "Commissions et Groupes de travail de l'UCLG"
    assert item.title.split(" — ")[0] == "Communauté de pratiques Villes numériques"
    assert item.title.endswith("mécanismes de consultation de CGLU")
    headings = [section.heading for section in item.sections]
    assert headings[:3] == [None, "ACTIVITÉS", '1. Actualisation du "Smart Cities Study"']
    assert headings[3:] == [
        "2. Rencontres d'apprentissage",
        "3. Collaboration",
        "PROCHAINE ÉDITION DE L'ÉTUDE « SMART CITIES STUDY »",
    ]
    (call,) = item.calls
    assert (call.capacity, call.contact, call.deadline) == (10, "info@uclg-digitalcities.org", None)
    assert (item.events, item.videos, item.deadlines, item.handles) == ((), (), (), ("@uclg_cdc",))
    assert [(link.url, link.problem) for link in item.links] == [
        ("#", "placeholder"),
        ("#", "placeholder"),
        ("https://www.uclg-digitalcities.org", None),
        ("https://twitter.com/uclg_cdc", "legacy"),
        ("http://www.youtube.com/user/CDCdeCGLU", "legacy"),
    ]
    assert [(one.id, one.blocking) for one in item.questions] == [
        ("link.placeholder", True),
        ("link.placeholder", True),
        ("quote.suspect-word", False),
        ("deadline.missing", False),
    ]
    assert not any("**" in block.text or "](" in block.text for section in item.sections for block in section.blocks)


@pytest.mark.parametrize(
    ("name", "title", "headings"),
    [
        ("history-page.fr.txt", "Un chemin qu’a commencé en 2005", 3),
        ("plan-2012.fr.txt", "PLAN D'ACTIVITES DES COMMISSIONS ET GROUPES DE TRAVAIL 2012", 4),
    ],
)
def test_the_others_are_read_and_nothing_is_invented(name: str, title: str, headings: int):
    item = read(name)
    assert (item.kind, item.language, item.title) == ("news", "fr", title)
    assert (item.number, item.year, item.date, item.place, item.issuer) == (None,) * 5
    assert (item.deadlines, item.calls, item.events, item.videos, item.questions) == ((),) * 5
    assert len(item.sections) == headings


def test_the_three_are_three_items():
    names = sorted(path.name for path in SEEDS.glob("*.txt"))
    documents = [load_document((SEEDS / name).read_bytes(), name=name) for name in names]
    assert len({identify_item(read_item(document), document) for document in documents}) == len(names) == 3


def test_the_two_years_of_one_decision_are_asked():
    history, plan, circular = (
        read(name) for name in ("history-page.fr.txt", "plan-2012.fr.txt", "circulaire-46-2018.fr.txt")
    )
    (question,) = ask_across_documents(history, [plan, circular])
    assert (question.id, history.text[slice(*question.span)][:16]) == ("date.conflict", "En novembre 2009")
    assert "2010" in question.message
    assert ask_across_documents(circular, [history, plan]) == ()
