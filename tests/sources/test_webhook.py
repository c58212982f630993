"""Who may push, and what a push is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from pregon.errors import DocumentError, SignatureError
from pregon.items import read_item
from pregon.sources.webhook import read_push, verify_push

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
LETTER = (
    b"# Tide tables\n\nCircular 16/2027\n\nDear members,\n\nThe tables are printed.\n\nKind regards,\nThe Secretariat\n"
)


def sign(body: bytes, *, identity: str = "msg_1", at: float | None = None, key: bytes = bytes(range(32))) -> dict:
    stamp = str(int(NOW.timestamp() if at is None else at))
    digest = hmac.new(key, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": identity, "webhook-timestamp": stamp, "webhook-signature": signature}


def test_the_published_example_of_the_specification_holds():
    # Standard Webhooks, reference libraries' own test vector.
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, UTC)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert verify_push(secret, headers, b'{"test": 2432232314}', at) == headers["webhook-id"]


def test_a_signed_push_is_let_in_and_its_id_is_told():
    assert verify_push(SECRET, sign(LETTER), LETTER, NOW) == "msg_1"
    plain = "a secret of more than sixteen bytes"
    assert verify_push(plain, sign(LETTER, key=plain.encode()), LETTER, NOW) == "msg_1"


def test_one_right_signature_among_others_is_enough():
    headers = sign(LETTER)
    old = sign(LETTER, key=b"old" * 10)["webhook-signature"]
    headers["webhook-signature"] = f"{old} v1a,abc {headers['webhook-signature']}"
    assert verify_push(SECRET, headers, LETTER, NOW) == "msg_1"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"webhook-signature": "v1,AAAA"}, "does not hold"),
        ({"webhook-signature": "v2" + sign(LETTER)["webhook-signature"][2:]}, "does not hold"),
        ({"webhook-signature": "v1,é"}, "does not hold"),
        ({"webhook-id": "msg_2"}, "does not hold"),
        ({"webhook-id": "m" * 300}, "longer than 200"),
        ({"webhook-id": ""}, "not signed"),
        ({"webhook-signature": ""}, "not signed"),
        ({"webhook-timestamp": "yesterday"}, "five minutes"),
        ({"webhook-timestamp": "9" * 400}, "five minutes"),
        ({"authorization": "Bearer guess"}, "not this source's"),
        ({"authorization": "Basic " + SECRET}, "not this source's"),
        ({"authorization": "Bearer é"}, "not this source's"),
    ],
)
def test_what_is_not_the_senders_is_refused(change, words):
    with pytest.raises(SignatureError, match=words):
        verify_push(SECRET, sign(LETTER) | change, LETTER, NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_or_early_push_is_refused_though_it_is_signed(seconds):
    with pytest.raises(SignatureError, match="five minutes"):
        verify_push(SECRET, sign(LETTER, at=NOW.timestamp() + seconds), LETTER, NOW)
    assert verify_push(SECRET, sign(LETTER, at=NOW.timestamp() + seconds * 0.99), LETTER, NOW)


def test_a_changed_body_is_refused():
    with pytest.raises(SignatureError):
        verify_push(SECRET, sign(LETTER), LETTER + b" ", NOW)


def test_the_secret_itself_is_a_token():
    assert verify_push(SECRET, {"authorization": f"Bearer {SECRET}"}, LETTER, NOW) is None


def test_a_document_comes_by_its_content_type():
    seen = read_push("door", "text/markdown; charset=utf-8", LETTER, "msg_1")
    item = read_item(seen.document)
    assert (seen.key, item.number, item.title) == ("message msg_1", 16, "Tide tables")
    page = read_push(
        "door", "text/html", b"<html><body><h1>Tide</h1><p>The tables are printed.</p></body></html>", None
    )
    assert "The tables are printed." in page.document.text
    assert page.key.startswith("push ")


def test_json_says_what_a_document_may_not():
    value = {"title": "Tide tables", "text": "The tables are printed.", "url": "https://t.example/tide?utm_source=x",
             "language": "en", "published_at": "2026-11-23T10:00:00+01:00"}  # fmt: skip
    seen = read_push("door", "application/json", json.dumps(value).encode(), None)
    assert seen.key == "push https://t.example/tide?utm_source=x"
    assert (seen.document.title, seen.document.declared_language) == ("Tide tables", "en")
    assert seen.published_at == datetime(2026, 11, 23, 9, tzinfo=UTC)
    html = {"title": "Tide <tables>", "html": "<p>They are <b>printed</b>.</p><script>alert(1)</script>"}
    shown = read_push("door", "application/json", json.dumps(html).encode(), "m").document.text
    assert "Tide <tables>" in shown
    assert "alert" not in shown


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not readable JSON"),
        (b"[]", "one JSON object"),
        (b"{}", "neither text nor html"),
        (b'{"text": "   "}', "neither text nor html"),
        (b'{"text": 3}', "'text' is not text"),
        (b'{"text": "a", "titel": "b"}', "no field 'titel'"),
        (b'{"text": "a", "url": "javascript:alert(1)"}', "not an http address"),
        (b'{"text": "a", "published_at": "soon"}', "not a time"),
        (b"[" * 100_000, "not readable JSON"),
        (b"\xff\xfe\x00", "not readable JSON"),
    ],
)
def test_json_that_is_no_document_is_told_in_a_sentence(body, words):
    with pytest.raises(DocumentError, match=words):
        read_push("door", "application/json", body, None)


def test_what_cannot_be_read_is_told_in_a_sentence():
    with pytest.raises(DocumentError, match="is image/png: send JSON"):
        read_push("door", "image/png", b"\x89PNG", None)
    with pytest.raises(DocumentError, match="is empty"):
        read_push("door", "text/plain", b"", None)
