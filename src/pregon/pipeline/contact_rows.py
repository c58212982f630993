"""One row of a file of contacts: what it says of a person, or the sentence that says why it cannot be taken.

Addresses are checked by email-validator, without asking the network; the plain ones, which are nearly all, by a
pattern that takes nothing the library refuses (a test holds the two together) and costs a tenth.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from pregon.pipeline.contact_words import find_strictest, read_answer, read_language, read_lists, read_state
from pregon.types import ImportedRow

_PLAIN = re.compile(
    r"(?=[^@]{1,64}@)(?=.{6,254}\Z)[a-z0-9_+\-]+(?:\.[a-z0-9_+\-]+)*"
    r"@(?!.*--)(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}\Z"
)
_SPECIAL = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)
_DATES = ("%d/%m/%Y", "%d.%m.%Y", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M", "%d-%m-%Y")
_LONGEST, _LONGEST_LIST, _LONGEST_TEXT = 200, 80, 4000
_ERASED = "hash:"
_SINGLE = (
    *("address", "language", "state", "opens", "clicks", "at"),
    *("lists", "organisation", "city", "country", "how", "text"),
)


def mark_address(address: str, key: bytes) -> str:
    """What stands for an address whose person was erased: a keyed hash, which nobody without the key can guess."""
    return _ERASED + hmac.new(key, b"address:" + address.encode(), hashlib.sha256).hexdigest()


def check_address(text: str) -> tuple[str, str]:
    """(the address as it is stored, "") or ("", why it is none). International domains become ASCII."""
    address = text.strip()
    # Other letters are left as they are: folded, the ß or K of one mailbox would be the ss or k of another.
    address = address.lower() if address.isascii() else address
    if _PLAIN.match(address) and not address.endswith(_SPECIAL):
        return address, ""
    try:
        found = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        why = _explain(address)
        return "", f"{text.strip()[:100]!r} is not an e-mail address: {why}"
    return (found.ascii_email or address).lower(), ""


def _explain(address: str) -> str:
    """What is wrong with an address, in words that the desk can translate, as the library's own are not."""
    name, sign, domain = address.rpartition("@")
    if not sign:
        return "it has no @"
    if "@" in name:
        return "it has more than one @"
    if not name:
        return "it has nothing before the @"
    if "." not in domain.strip("."):
        return "what follows the @ has no dot"
    return "a part of it cannot stand in an address, or its ending is not in use"


class RowReader:
    """Rows of one file. `columns`: meaning -> places; `language` and `lists` are for rows that name none."""

    def __init__(
        self,
        columns: dict[str, tuple[int, ...]],
        languages: tuple[str, ...],
        *,
        language: str = "",
        lists: tuple[str, ...] = (),
        how: str = "import",
    ) -> None:
        # A column that the file does not have is the blank one that `read` appends to each row.
        self._order = tuple(columns.get(name, (-1,))[0] for name in _SINGLE)
        self._names, self._states = columns.get("name", ()), columns.get("state", ())
        self._languages, self._how = languages, how
        self._language, self._lists = language, lists

    def read(self, line: int, row: list[str]) -> ImportedRow | str:
        """The row, or one sentence."""
        row.append("")
        written, said, *rest = (row[place].strip() for place in self._order)
        if len(self._states) > 1:
            rest[0] = find_strictest([row[place].strip() for place in self._states])
        address, problem = check_address(written)
        if problem:
            return problem
        language = read_language(said, self._languages) if said else self._language
        if not language:
            return f"{address}: the network does not work in {said or 'no language'!r}"
        found = self._read_rest(line, address, language, " ".join(row[place] for place in self._names), rest)
        if isinstance(found, str):
            return f"{address}: {found}"
        return found if said else replace(found, is_language_assumed=True)

    def _read_rest(self, line: int, address: str, language: str, name: str, rest: list[str]) -> ImportedRow | str:
        state_said, opens_said, clicks_said, at_said, listed, organisation, city, country, how, text = rest
        state, at = read_state(state_said) if state_said else None, _read_time(at_said) if at_said else None
        opens, clicks = read_answer(opens_said), read_answer(clicks_said)
        if (state is None and state_said) or opens is None or clicks is None:
            unread = state_said if state is None and state_said else opens_said if opens is None else clicks_said
            return f"{unread[:40]!r} says neither yes nor no; write granted, denied or nothing"
        if at is None and at_said:
            return f"{at_said[:40]!r} is not a date; write it as 2026-11-23"
        lists, text = read_lists(_clean(listed)), text.replace("\0", "")
        problem = _find_overlong((name, organisation, city, country), lists, text)
        if problem:
            return problem
        return ImportedRow(
            line,
            address,
            _clean(" ".join(name.split())),
            language,
            state,
            tuple(sorted({*lists, *self._lists})) if self._lists else lists,
            _clean(organisation),
            _clean(city),
            _clean(country),
            opens,
            clicks,
            at,
            _clean(how)[:_LONGEST] or self._how,
            text,
        )


def _clean(text: str) -> str:
    """One line of printable characters, accents composed as those of segments and other files are."""
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    if text.isprintable():
        return text
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _find_overlong(texts: tuple[str, ...], lists: tuple[str, ...], consent: str) -> str:
    if max(map(len, texts)) > _LONGEST:
        return f"a field has more than {_LONGEST} characters"
    if lists and max(map(len, lists)) > _LONGEST_LIST:
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
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError:  # a zone that leads out of the calendar
        return None
