"""One row of a file of contacts: what it says of a person, or the sentence that says why it cannot be taken.

Addresses are checked by email-validator, without asking the network; the plain ones, which are nearly all, by a
pattern that takes nothing the library refuses (a test holds the two together) and costs a tenth.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from pregon.pipeline.contact_words import read_answer, read_language, read_lists, read_state
from pregon.types import Consent, ImportedRow

_PLAIN = re.compile(
    r"(?=[^@]{1,64}@)(?=.{6,254}\Z)[a-z0-9_+\-]+(?:\.[a-z0-9_+\-]+)*"
    r"@(?!.*--)(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}\Z"
)
_SPECIAL = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)
_DATES = ("%d/%m/%Y", "%d.%m.%Y", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M", "%d-%m-%Y")
_LONGEST, _LONGEST_LIST, _LONGEST_TEXT = 200, 80, 4000
_ERASED = "hash:"

ReadRow = Callable[[int, list[str]], "ImportedRow | str"]


def mark_address(address: str, key: bytes) -> str:
    """What stands for an address whose person was erased: a keyed hash, which nobody without the key can guess."""
    return _ERASED + hmac.new(key, b"address:" + address.encode(), hashlib.sha256).hexdigest()


def check_address(text: str) -> tuple[str, str]:
    """(the address as it is stored, "") or ("", why it is none). International domains become ASCII."""
    address = text.strip().casefold()
    if _PLAIN.match(address) and not address.endswith(_SPECIAL):
        return address, ""
    try:
        found = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        return "", f"{text.strip()[:100]!r} is not an e-mail address: {str(error).rstrip('.')}"
    return (found.ascii_email or address).casefold(), ""


class RowReader:
    """Rows of one file. `columns`: meaning -> places; `language` and `lists` are for rows that name none."""

    def __init__(
        self,
        columns: dict[str, tuple[int, ...]],
        languages: tuple[str, ...],
        key: bytes,
        *,
        language: str = "",
        lists: tuple[str, ...] = (),
        how: str = "import",
    ) -> None:
        self._places = {name: places[0] for name, places in columns.items() if name != "name"}
        self._names = columns.get("name", ())
        self._languages, self._key = languages, key
        self._language, self._lists, self._how = language, lists, how

    def read(self, line: int, row: list[str]) -> ImportedRow | str:
        """The row, or one sentence."""
        address, problem = check_address(row[self._places["address"]])
        if problem:
            return problem
        said = self._cell(row, "language")
        language = read_language(said, self._languages) if said else self._language
        if not language:
            return f"{address}: the network does not work in {said or 'no language'!r}"
        state_text, at_text = self._cell(row, "state"), self._cell(row, "at")
        state = read_state(state_text) if state_text else None
        opens, clicks = read_answer(self._cell(row, "opens")), read_answer(self._cell(row, "clicks"))
        at = _read_time(at_text) if at_text else None
        for value, text in (
            (state, state_text),
            (opens, self._cell(row, "opens")),
            (clicks, self._cell(row, "clicks")),
        ):
            if value is None and text:
                return f"{address}: {text[:40]!r} says neither yes nor no; write granted, denied or nothing"
        if at is None and at_text:
            return f"{address}: {at_text[:40]!r} is not a date; write it as 2026-11-23"
        name = " ".join(" ".join(row[place].split()) for place in self._names).strip()
        lists = read_lists(self._cell(row, "lists"))
        texts = [name, *(_clean(self._cell(row, key)) for key in ("organisation", "city", "country"))]
        problem = _find_overlong(texts, lists, self._cell(row, "text"))
        if problem:
            return f"{address}: {problem}"
        return ImportedRow(
            line,
            address,
            mark_address(address, self._key),
            texts[0] if texts[0].isprintable() else _clean(texts[0]),
            language,
            state,
            tuple(sorted({*lists, *self._lists})) if self._lists else lists,
            texts[1],
            texts[2],
            texts[3],
            opens or Consent.UNKNOWN,
            clicks or Consent.UNKNOWN,
            at,
            _clean(self._cell(row, "how"))[:_LONGEST] or self._how,
            self._cell(row, "text"),
        )

    def _cell(self, row: list[str], name: str) -> str:
        place = self._places.get(name)
        return "" if place is None else row[place].strip()


def _clean(text: str) -> str:
    """One line of printable characters."""
    if text.isprintable():
        return text
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _find_overlong(texts: list[str], lists: tuple[str, ...], consent: str) -> str:
    if any(len(text) > _LONGEST for text in texts):
        return f"a field has more than {_LONGEST} characters"
    if any(len(name) > _LONGEST_LIST for name in lists):
        return f"a list's name has more than {_LONGEST_LIST} characters"
    return f"the text of the consent has more than {_LONGEST_TEXT} characters" if len(consent) > _LONGEST_TEXT else ""


@lru_cache(maxsize=4096)
def _read_time(text: str) -> datetime | None:
    """A date as people write it; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        for form in _DATES:
            try:
                at = datetime.strptime(text, form)
                break
            except ValueError:
                continue
        else:
            return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
