from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from pregon.errors import DocumentError
from pregon.items import load_document


def test_text_is_the_decoded_file_itself():
    raw = "  Première ligne\r\n\r\n\tSeconde  ligne\n"
    assert load_document(raw.encode(), name="a.txt").text == raw


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings_are_told_from_the_bytes(charset):
    raw = "L’été à Étier : « la marée » coûte 3 € à Grève-sur-Aune, où les élèves déménagent.\n" * 3
    assert load_document(raw.encode(charset), name="a.txt").text == raw


def test_declared_charset_is_used_unless_the_bytes_are_utf8():
    word = "Marée à Étier, où l'école est déjà inondée"
    assert (
        load_document(word.encode("mac_roman"), name="a.txt", media_type="text/plain; charset=mac_roman").text == word
    )
    assert load_document(word.encode(), name="a.txt", media_type="text/plain; charset=iso-8859-1").text == word
    page = f'<html><head><meta charset="iso-8859-15"></head><body><p>{word} €</p></body></html>'
    assert load_document(page.encode("iso-8859-15"), name="a.html").text == f"{word} €\n"


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.txt", "is empty"),
        (b" \n\t\r\n", "a.txt", "is empty"),
        (b"\xef\xbb\xbf \n", "a.md", "is empty"),
        (b"x" * (20 * 1024 * 1024 + 1), "a.txt", "20 MB and the limit is 20 MB"),
        (bytes(range(256)) * 100, "a.txt", "is not text"),
        (b"\x89PNG\r\n\x1a\n0000", "a.txt", "is a picture"),
        (b"%PDF-1.7 nothing more", "a.pdf", "is a damaged PDF file"),
        (b"PK\x03\x04 broken", "a.docx", "is an archive"),
        (b"\xd0\xcf\x11\xe0 old", "a.doc", "is an old Word file"),
        (b"<html><script>1</script></html>", "a.html", "holds no text"),
        (b"\n\n", "a.eml", "is empty"),
        (b"no header here", "a.eml", "is not an e-mail"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(data, name, words):
    with pytest.raises(DocumentError, match=words) as raised:
        load_document(data, name=name)
    assert str(raised.value).startswith(name)
    assert "\n" not in str(raised.value)


def test_a_word_file_that_unpacks_to_gigabytes_is_refused():
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr("word/document.xml" if number == 0 else f"word/{number}.xml", b" " * 90_000_000)
    with pytest.raises(DocumentError, match="unpacks to more than 200 MB"):
        load_document(packed.getvalue(), name="a.docx")


def test_a_web_answer_is_known_by_its_type_and_a_nameless_page_by_its_markup():
    page = b"<!doctype html><p>One <b>two</b></p>"
    assert load_document(page, name="https://t.example/a", media_type="text/html; charset=utf-8").text == "One two\n"
    assert load_document(page, name="page").media_type == "text/html"
    assert load_document(b"plain words", name="words").media_type == "text/plain"


def test_an_article_is_taken_without_its_surroundings_and_keeps_its_links():
    page = """<html lang="es"><head><title>Site - Title</title><meta property="og:title" content="Title"/>
    <link rel="canonical" href="/a"><meta property="article:published_time" content="2027-01-15T09:00:00+01:00"></head>
    <body><nav><a href="/x">Menu</a></nav><article><h1>Title</h1><p>Read <a href="../b?c=1">the <em>other</em> page</a>,
    or <a href="#">this</a>.</p><ul><li><p>one</p></li><li>two</li></ul><script>bad()</script></article>
    <footer>Footer</footer></body></html>"""
    document = load_document(page.encode(), name="a.html", origin="https://t.example/d/e")
    assert document.text == "# Title\n\nRead the other page, or this.\n\n- one\n\n- two\n"
    assert [(document.text[slice(*span)], address) for span, address in document.links] == [
        ("the other page", "https://t.example/b?c=1"),
        ("this", "#"),
    ]
    assert (document.title, document.canonical_url, document.declared_language) == (
        "Title",
        "https://t.example/a",
        "es",
    )
    assert document.published_at.isoformat() == "2027-01-15T09:00:00+01:00"


def test_a_page_without_article_is_read_without_its_menu():
    words = "The towns of the coast have agreed on one tide table, printed each winter and hung in every school. " * 3
    page = f'<html><body><div class="menu"><a href="/">Home</a></div><div><h1>One table</h1><p>{words}</p></div></body></html>'
    text = load_document(page.encode(), name="a.html").text
    assert text.startswith("# One table\n\nThe towns")
    assert "Home" not in text


def test_deep_and_broken_markup_is_read():
    assert load_document(("<div>" * 1500 + "deep").encode(), name="a.html").text == "deep\n"
    assert load_document(b"<p>one<p>two</i></b><li>three", name="a.html").text == "one\n\ntwo\n\n- three\n"
