"""Which links of a mail the sandbox's readers can click, as SendGrid would count them."""

from __future__ import annotations

from typing import Any

import pytest

from pregon.sandbox.readers import Fate, find_links, plan_reading

UNSUBSCRIBE = "https://desk.example/u/t"


@pytest.mark.parametrize(
    ("tag", "counted"),
    [
        ('<a href="https://a.example/1">', True),
        ('<a href="https://a.example/1?clicktracking=off">', True),
        ('<a clicktracking="on" href="https://a.example/1">', True),
        ('<a clicktracking="off" href="https://a.example/1">', False),
        ("<a href='https://a.example/1' clicktracking=off>", False),
        ('<a class="x"\n clicktracking = OFF href="https://a.example/1">', False),
        ('<a href="mailto:a@b.example">', False),
        (f'<a href="{UNSUBSCRIBE}">', False),
    ],
)
def test_a_link_is_counted_unless_it_says_otherwise(tag: str, counted: bool) -> None:
    assert bool(find_links(f"<p>{tag}x</a></p>", UNSUBSCRIBE)) is counted


@pytest.mark.parametrize("fate", [Fate.CLICK, Fate.SCANNER])
def test_no_reader_clicks_a_link_without_tracking(fate: Fate) -> None:
    mail: dict[str, Any] = {
        "to_email": f"ana+{fate}@b.example",
        "categories": ["2026-circular-1"],
        "headers": {"List-Unsubscribe": f"<{UNSUBSCRIBE}>"},
        "tracking": {"click_tracking": {"enable": True}},
    }
    own = '<a clicktracking="off" href="https://desk.example/v/t">View</a>'
    counted = '<a href="https://a.example/1">One</a>'
    clicked = [fields["url"] for _, fields in plan_reading("s", mail, own + counted).events if "url" in fields]
    assert clicked == ["https://a.example/1"]
    assert not [fields for _, fields in plan_reading("s", mail, own).events if fields["event"] == "click"]
