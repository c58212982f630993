from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from pregon.channels.sendgrid import parse_events, verify_signature
from pregon.errors import SignatureError
from pregon.types import EventType

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


def sign(body: bytes, timestamp: str) -> str:
    return base64.b64encode(KEY.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()


def parse_one(**fields: Any) -> Any:
    entry = {"email": "ada@portamar.example", "timestamp": 1795000000, "sg_event_id": "e1", **fields}
    events = parse_events(json.dumps([entry]).encode())
    return events[0] if events else None


def test_a_good_signature_passes_and_any_change_fails() -> None:
    body, timestamp = '[{"é": 1}]'.encode(), "1795000000"
    signature = sign(body, timestamp)
    verify_signature(PUBLIC, body, signature, timestamp)
    for wrong in ((body + b" ", signature, timestamp), (body, signature, "1795000001"), (body, sign(b"x", "1"), "1")):
        with pytest.raises(SignatureError):
            verify_signature(PUBLIC, *wrong)


@pytest.mark.parametrize("signature", ["", "not base64!", "é", "AAAA"])
def test_an_unreadable_signature_is_a_signature_error(signature: str) -> None:
    with pytest.raises(SignatureError):
        verify_signature(PUBLIC, b"[]", signature, "1")


@pytest.mark.parametrize("key", ["", "%%%", "AAAA"])
def test_an_unreadable_key_is_a_signature_error(key: str) -> None:
    with pytest.raises(SignatureError):
        verify_signature(key, b"[]", sign(b"[]", "1"), "1")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("processed", EventType.PROCESSED),
        ("delivered", EventType.DELIVERED),
        ("deferred", EventType.DEFERRED),
        ("bounce", EventType.BOUNCED),
        ("dropped", EventType.DROPPED),
        ("open", EventType.OPENED),
        ("click", EventType.CLICKED),
        ("spamreport", EventType.COMPLAINED),
        ("unsubscribe", EventType.UNSUBSCRIBED),
        ("group_unsubscribe", EventType.UNSUBSCRIBED),
    ],
)
def test_every_event_type_is_read(name: str, expected: EventType) -> None:
    event = parse_one(event=name, pregon_delivery_id="mail-7", sg_message_id="abc.recvd-1")
    assert (event.type, event.delivery_id, event.key, event.provider_id) == (expected, "mail-7", "e1", "abc")


def test_unknown_events_and_broken_entries_spoil_nothing() -> None:
    good = {"event": "open", "timestamp": 1795000000, "email": "a@b.example", "sg_machine_open": True}
    batch = [{"event": "group_resubscribe"}, {"event": "account_status_change", "timestamp": 1}, "text", None, good,
             {"event": "click", "timestamp": "soon"}]  # fmt: skip
    events = parse_events(json.dumps(batch).encode())
    assert [(event.type, event.machine_open) for event in events] == [(EventType.OPENED, True)]


def test_bounces_are_permanent_and_blocks_are_not() -> None:
    assert parse_one(event="bounce", type="bounce").permanent
    assert parse_one(event="bounce").permanent
    assert not parse_one(event="bounce", type="blocked").permanent
    assert parse_one(event="dropped", reason="Bounced Address").permanent
    assert not parse_one(event="dropped", reason="Spam Content").permanent
    said = (
        "Bounced Address",
        "Invalid SMTPAPI header",
        "Spam Reporting Address",
        "Unsubscribed Address",
        "Spam Content",
        "",
    )
    kept_out = [parse_one(event="dropped", reason=reason).kept_out for reason in said]
    assert kept_out == ["bounced", None, "complained", "unsubscribed", None, None]
    assert parse_one(event="dropped", reason="Invalid").kept_out == "bounced"
    assert parse_one(event="deferred", reason="Bounced Address").kept_out is None


def test_without_an_event_id_the_same_event_has_the_same_key() -> None:
    first = parse_one(event="click", sg_event_id=None, url="https://a.example", ip="192.0.2.1")
    again = parse_one(event="click", sg_event_id=None, url="https://a.example", ip="192.0.2.2")
    other = parse_one(event="click", sg_event_id=None, url="https://b.example")
    assert first.key == again.key != other.key


def test_a_body_that_is_no_batch_is_refused() -> None:
    for body in (b"{}", b"", b"\xff\xfe", b"nonsense"):
        with pytest.raises(ValueError):  # noqa: PT011 - JSON and encoding errors are both ValueErrors
            parse_events(body)


# Few characters and shapes: what matters is which type stands in which field.
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("aé\x001-", max_size=5)
JSON = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.just("a"), SCALARS, max_size=1)
NAMES = st.sampled_from(["event", "timestamp", "email", "type", "reason", "sg_event_id", "url", "pregon_delivery_id"])


@given(st.lists(st.dictionaries(NAMES, JSON | st.sampled_from(["click", "bounce", "open"]), max_size=6), max_size=3))
def test_no_batch_crashes_the_reading(batch: list[dict[str, Any]]) -> None:
    for event in parse_events(json.dumps(batch).encode()):
        assert event.key
        assert event.at.tzinfo is not None
