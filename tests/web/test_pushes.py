"""What others push to the desk: documents to their drafts, hubs' questions and notifications."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.web.builders import ORIGIN, SAMPLE, Place, make_settings, open_place

from pregon.settings import SourceConfig
from pregon.types import SourceKind, Subscription, SubscriptionState
from pregon.web.app import build_app

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
LETTER = (SAMPLE / "inbox" / "circular-12-2026.en.md").read_bytes().replace(b"Circular 12", b"Circular 17")
BEARER = {"Authorization": f"Bearer {SECRET}", "Content-Type": "text/markdown"}


@pytest.fixture
def place(tmp_path: Path, prepared_home: Path) -> Iterator[Place]:
    settings = make_settings(tmp_path, prepared=prepared_home)
    door = SourceConfig(id="door", kind=SourceKind.WEBHOOK)
    shut = SourceConfig(id="shut", kind=SourceKind.WEBHOOK, active=False)
    sources = (*settings.sources, door, shut)
    with open_place(settings.model_copy(update={"sources": sources, "source_secrets": {"door": SECRET}})) as opened:
        yield opened


def client(place: Place, *, engine: bool = False) -> TestClient:
    app = build_app(place.pipeline, hint=place.hint if engine else None)
    return TestClient(app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False)


def signed(body: bytes, identity: str = "msg_1", **more: str) -> dict[str, str]:
    stamp = str(int(time.time()))
    digest = hmac.new(KEY, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    names = {"webhook-id": identity, "webhook-timestamp": stamp, "webhook-signature": signature}
    return {"Content-Type": "text/markdown", **names, **more}


def titles(place: Place) -> list[str]:
    return [row.campaign.title for row in place.pipeline.reviewing.list_campaigns()]


def test_a_pushed_document_becomes_drafts(place: Place) -> None:
    before = len(titles(place))
    answer = client(place).post("/sources/door", content=LETTER, headers=signed(LETTER))
    assert (answer.status_code, answer.json()["state"]) == (202, "new")
    item = place.pipeline.store.read_item(answer.json()["item"]).item
    assert item.number == 17
    rows = place.pipeline.reviewing.list_campaigns()
    assert len(rows) == before + 1
    (row,) = [row for row in rows if row.campaign.item_id == answer.json()["item"]]
    assert {draft.channel.value for draft in row.drafts} >= {"email", "x"}


def test_a_push_sent_again_is_the_same_and_an_edit_is_a_new_version(place: Place) -> None:
    http = client(place)
    first = http.post("/sources/door", content=LETTER, headers=signed(LETTER))
    again = http.post("/sources/door", content=LETTER, headers=signed(LETTER))
    assert again.json() == first.json() | {"state": "known"}
    other_id = http.post("/sources/door", content=LETTER, headers=signed(LETTER, "msg_2"))
    assert other_id.json() == first.json() | {"state": "known"}
    edited = LETTER.replace(b"Eleven towns of the network", b"Twelve towns of the network")
    changed = http.post("/sources/door", content=edited, headers=signed(edited, "msg_3"))
    assert changed.json() == first.json() | {"state": "changed"}
    # The id of a message that was taken before: whatever it carries now, it is the same message.
    assert http.post("/sources/door", content=LETTER, headers=signed(LETTER, "msg_3")).json()["state"] == "known"


def test_what_is_pushed_and_dropped_is_one_item(place: Place) -> None:
    (place.pipeline.settings.home / "inbox" / "same.md").write_bytes(LETTER)
    place.pipeline.watching.watch(force=True)
    assert client(place).post("/sources/door", content=LETTER, headers=BEARER).json()["state"] == "known"


def test_the_engine_is_told_of_what_was_pushed_and_not_of_what_is_known(place: Place) -> None:
    http = client(place, engine=True)
    for _ in range(2):
        answer = http.post("/sources/door", content=LETTER, headers=BEARER)
    assert place.hints == [("pregon.item.stored", f"pregon.item.{answer.json()['item']}")]


# Signed when the test runs, since a signature holds for five minutes.
@pytest.mark.parametrize(
    ("path", "headers", "status", "words"),
    [
        ("/sources/door", dict, 401, "not signed"),
        ("/sources/door", lambda: {"Authorization": "Bearer guess"}, 401, "not this source's"),
        ("/sources/door", lambda: signed(b"other"), 401, "does not hold"),
        ("/sources/door", lambda: signed(LETTER) | {"webhook-timestamp": "1"}, 401, "five minutes"),
        ("/sources/none", lambda: BEARER, 404, "no such source"),
        ("/sources/shut", lambda: BEARER, 404, "no such source"),
        ("/sources/inbox", lambda: BEARER, 404, "no such source"),
        ("/sources/door", lambda: BEARER | {"Content-Type": "image/png"}, 422, "send JSON"),
        ("/sources/door", lambda: BEARER | {"Content-Type": "application/json"}, 422, "not readable JSON"),
    ],
)
def test_a_push_that_is_not_taken_is_told_in_one_sentence(place: Place, path, headers, status, words) -> None:
    before = titles(place)
    answer = client(place).post(path, content=LETTER, headers=headers())
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert SECRET not in answer.text
    assert titles(place) == before


def test_twenty_megabytes_are_the_limit(place: Place) -> None:
    answer = client(place).post("/sources/door", content=b"word " * 4_500_000, headers=BEARER)
    assert (answer.status_code, "larger than 20 MB" in answer.json()["error"]) == (413, True)


def test_an_unreadable_push_shows_on_the_desk(place: Place, browse) -> None:
    body = json.dumps({"title": "Tide"}).encode()
    client(place).post("/sources/door", content=body, headers=BEARER | {"Content-Type": "application/json"})
    page = browse("viewer").get("/sources")
    assert "There is neither text nor html" in page
    assert f"{ORIGIN}/sources/door" in page
    assert "when something is pushed" in page


def test_a_hub_asks_and_tells(place: Place) -> None:
    pipeline = place.pipeline
    now = pipeline.subscribing._clock()
    asked = Subscription("t" * 43, "inbox", "https://hub.example/", "https://t.example/f", SubscriptionState.ASKED, now)
    pipeline.store.save_subscription(asked)
    http = client(place, engine=True)
    query = {"hub.mode": "subscribe", "hub.topic": asked.topic, "hub.challenge": "<b>c", "hub.lease_seconds": "864000"}
    assert http.get("/websub/guess", params=query).status_code == 404
    confirmed = http.get(f"/websub/{asked.token}", params=query)
    assert (confirmed.status_code, confirmed.text) == (200, "<b>c")
    assert confirmed.headers["content-type"].startswith("text/plain")
    secret = pipeline.subscribing._secret(asked.token)
    body = b"<feed/>"
    good = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    told = http.post(f"/websub/{asked.token}", content=body, headers={"X-Hub-Signature": good})
    forged = http.post(f"/websub/{asked.token}", content=body + b" ", headers={"X-Hub-Signature": good})
    assert (told.status_code, forged.status_code) == (202, 202)
    assert place.hints == [("pregon.source.hinted", "pregon.source.inbox")]
    assert http.post("/websub/guess", content=body, headers={"X-Hub-Signature": good}).status_code == 410
    assert http.post(f"/websub/{asked.token}", content=b" " * 11_000_000).status_code == 413
