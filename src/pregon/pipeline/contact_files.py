"""A CSV file of contacts, read row by row: which encoding, which delimiter, which column is what, and each row's fault.

Headers are known in English, French, Spanish and German. Nothing is stored here, and no more than a row is held;
the addresses seen so far take 16 bytes each at most.
"""

from __future__ import annotations

import codecs
import csv
import io
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from pregon.errors import PregonError
from pregon.pipeline.contact_words import read_header

_DELIMITERS = ",;\t|"
_SAMPLE = 256 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_FIELD, _LONGEST_LINE = 50_000, 1_000_000


@dataclass(frozen=True, slots=True)
class ContactFile:
    """How a file is to be read. `columns` says which column (by its own name) holds what."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    columns: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def open_contact_file(file: BinaryIO) -> ContactFile:
    """Look at a seekable file. Raises `PregonError` when it is not text or names no column for the address."""
    encoding = _find_encoding(file)
    header, delimiter = _find_delimiter(_read_beginning(file, encoding))
    known = read_header(header)
    if "address" not in known:
        raise PregonError("The file has no column named email; the first line must name the columns.")
    names = {meaning: ", ".join(header[n] for n in places) for meaning, places in known.items()}
    used = {place for places in known.values() for place in places}
    ignored = tuple(name for n, name in enumerate(header) if n not in used and name.strip())
    return ContactFile(encoding, delimiter, tuple(header), names, ignored)


def read_rows(file: BinaryIO, shape: ContactFile) -> Iterator[tuple[int, list[str] | str]]:
    """(line, fields) of each row after the header, blank ones left out; a sentence where a row is not readable."""
    file.seek(0)
    csv.field_size_limit(_LONGEST_FIELD)
    # Not closed here: the file belongs to whoever opened it.
    text = io.TextIOWrapper(file, encoding=shape.encoding, errors="replace", newline="")
    try:
        # A line without an end is read in pieces, each of them refused, and never held as a whole.
        reader = csv.reader(iter(partial(text.readline, _LONGEST_LINE), ""), delimiter=shape.delimiter)
        next(reader, None)
        yield from _number_rows(reader, len(shape.header))
    finally:
        text.detach()


def _number_rows(reader: Iterator[list[str]], width: int) -> Iterator[tuple[int, list[str] | str]]:
    while True:
        line = reader.line_num + 1  # type: ignore[attr-defined]
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"the row cannot be read ({error}); look for a quotation mark that is never closed"
            continue
        if len(row) != width:
            if not row:
                continue
            row = [*row, *[""] * (width - len(row))]
            if any(cell.strip() for cell in row[width:]):
                yield (
                    line,
                    f"the row has {len(row)} fields and the first line names {width}; quote a field that holds the delimiter",
                )
                continue
        if any(row):
            yield line, row


class SeenAddresses:
    """Which addresses have gone by: a table of 64-bit hashes, 16 bytes an address at most.

    Two different addresses share a hash once in some thirty million files of a million rows.
    """

    def __init__(self) -> None:
        self._table, self._mask, self._count = array("q", bytes(8 << 12)), (1 << 12) - 1, 0

    def add(self, address: str) -> bool:
        """Remember the address. Returns whether it is new."""
        value = hash(address) or 1
        place = self._find(value)
        if self._table[place] == value:
            return False
        self._table[place] = value
        self._count += 1
        if self._count * 4 > self._mask * 3:
            self._grow()
        return True

    def _find(self, value: int) -> int:
        table, mask = self._table, self._mask
        place = value & mask
        while table[place] and table[place] != value:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        old = self._table
        self._mask = self._mask * 2 + 1
        self._table = array("q", bytes(8 * (self._mask + 1)))
        for value in old:
            if value:
                self._table[self._find(value)] = value


# --- encoding and delimiter ----------------------------------------------------------------------------------


def _find_encoding(file: BinaryIO) -> str:
    file.seek(0)
    sample = file.read(_SAMPLE)
    if not sample.strip():
        raise PregonError("The file is empty; its first line names the columns, one of them email.")
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding
    # What is not Unicode was written by a Western office program; a guess by letter frequencies turns ê into ę.
    return "utf-8" if _is_utf8(file) else "cp1252"


def _is_utf8(file: BinaryIO) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    while chunk := file.read(_SAMPLE):
        if b"\0" in chunk:
            raise PregonError("The file is not text; export the contacts as CSV and choose that file.")
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            return False
    return True


def _read_beginning(file: BinaryIO, encoding: str) -> str:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    try:
        return text.read(_LONGEST_FIELD)
    except UnicodeError as error:
        raise PregonError("The file is not text; export the contacts as CSV and choose that file.") from error
    finally:
        text.detach()


def _find_delimiter(beginning: str) -> tuple[list[str], str]:
    # The names of the columns may have line breaks in them, so that they are read as the rows are.
    headers = [(_read_header(beginning, delimiter), delimiter) for delimiter in _DELIMITERS]
    return max(headers, key=lambda pair: (sum(map(len, read_header(pair[0]).values())), len(pair[0])))


def _read_header(beginning: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(beginning, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []
