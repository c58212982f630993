"""What an officer answers to a question, read as strictly as a source: an address, a day, or `-` for none.

Answers to other questions are free text. Nothing is guessed: what cannot be read is refused with how to write it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from pregon.errors import DecisionError
from pregon.items.dates import WEEKDAYS, find_dates
from pregon.items.links import judge_address, normalise_address, split_address
from pregon.items.texts import fold
from pregon.types import Call, Item, Span

NONE = "-"
_MAILTO = re.compile(r"mailto:[^\s@]+@[^\s@]+\.[^\s@]+", re.IGNORECASE)
_BESIDE_A_DAY = {"the", "on", "le", "el", *WEEKDAYS}


def read_answer(question: str, text: str, today: date) -> str:
    """The answer to a question (its id) as it is kept. Raises `DecisionError` with how to write it.

    An address is kept whole, a deadline as YYYY-MM-DD; either may be `-`.
    """
    text = text.strip()
    if text == NONE:
        return text
    if question == "link.placeholder":
        return _read_address(text)
    if question == "deadline.missing":
        return _read_deadline(text, today).isoformat()
    return text


def answer_item(item: Item, answers: Mapping[Span, str]) -> Item:
    """The item with the deadlines that an officer gave, by the span of the question; what the source states stays."""
    calls = tuple(_answer_call(call, answers.get(call.span, "")) for call in item.calls)
    return item if calls == item.calls else replace(item, calls=calls)


def _answer_call(call: Call, answer: str) -> Call:
    if call.deadline is not None or not re.fullmatch(r"\d{4}-\d\d-\d\d", answer):
        return call
    return replace(call, deadline=date.fromisoformat(answer))


def _read_address(text: str) -> str:
    address = normalise_address(text)
    if _MAILTO.fullmatch(address):
        return address
    parts = split_address(address)
    whole = parts is not None and parts.scheme in ("http", "https") and "." in (parts.hostname or "").strip(".")
    if not whole or re.search(r"\s", address) or judge_address(address, {}) == "placeholder":
        raise DecisionError(
            f"“{text}” is no address: write it whole, as https://city.example/page or mailto:name@city.example, or “-” "
            "to leave the link as plain text."
        )
    return address


def _read_deadline(text: str, today: date) -> date:
    found = find_dates(text)
    day = found[0].resolve() if len(found) == 1 and not found[0].last else None
    beside = fold(text[: found[0].span[0]] + " " + text[found[0].span[1] :]) if day else ""
    if day is None or found[0].contradicts_weekday() or not set(re.findall(r"\w+", beside)) <= _BESIDE_A_DAY:
        raise DecisionError(
            f"“{text}” is no day that can be told for certain: write it with its year, as 2027-01-31 or 31 January "
            "2027, or “-” when there is no deadline."
        )
    if day < today:
        raise DecisionError(f"{day.isoformat()} has passed: write a day to come, or “-” when there is no deadline.")
    return day
