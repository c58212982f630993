"""Segments as rules: what a rule selects, in Python and (in tests/pipeline/test_segments.py) in SQL."""

import pytest

from pregon.audiences import matches_audience, matches_rule
from pregon.types import Audience, Contact, ContactState, Rule

ANA = Contact(1, "a@x.example", "Ana", "es", ContactState.SUBSCRIBED, ("members", "press"), "Port", "Cádiz", "ES")


@pytest.mark.parametrize(
    ("rule", "selects"),
    [
        (Rule(), True),
        (Rule(lists=("public", "press")), True),
        (Rule(lists=("public",)), False),
        (Rule(countries=("ES", "FR"), cities=("Cádiz",)), True),
        (Rule(countries=("ES",), cities=("Brest",)), False),
        (Rule(organisations=("Port",), languages=("fr",)), False),
        (Rule(any=(Rule(cities=("Brest",)), Rule(lists=("press",)))), True),
        (Rule(any=(Rule(cities=("Brest",)), Rule(lists=("public",)))), False),
        (Rule(all=(Rule(countries=("ES",)), Rule(lists=("members",)))), True),
        (Rule(none=(Rule(countries=("ES",)),)), False),
        (Rule(lists=("members",), none=(Rule(lists=("public",)),)), True),
    ],
)
def test_every_part_of_a_rule_must_hold(rule, selects):
    assert matches_rule(rule, ANA) is selects


def test_a_segment_narrows_the_lists_and_selects_alone_without_them():
    def reaches(lists, rule):
        return matches_audience(Audience("x", lists, ("es",), rule), ANA)

    assert reaches(("members",), Rule(countries=("ES",)))
    assert not reaches(("public",), Rule(countries=("ES",)))
    assert reaches((), Rule(countries=("ES",)))
    assert not reaches((), None)
