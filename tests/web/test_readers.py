"""What readers and providers reach without an account: unsubscribing, the mail in a browser, the webhooks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from sqlalchemy import text
from tests.web.builders import ORIGIN, Browser, Place

from pregon.channels.sendgrid.payload import DELIVERY_ARGUMENT
from pregon.deliveries import sign_delivery
from pregon.sandbox.reactions import WebhookKey
from pregon.sandbox.state import State
from pregon.types import ChannelName, ContactState, Delivery, DeliveryState

Browse = Callable[[str], Browser]


def mailed(place: Place, kind: str = "circular", language: str = "fr") -> tuple[Delivery, str]:
    """A sent mail and the token of its links."""
    sent = place.send(place.campaign(kind, language))
    row = next(each for each in sent if each.channel is ChannelName.EMAIL)
    key = (place.pipeline.settings.home / "secret.key").read_bytes()
    return row, sign_delivery(row.id, key)


def test_looking_changes_nothing_and_the_button_acts_once(place: Place, browse: Browse) -> None:
    row, token = mailed(place)
    reader, path = browse(""), f"/unsubscribe/{token}"
    for method in ("GET", "HEAD"):
        answer = reader.http.request(method, path)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert "Ne plus recevoir" in reader.get(path)
    assert place.pipeline.store.read_contact(row.contact_id).state is ContactState.SUBSCRIBED
    one_click = {"List-Unsubscribe": "One-Click"}
    for sent in (
        {"data": one_click},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b"\xff\x00"},
        {},
    ):
        answer = reader.http.post(path, headers={"Origin": "null"}, **sent)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert "ne vous enverra plus" in answer.text
    assert place.pipeline.store.read_contact(row.contact_id).state is ContactState.UNSUBSCRIBED
    (figures,) = place.pipeline.measuring.funnels(place.campaign())
    assert figures.total(ChannelName.EMAIL).unsubscribed == 1


@pytest.mark.parametrize("token", ["x", "a.b", "é.ü", "0" * 32 + "." + "0" * 22, "x" * 3000])
def test_a_wrong_link_says_so(browse: Browse, token: str) -> None:
    reader = browse("")
    for method, path in (("GET", "unsubscribe"), ("HEAD", "unsubscribe"), ("POST", "unsubscribe"), ("GET", "mail")):
        answer = reader.http.request(method, f"/{path}/{token}")
        assert answer.status_code == 404
        assert method == "HEAD" or "use the whole link" in answer.text


def test_a_link_of_a_mail_that_a_restore_does_not_know_leads_to_a_person(place: Place, browse: Browse) -> None:
    token = sign_delivery("f" * 32, place.pipeline.measuring._key)
    sender = place.pipeline.settings.network.sender
    for method in ("GET", "POST"):
        answer = browse("").http.request(method, f"/unsubscribe/{token}")
        assert answer.status_code == 404, "nobody was taken off, so nothing says that somebody was"
        assert f"Write to {sender.reply_to or sender.address}, and you get no more." in answer.text


def test_the_link_in_the_mail_is_the_link_that_works(place: Place, browse: Browse) -> None:
    place.send(place.campaign())
    message = json.dumps(place.sandbox.read("mails"))
    links = re.findall(rf"{ORIGIN}(/(?:mail|unsubscribe)/[0-9a-f]+\.[0-9a-f]+)", message)
    assert len(set(links)) == 96
    mail = next(link for link in links if link.startswith("/mail/"))
    answer = browse("").http.get(mail)
    assert answer.status_code == 200
    assert "guide des quais" in answer.text
    assert mail.replace("/mail/", "/unsubscribe/") in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["referrer-policy"] == "no-referrer"


def signed(place: Place, body: bytes) -> dict[str, str]:
    state = State(place.pipeline.settings.home / "sandbox.db")
    try:
        return WebhookKey(state).sign(body, "1795000000")
    finally:
        state.close()


def test_webhooks(place: Place, browse: Browse) -> None:
    row, _ = mailed(place)
    event = {"event": "delivered", "timestamp": 1795000000, "sg_event_id": "one", "email": row.address}
    body = json.dumps([event | {DELIVERY_ARGUMENT: row.id}]).encode()
    http, path = browse("").http, "/webhooks/sendgrid"
    headers = signed(place, body)
    assert http.post(path, content=body, headers=headers).status_code == 204
    assert http.post(path, content=body, headers=headers).status_code == 204
    assert http.post(path, content=body + b" ", headers=headers).status_code == 403
    assert http.post(path, content=body).status_code == 403
    assert http.post("/webhooks/nobody", content=body, headers=headers).status_code == 404
    assert http.post(path, content=b"x" * (10 * 1024 * 1024 + 1), headers=headers).status_code == 413
    assert http.get(path).status_code == 405
    (figures,) = place.pipeline.measuring.funnels(place.campaign())
    assert figures.total(ChannelName.EMAIL).delivered == 1


def test_what_we_could_not_keep_is_sent_again(place: Place, browse: Browse) -> None:
    with place.pipeline.store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE events RENAME TO elsewhere"))
    body = json.dumps([{"event": "delivered", "timestamp": 1795000000, "sg_event_id": "two"}]).encode()
    answer = browse("").http.post("/webhooks/sendgrid", content=body, headers=signed(place, body))
    assert answer.status_code == 500
    assert "Traceback" not in answer.text


def test_after_unsubscribing_nothing_more_is_sent(place: Place, browse: Browse) -> None:
    row, token = mailed(place)
    browse("").post(f"/unsubscribe/{token}", 200)
    place.send(place.campaign("practice", "en"))
    rows = place.pipeline.reviewing.who(place.campaign("practice", "en"))
    later = next(each for each in rows if each.address == row.address)
    assert later.state is DeliveryState.SUPPRESSED
    assert "unsubscribed" in (later.reason or "")
