"""The bodies that leave, and the events that come, against the providers' official OpenAPI descriptions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest

from pregon.channels.sendgrid.payload import build_payload
from pregon.channels.x.payload import build_alt_text, build_segments, build_start, build_upload
from pregon.sandbox import Sandbox
from pregon.sandbox.sendgrid_rules import find_problems
from pregon.types import Media

from .builders import CALENDAR, mail_content, newsletter, sendgrid_channel, thread, x_channel

CONTRACTS = Path(__file__).resolve().parents[3] / "shared" / "contracts"
pytestmark = [
    pytest.mark.seeds,
    pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the official descriptions are not beside the checkout"),
]


def validate(description: str, host: str, path: str, body: Any) -> None:
    config = Config(spec_validator_cls=None)  # type: ignore[arg-type]
    api = OpenAPI.from_file_path(str(CONTRACTS / description), config=config)
    request = MockRequest(
        host, "post", path, data=json.dumps(body).encode(), headers={"Authorization": "Bearer x"},
    )  # fmt: skip
    api.validate_request(request)


def test_the_mail_is_valid() -> None:
    payload = build_payload(newsletter("ada@portamar.example", "ben@brackwater.example", track_opens=True))
    validate("sendgrid/tsg_mail_v3.json", "https://api.sendgrid.com", "/v3/mail/send", payload)
    assert find_problems(payload) == []


def test_the_mail_with_a_calendar_is_valid() -> None:
    payload = build_payload(replace(newsletter(), content=mail_content(CALENDAR)))
    assert payload["attachments"]
    validate("sendgrid/tsg_mail_v3.json", "https://api.sendgrid.com", "/v3/mail/send", payload)
    assert find_problems(payload) == []


def test_a_mail_without_recipients_is_not_valid() -> None:
    payload = build_payload(newsletter()) | {"personalizations": "none"}
    with pytest.raises(Exception, match="body"):
        validate("sendgrid/tsg_mail_v3.json", "https://api.sendgrid.com", "/v3/mail/send", payload)


@pytest.mark.parametrize("version", ["2.166", "2.167"])
def test_what_tweepy_posts_is_valid(sandbox: Sandbox, version: str) -> None:
    channel, bodies = x_channel(sandbox), []
    session = channel._client.session
    session.hooks["response"].append(lambda answer, **_: bodies.append(answer.request.body))
    first = channel.send(thread("One", "Two"))[0].provider_id
    channel.send(thread("One", "Two", position=1, reply_to_id=first))
    assert len(bodies) == 2
    for body in bodies:
        validate(f"x/x_openapi_{version}.json", "https://api.x.com", "/2/tweets", json.loads(body))


def test_uploads_are_valid() -> None:
    picture = Media("a.png", "image/png", b"x", "A quay")
    description, host = "x/x_openapi_2.166.json", "https://api.x.com"
    for kind in ("image/png", "image/jpeg", "image/webp"):
        validate(description, host, "/2/media/upload", build_upload(Media("a", kind, b"x", "A quay")))
    validate(description, host, "/2/media/metadata", build_alt_text("1146654567674912769", picture))
    gif = Media("a.gif", "image/gif", b"x", "A quay")
    validate(description, host, "/2/media/upload/initialize", build_start(gif))
    for segment in build_segments(gif):
        validate(description, host, "/2/media/upload/1146654567674912769/append", segment)


def test_the_sandbox_sends_events_as_sendgrid_describes_them(sandbox: Sandbox) -> None:
    fates = ("bounce", "block", "click", "machine", "scanner", "complain")
    addresses = [f"ada+{fate}@portamar.example" for fate in fates]
    sendgrid_channel(sandbox).send(newsletter(*addresses, track_opens=True, track_clicks=True))
    sandbox.react()
    schemas = json.loads((CONTRACTS / "sendgrid/tsg_logs_v3.json").read_text())
    entries = [event["entry"] for event in sandbox.read("events")]
    assert {entry["event"] for entry in entries} == {"processed", "delivered", "bounce", "open", "click", "spamreport"}
    for entry in entries:
        name = {"spamreport": "SpamReportEvent"}.get(entry["event"], f"{entry['event'].title()}Event")
        reference = {"$ref": f"#/components/schemas/{name}", "components": schemas["components"]}
        jsonschema.Draft202012Validator(reference).validate(entry)
