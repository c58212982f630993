from __future__ import annotations

import copy
from typing import Any

import pytest

from pregon.sandbox.sendgrid_rules import find_problems

ATTACHMENT = {"content": "QUJD", "type": "text/calendar", "filename": "event.ics", "disposition": "attachment"}
GOOD: dict[str, Any] = {
    "personalizations": [{"to": [{"email": "a@b.example"}], "custom_args": {"id": "1"}}],
    "from": {"email": "news@b.example", "name": "Réseau"},
    "subject": "S",
    "content": [{"type": "text/plain", "value": "t"}, {"type": "text/html", "value": "h"}],
}


def test_a_good_request_has_no_problem() -> None:
    assert find_problems(GOOD) == []


def test_an_attachment_with_its_type_or_without_is_good() -> None:
    bare = {"content": "QUJD", "filename": "event.ics"}
    assert find_problems(GOOD | {"attachments": [ATTACHMENT, bare]}) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": []}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "A@b.example"}]}] * 2}, "personalizations.1.to.0.email"),
        ({"personalizations": [{"to": [{"email": "no address"}]}]}, "personalizations.0.to.0.email"),
        ({"personalizations": [{"to": [{"email": "a@b.example", "name": "A, B"}]}]}, "personalizations.0.to.0.name"),
        ({"personalizations": [{"to": [{"email": "a@b.example"}], "colour": 1}]}, "personalizations.0.colour"),
        (
            {"personalizations": [{"to": [{"email": "a@b.example"}], "custom_args": {"n": 1}}]},
            "personalizations.0.custom_args",
        ),
        (
            {"personalizations": [{"to": [{"email": "a@b.example"}], "substitutions": {"-x-": "x" * 10_001}}]},
            "personalizations.0.substitutions",
        ),
        (
            {"personalizations": [{"to": [{"email": "a@b.example"}], "headers": {"Subject": "x"}}]},
            "personalizations.0.headers.Subject",
        ),
        ({"from": {"name": "x"}}, "from.email"),
        ({"from": {"email": "réseau@b.example"}}, "from.email"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": list(reversed(GOOD["content"]))}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0"),
        ({"categories": ["a", "a"]}, "categories"),
        ({"categories": ["x" * 256]}, "categories"),
        ({"tracking_settings": {"open_tracking": {"enable": "no"}}}, "tracking_settings.open_tracking.enable"),
        ({"reply_to": {"email": "a@b.example"}, "reply_to_list": []}, "reply_to"),
        ({"colour": "blue"}, "colour"),
        ({"attachments": ATTACHMENT}, "attachments"),
        ({"attachments": [ATTACHMENT | {"content": ""}]}, "attachments.0.content"),
        ({"attachments": [ATTACHMENT | {"content": "BEGIN:VCALENDAR"}]}, "attachments.0.content"),
        ({"attachments": [ATTACHMENT | {"content": "QUJ\u00e9"}]}, "attachments.0.content"),
        ({"attachments": [ATTACHMENT, ATTACHMENT | {"filename": ""}]}, "attachments.1.filename"),
        ({"attachments": [ATTACHMENT | {"type": "text/calendar; charset=utf-8"}]}, "attachments.0.type"),
        ({"attachments": [ATTACHMENT | {"disposition": "below"}]}, "attachments.0.disposition"),
        ({"attachments": [ATTACHMENT | {"size": 3}]}, "attachments.0.size"),
    ],
)
def test_each_published_rule_is_held(change: dict[str, Any], field: str) -> None:
    assert field in [place for _, place in find_problems(copy.deepcopy(GOOD) | change)]


def test_more_than_a_thousand_recipients_are_refused() -> None:
    people = [{"to": [{"email": f"p{number}@b.example"}]} for number in range(1001)]
    assert [place for _, place in find_problems(GOOD | {"personalizations": people})] == ["personalizations"]


@pytest.mark.parametrize("body", [None, [], "text", 1])
def test_what_is_no_object_is_a_bad_request(body: Any) -> None:
    assert find_problems(body) == [("Bad Request", "")]
