"""Whatever somebody sends, the answer is a page with one sentence and never a failure of ours."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from urllib.parse import quote

import pytest
from tests.web.builders import Browser, Place

Browse = Callable[[str], Browser]
ODD = [
    "",
    "\x00",
    "x" * 5000,
    "é\u202e",
    "-1",
    "99999999999999999999",
    "²",
    "<script>",
    "%s{}",
    "\r\nX: y",
    "0001-01-01T00:00",
]
FIELDS = "base digest decision comment part place subject section_text send_at question span_start answer word name role old new keep"


def test_odd_addresses(place: Place, browse: Browse) -> None:
    viewer, slug = browse("viewer"), place.campaign()
    for odd in (quote(value, safe="") for value in ODD):
        for path in (
            f"/campaigns/{odd}",
            f"/campaigns/{odd}/who.csv",
            f"/campaigns/{slug}/result?state={odd}",
            f"/drafts/{odd}/edit",
            f"/drafts/1/preview?scheme={odd}",
            f"/?q={odd}&kind={odd}&channel={odd}&language={odd}&page={odd}",
            f"/contacts?q={odd}",
            f"/unsubscribe/{odd}",
            f"/mail/{odd}",
            f"/sign-in?next={odd}&said={odd}",
            f"/static/{odd}",
        ):
            answer = viewer.http.get(path)
            assert answer.status_code < 500, path
            assert "Traceback" not in answer.text, path


def test_odd_fields(place: Place, browse: Browse) -> None:
    admin, slug = browse("admin"), place.campaign()
    paths = (
        "/drafts/1/decision",
        "/drafts/1/edit",
        "/drafts/2/check",
        f"/campaigns/{slug}/answers",
        f"/campaigns/{slug}/approve",
        f"/campaigns/{slug}/deliveries",
        "/contacts/import",
        "/channels/email/resume",
        "/people",
        "/password",
    )
    for path, value in product(paths, ODD):
        form = dict.fromkeys(FIELDS.split(), value) | {"csrf": admin.csrf}
        assert admin.http.post(path, data=form).status_code < 500, (path, value)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\nbroken"),
        ("application/x-www-form-urlencoded", b"csrf=%ff%fe&\xff=\xfe"),
        ("application/json", b"{}"),
        ("text/plain", b"a" * 100_000),
    ],
)
def test_bodies_that_are_no_forms(browse: Browse, kind: str, body: bytes) -> None:
    admin = browse("admin")
    for path in ("/sign-in", "/drafts/1/edit", "/contacts/import"):
        answer = admin.http.post(path, content=body, headers={"content-type": kind})
        assert answer.status_code in (400, 403), path
