"""Golden pairs: a document and the facts that a careful reader finds in it, written down by hand.

A list or value that a pair does not name must be empty in the item: what the source does not say is not there.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pregon.items import identify_item, item_from_json, item_to_json, load_document, read_item
from pregon.types import Item

FOLDER = Path(__file__).parent / "golden"
PAIRS = sorted(FOLDER.glob("*.json"))
SCALARS = (
    "kind",
    "language",
    "title",
    "series",
    "number",
    "year",
    "date",
    "place",
    "issuer",
    "on_behalf_of",
    "salutation",
)


def facts(item: Item) -> dict[str, Any]:
    value = {name: getattr(item, name) for name in SCALARS}
    return {
        **value,
        "date": item.date.isoformat() if item.date else None,
        "calls": [[one.contact, one.capacity, one.deadline and one.deadline.isoformat()] for one in item.calls],
        "events": [[one.start, one.end, one.place, one.online] for one in item.events],
        "deadlines": [one.date.isoformat() for one in item.deadlines],
        "contacts": list(item.contacts),
        "handles": list(item.handles),
        "links": [[one.url, one.problem] for one in item.links],
        "videos": [one.video_id for one in item.videos],
        "questions": sorted(one.id for one in item.questions),
    }


def expected_facts(pair: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(SCALARS)
    empty |= {name: [] for name in ("calls", "events", "deadlines", "contacts", "handles", "links", "videos")}
    known = {**empty, **{name: value for name, value in pair.items() if name in empty}}
    return {**known, "questions": sorted(pair.get("questions", []))}


def read_pair(path: Path) -> tuple[dict[str, Any], Item, str]:
    pair = json.loads(path.read_text("utf-8"))
    file = FOLDER / pair["file"]
    document = load_document(file.read_bytes(), name=file.name, origin=pair.get("origin", ""))
    today = date.fromisoformat(pair["today"]) if "today" in pair else None
    item = read_item(document, today=today)
    return pair, item, identify_item(item, document)


def test_there_are_enough_pairs_of_every_kind_language_and_format():
    pairs = [json.loads(path.read_text("utf-8")) for path in PAIRS]
    assert len(pairs) >= 40
    assert {pair["kind"] for pair in pairs} == {"circular", "practice", "study", "meeting", "video", "news"}
    assert {pair["language"] for pair in pairs} >= {"en", "fr", "es"}
    assert {Path(pair["file"]).suffix for pair in pairs} == {".txt", ".md", ".html", ".pdf", ".docx", ".eml"}


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_the_item_has_these_facts_and_no_others(path: Path):
    pair, item, identity = read_pair(path)
    assert facts(item) == expected_facts(pair)
    if "sections" in pair:
        assert [section.heading for section in item.sections] == pair["sections"]
    if "identity" in pair:
        assert identity == pair["identity"]
    for name in ("practice", "study"):
        read = item_to_json(item)[name]
        assert {key: (read or {})[key] for key in pair.get(name, {})} == pair.get(name, {})


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_every_span_lies_in_the_text_and_the_item_survives_json(path: Path):
    _, item, _ = read_pair(path)
    spans = [
        one.span
        for group in (item.calls, item.events, item.deadlines, item.links, item.videos, item.questions)
        for one in group
    ]
    spans += [block.span for section in item.sections for block in section.blocks] + list(item.spans.values())
    assert all(0 <= start < end <= len(item.text) for start, end in spans)
    assert item_from_json(json.loads(json.dumps(item_to_json(item))), item.text) == item


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_numbers_and_contacts_stand_where_their_spans_say(path: Path):
    _, item, _ = read_pair(path)
    if item.number is not None:
        assert item.text[slice(*item.spans["number"])] == str(item.number)
    if item.place is not None:
        assert item.text[slice(*item.spans["place"])] == item.place
    if item.date is not None:
        assert str(item.date.year) in item.text[slice(*item.spans["date"])]
    for call in item.calls:
        assert call.contact is None or call.contact in item.contacts
