from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.items import fingerprint_item, identify_item, load_document, normalise_url, read_item

CIRCULAR = """Circular 12/2027

{series}

Portamar, 4 May 2027

Subject: Tide tables

Dear members,

The tide tables are printed. {body}

Kind regards,

The Secretariat
"""


def read(text: str, name: str = "a.txt", origin: str = ""):
    document = load_document(text.encode(), name=name, origin=origin)
    return read_item(document), document


def identity(text: str, **options: str) -> str:
    return identify_item(*read(text, **options))


def test_a_circular_is_the_same_in_every_dress():
    plain = identity(CIRCULAR.format(series="Circulars of the Tidal Cities Network", body="One."))
    assert plain == "circular:circulars-of-the-tidal-cities-network:12:2027"
    shouted = CIRCULAR.format(series="CIRCULARS OF THE TIDAL  CITIES NETWORK", body="Another.")
    assert identity(shouted) == plain
    assert identity(shouted, origin="https://t.example/circulars/12?utm_source=x") == plain
    assert identity(CIRCULAR.format(series="Circulars of another network", body="One.")) != plain


def test_a_page_is_its_address_and_a_bare_text_its_words():
    page = "<html><head><link rel='canonical' href='https://www.t.example/a/'></head><body><p>Some words.</p></body></html>"
    assert identity(page, name="a.html") == "url:t.example/a"
    assert identity("Some words here.", origin="http://t.example/b#top") == "url:t.example/b"
    bare = identity("The boats are back.")
    assert bare.startswith("text:sha256:")
    assert identity("**The boats**  are\nback.", name="b.md") == bare
    assert identity("The boats are not back.") != bare


@pytest.mark.parametrize(
    "address",
    [
        "http://t.example/a?b=1&c=2", "https://www.t.example/a/?c=2&b=1", "https://t.example:443/a?b=1&c=2#part",
        "https://T.EXAMPLE/a?b=1&utm_source=x&utm_medium=y&c=2&fbclid=z", "https://t.example/%61?b=1&c=2",
    ],
)  # fmt: skip
def test_one_page_has_one_normal_address(address):
    assert normalise_url(address) == "t.example/a?b=1&c=2"


def test_different_pages_stay_different():
    addresses = [
        "https://t.example/?p=1",
        "https://t.example/?p=2",
        "https://t.example/A",
        "https://t.example/a",
        "https://t.example:8080/a",
    ]
    assert len({normalise_url(address) for address in addresses}) == len(addresses)
    assert normalise_url("a file.txt") is None
    assert normalise_url("mailto:a@t.example") is None


@given(st.text(max_size=80))
def test_normalising_an_address_twice_changes_nothing_more(path):
    once = normalise_url(f"https://t.example/{path}")
    assert once is None or normalise_url(f"https://{once}") == once


def test_what_a_reader_would_not_notice_leaves_the_fingerprint():
    before = fingerprint_item(
        read(CIRCULAR.format(series="S", body="They cost “nothing”, l’été : see https://t.example/a"))[0]
    )
    same = CIRCULAR.format(series="S", body='They   cost "nothing", l\'été: see https://t.example/a').replace(
        "\n\n", "\n\n\n"
    )
    assert fingerprint_item(read(same)[0]) == before
    bold = CIRCULAR.format(series="S", body="They cost **“nothing”**, l’été : see https://t.example/a")
    assert fingerprint_item(read(bold)[0]) == before


@pytest.mark.parametrize(
    ("old", "new"), [("4 May", "5 May"), ("printed", "ready"), ("Tide tables", "Tide table"), ("12/2027", "13/2027")]
)
def test_what_a_reader_would_notice_changes_the_fingerprint(old, new):
    text = CIRCULAR.format(series="S", body="They cost nothing.")
    assert fingerprint_item(read(text)[0]) != fingerprint_item(read(text.replace(old, new))[0])


def test_another_link_target_is_noticed_and_another_tracking_is_not():
    def linked(address: str) -> str:
        item, _ = read(f"# News\n\nThe [tables]({address}) are printed.", "a.md")
        return fingerprint_item(item)

    assert linked("https://t.example/a") == linked("http://www.t.example/a/?utm_source=mail")
    assert linked("https://t.example/a") != linked("https://t.example/b")


def test_the_fingerprint_does_not_depend_on_questions_or_spans():
    item, _ = read(CIRCULAR.format(series="S", body=""))
    assert fingerprint_item(replace(item, questions=(), spans={})) == fingerprint_item(item)
