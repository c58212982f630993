"""Import contacts: take people from a file. Streams: a file of a million rows needs no more memory than a page.

An import never brings back who unsubscribed, left a list, refused tracking or was erased.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from pregon.errors import PregonError
from pregon.pipeline.contact_files import ContactFile, SeenAddresses, open_contact_file, read_rows
from pregon.pipeline.contact_rows import RowReader, mark_address
from pregon.pipeline.contact_words import read_header, read_lists
from pregon.pipeline.protocols import Clock, Storage
from pregon.types import ImportCount, ImportedRow

Reject = Callable[[int, str], None]
_BATCH = 10_000
_SHOWN, _SHOWN_REJECTED = 20, 200


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or would do. `rejected` are the first (line number, sentence); `rejected_count` is all.

    `kept`: people who had unsubscribed and stay so, although the file has them. `first` are the first usable rows.
    """

    accepted: int
    rejected: tuple[tuple[int, str], ...]
    rejected_count: int
    added: int
    updated: int
    kept: int
    file: ContactFile
    first: tuple[ImportedRow, ...] = ()


class ContactImport:
    """Files -> contacts."""

    def __init__(self, store: Storage, clock: Clock, languages: tuple[str, ...], key: bytes) -> None:
        self._store, self._clock, self._languages, self._key = store, clock, languages, key

    def import_text(self, text: str, *, dry_run: bool = False) -> ImportResult:
        """The same as `import_file` of a text that is at hand."""
        return self.import_file(io.BytesIO(text.encode()), dry_run=dry_run)

    def import_file(
        self,
        file: BinaryIO,
        *,
        name: str = "",
        dry_run: bool = False,
        language: str = "",
        lists: tuple[str, ...] = (),
        reject: Reject | None = None,
    ) -> ImportResult:
        """Contacts from a seekable CSV file with a header line: unusable rows are told to `reject`, the others taken.

        `language` is for rows that name none, and `lists` (as a cell names them) are for all; `name` is recorded as where consent came from. Taken in
        batches, each of them whole; an import that was interrupted is simply repeated. Raises `PregonError`.
        """
        shape = open_contact_file(file)
        if language and language not in self._languages:
            raise PregonError(f"The network does not work in {language!r}; use one of {', '.join(self._languages)}.")
        how = f"import of {name}" if name else "import"
        given = tuple(name for each in lists for name in read_lists(each))
        reader = RowReader(read_header(shape.header), self._languages, language=language, lists=given, how=how)
        counting = _Counting(reject)
        at = self._clock()
        # The database takes batches while the next is read; one more than it takes at a time is the most that is held.
        writers = self._store.count_import_writers()
        taken: deque[Future[ImportCount]] = deque()
        with ThreadPoolExecutor(writers) as pool:
            for batch in _cut(counting.usable(read_rows(file, shape), reader)):
                if len(taken) == writers:
                    counting.add(taken.popleft().result())
                taken.append(pool.submit(self._take, batch, at, dry_run))
            for done in taken:
                counting.add(done.result())
        return counting.result(shape)

    def _take(self, batch: list[ImportedRow], at: datetime, dry_run: bool) -> ImportCount:
        # Marks cost as much as reading a row does, and most houses never erased anybody.
        marks = [mark_address(row.address, self._key) for row in batch] if self._store.has_erased() else []
        return self._store.import_rows(batch, at, marks=marks, dry_run=dry_run)


def _cut(rows: Iterator[ImportedRow]) -> Iterator[list[ImportedRow]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


class _Counting:
    """What has become of the rows so far."""

    def __init__(self, reject: Reject | None) -> None:
        self._reject, self._seen = reject, SeenAddresses()
        self._rejected: list[tuple[int, str]] = []
        self._first: list[ImportedRow] = []
        self._rejected_count = self._added = self._updated = self._kept = 0

    def usable(self, rows: Iterator[tuple[int, list[str] | str]], reader: RowReader) -> Iterator[ImportedRow]:
        """The rows that can be taken, each address once; the others are rejected."""
        for line, cells in rows:
            row = reader.read(line, cells) if isinstance(cells, list) else cells
            if isinstance(row, str):
                self._refuse(line, row)
            elif not self._seen.add(row.address):
                self._refuse(line, f"{row.address} stands in the file twice")
            else:
                if len(self._first) < _SHOWN:
                    self._first.append(row)
                yield row

    def _refuse(self, line: int, why: str) -> None:
        self._rejected_count += 1
        if len(self._rejected) < _SHOWN_REJECTED:
            self._rejected.append((line, why))
        if self._reject:
            self._reject(line, why)

    def add(self, count: ImportCount) -> None:
        """One batch went through."""
        self._added += count.added
        self._updated += count.updated
        self._kept += count.kept
        for line in count.erased:
            self._refuse(line, "this person asked to be erased; only they can subscribe again")

    def result(self, shape: ContactFile) -> ImportResult:
        """Everything."""
        return ImportResult(
            accepted=self._added + self._updated,
            rejected=tuple(sorted(self._rejected)),
            rejected_count=self._rejected_count,
            added=self._added,
            updated=self._updated,
            kept=self._kept,
            file=shape,
            first=tuple(self._first),
        )
