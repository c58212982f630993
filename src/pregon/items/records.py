"""An item as plain JSON values, and back: the shape of `pregon read --json` and of what storage keeps.

The document's text is not in it: it is stored once, beside the item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from pregon.types import (
    Block,
    Call,
    Deadline,
    Event,
    Item,
    Kind,
    Link,
    Practice,
    Question,
    Section,
    Study,
    Video,
)


def item_to_json(item: Item) -> dict[str, Any]:
    """The item as JSON values: dates in ISO 8601, spans as [start, end]. Without `text`."""
    return {each.name: _plain(getattr(item, each.name)) for each in fields(item) if each.name != "text"}


def item_from_json(value: Mapping[str, Any], text: str) -> Item:
    """The item that `item_to_json` wrote, with the document's `text` put back. Unknown keys are left aside."""
    known = {each.name for each in fields(Item)}
    plain = {key: part for key, part in value.items() if key in known}
    lists = ("contacts", "handles")
    return Item(
        **{
            **plain,
            **{key: tuple(value.get(key, ())) for key in lists},
            "text": text,
            "kind": Kind(value["kind"]),
            "date": _day(value.get("date")),
            "sections": tuple(_section(one) for one in value.get("sections", ())),
            "calls": tuple(
                Call(**{**_spanned(one), "deadline": _day(one["deadline"])}) for one in value.get("calls", ())
            ),
            "events": tuple(Event(**_spanned(one)) for one in value.get("events", ())),
            "deadlines": tuple(
                Deadline(**{**_spanned(one), "date": _day(one["date"])}) for one in value.get("deadlines", ())
            ),
            "links": tuple(Link(**_spanned(one)) for one in value.get("links", ())),
            "videos": tuple(Video(**_spanned(one)) for one in value.get("videos", ())),
            "questions": tuple(Question(**_spanned(one)) for one in value.get("questions", ())),
            "practice": Practice(**value["practice"]) if value.get("practice") else None,
            "study": _study(value["study"]) if value.get("study") else None,
            "alternates": tuple((code, address) for code, address in value.get("alternates", ())),
            "spans": {key: (span[0], span[1]) for key, span in value.get("spans", {}).items()},
        }
    )


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _spanned(value: Mapping[str, Any]) -> dict[str, Any]:
    return {**value, "span": (value["span"][0], value["span"][1])}


def _section(value: Mapping[str, Any]) -> Section:
    return Section(value["heading"], tuple(Block(**_spanned(block)) for block in value["blocks"]))


def _study(value: Mapping[str, Any]) -> Study:
    downloads = tuple((language, address) for language, address in value["downloads"])
    return Study(**{**value, "languages": tuple(value["languages"]), "downloads": downloads})


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
