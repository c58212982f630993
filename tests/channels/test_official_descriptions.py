"""Every request that leaves, and the events that come, against the providers' official OpenAPI descriptions.

Google's stands in `test_requests`, since it comes with its client; Mastodon, Bluesky and Discourse have rules there only.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from urllib.parse import parse_qsl

import jsonschema
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest

from pregon.sandbox import Sandbox

from .builders import newsletter, sendgrid_channel
from .exercise import Recorded, recorded_requests

CONTRACTS = Path(__file__).resolve().parents[3] / "shared" / "contracts"
pytestmark = [
    pytest.mark.seeds,
    pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the official descriptions are not beside the checkout"),
    pytest.mark.filterwarnings("ignore:Unsupported scheme type"),
]
SENDGRID = {
    "/v3/mail/": "tsg_mail_v3",
    "/v3/user/scheduled_sends": "tsg_scheduled_sends_v3",
    "/v3/logs": "tsg_logs_v3",
    "/v3/asm/": "tsg_suppressions_v3",
    "/v3/suppression/": "tsg_suppressions_v3",
    "/v3/recipients/": "tsg_recipients_data_erasure_v3",
}


@functools.lru_cache(maxsize=8)
def describe(name: str) -> OpenAPI:
    config = Config(spec_validator_cls=None)  # type: ignore[arg-type]
    return OpenAPI.from_file_path(str(CONTRACTS / f"{name}.json"), config=config)


def validate(description: str, host: str, request: Recorded) -> None:
    headers = request.headers | {"Authorization": "Bearer x"}
    args = dict(parse_qsl(request.query))
    body = request.body or None
    describe(description).validate_request(
        MockRequest(
            host, request.method.lower(), request.path, args=args, data=body, headers=headers,
            content_type=request.headers.get("content-type", ""),
        )
    )  # fmt: skip


def requests_to(provider: str) -> list[Recorded]:
    # Tokens are asked for by the rules of OAuth 2, which the descriptions do not repeat.
    return [each for each in recorded_requests() if each.provider == provider and not each.path.endswith("/token")]


def test_everything_that_sendgrid_is_asked_is_valid() -> None:
    asked = requests_to("sendgrid")
    assert {next(name for path, name in SENDGRID.items() if each.path.startswith(path)) for each in asked} == set(
        SENDGRID.values()
    )
    for each in asked:
        name = next(name for path, name in SENDGRID.items() if each.path.startswith(path))
        validate(f"sendgrid/{name}", "https://api.sendgrid.com", each)


@pytest.mark.parametrize("version", ["2.166", "2.167"])
def test_everything_that_x_is_asked_is_valid(version: str) -> None:
    asked = requests_to("x")
    assert len({(each.method, each.path.rstrip("0123456789")) for each in asked}) >= 10
    for each in asked:
        validate(f"x/x_openapi_{version}", "https://api.x.com", each)


def test_a_request_that_is_not_described_is_found() -> None:
    mail = next(each for each in requests_to("sendgrid") if each.path == "/v3/mail/send")
    wrong = json.dumps(mail.json | {"personalizations": "none"}).encode()
    with pytest.raises(Exception, match="body"):
        validate("sendgrid/tsg_mail_v3", "https://api.sendgrid.com", _with_body(mail, wrong))
    post = next(each for each in requests_to("x") if each.path == "/2/tweets" and each.method == "POST")
    with pytest.raises(Exception, match="body"):
        validate("x/x_openapi_2.166", "https://api.x.com", _with_body(post, b'{"txt": "x"}'))


def _with_body(request: Recorded, body: bytes) -> Recorded:
    return Recorded(request.provider, request.method, request.path, request.query, request.headers, body)


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
