"""The translators' clients over real HTTP: what they ask, and one clear sentence for whatever goes wrong."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pregon.errors import TranslationError
from pregon.translators import DeepL, LibreTranslate


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
        status, answer = self.server.answer(json.loads(body))
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_deepl_is_asked_in_batches_and_answers_in_order(server):
    server.answer = lambda body: (200, {"translations": [{"text": text.upper()} for text in body["text"]]})
    texts = [f"texte {number}" for number in range(120)]
    assert DeepL("key", address=server.address).translate(texts, "fr", "en") == tuple(t.upper() for t in texts)
    assert [len(body["text"]) for _, _, body in server.asked] == [50, 50, 20]
    path, headers, body = server.asked[0]
    assert path == "/v2/translate"
    assert headers["authorization" if "authorization" in headers else "Authorization"] == "DeepL-Auth-Key key"
    assert (body["source_lang"], body["target_lang"]) == ("FR", "EN-GB")


def test_libretranslate_needs_no_key(server):
    server.answer = lambda body: (200, {"translatedText": [text[::-1] for text in body["q"]]})
    assert LibreTranslate(server.address).translate(["abc", "de"], "fr", "es") == ("cba", "ed")
    assert server.asked[0][2] == {"q": ["abc", "de"], "source": "fr", "target": "es", "format": "text"}
    assert LibreTranslate(server.address).translate([], "fr", "es") == ()


@pytest.mark.parametrize(
    ("status", "answer", "sentence"),
    [
        (403, {}, "check PREGON_TRANSLATION_KEY"),
        (456, {}, "its limit is reached"),
        (500, {}, "answered 500"),
        (302, {}, "answered 302"),
        (200, b"<html>", "no JSON"),
        (200, {"translations": [{"text": "one"}]}, "one text for each"),
        (200, {"translations": "none"}, "one text for each"),
        (200, [], "one text for each"),
    ],
)
def test_what_goes_wrong_is_one_sentence(server, status, answer, sentence):
    server.answer = lambda body: (status, answer)
    with pytest.raises(TranslationError, match=sentence):
        DeepL("key", address=server.address).translate(["un", "deux"], "fr", "en")


def test_a_translator_that_cannot_be_reached(server):
    with pytest.raises(TranslationError, match="cannot be reached"):
        LibreTranslate("http://127.0.0.1:9", timeout=1).translate(["un"], "fr", "en")
