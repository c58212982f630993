"""A Word file (.docx) into readable text with its links: headings by style, lists by numbering, tables row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from zipfile import BadZipFile, ZipFile

from pregon.errors import DocumentError
from pregon.items.pages import PageWriter
from pregon.items.streams import open_bytes
from pregon.types import Document, Span

# What a document may unpack to: a small archive that holds gigabytes is an attack.
MAX_UNPACKED = 200 * 1024 * 1024
_HEADING = re.compile(r"(?:heading|titre|título|titulo)\s*(\d)", re.IGNORECASE)
_TITLES = frozenset({"title", "titre", "título"})
_LIST = re.compile(r"list|liste|lista|bullet|puce|viñeta", re.IGNORECASE)
_QUOTE = re.compile(r"quote|citation|cita", re.IGNORECASE)


def is_word(data: bytes) -> bool:
    """Whether the archive `data` is a Word document."""
    try:
        with ZipFile(open_bytes(data)) as archive:
            return "word/document.xml" in archive.namelist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def read_word(data: bytes, *, name: str, origin: str) -> Document:
    """The text of a .docx file. Raises `DocumentError` when it is damaged or unpacks to more than 200 MB."""
    import docx

    damaged = f"{name} is a damaged Word file: open it, save it again, or save it as PDF"
    try:
        with ZipFile(open_bytes(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
                raise DocumentError(
                    f"{name} unpacks to more than {MAX_UNPACKED // 1_048_576} MB: save it without pictures"
                )
        opened = docx.Document(open_bytes(data))
        writer = PageWriter()
        _write_blocks(writer, opened.iter_inner_content())
    except DocumentError:
        raise
    except Exception as error:  # a broken archive raises whatever its broken part leads to
        raise DocumentError(damaged) from error
    title = (opened.core_properties.title or "").strip() or None
    return Document(writer.text(), _TYPE, origin, title=title, links=tuple(writer.links))


_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _write_blocks(writer: PageWriter, blocks: Iterator[Any]) -> None:
    in_list = False
    for block in blocks:
        if hasattr(block, "rows"):
            _write_table(writer, block)
            in_list = False
            continue
        mark = _mark(block)
        text, links = _read_paragraph(block)
        writer.add(text, links, mark=mark, tight=in_list and mark == "- ")
        in_list = mark == "- " if text.strip() else in_list


def _write_table(writer: PageWriter, table: Any) -> None:
    first = True
    for row in table.rows:
        cells = list(dict.fromkeys(" ".join(cell.text.split()) for cell in row.cells))
        text = (": " if len(cells) == 2 and not cells[0].endswith(":") else " ").join(cell for cell in cells if cell)
        writer.add(text, tight=not first)
        first = False


def _mark(paragraph: Any) -> str:
    style = (paragraph.style.name if paragraph.style is not None else "") or ""
    heading = _HEADING.search(style)
    if heading:
        return "#" * min(6, int(heading[1])) + " "
    if style.casefold() in _TITLES:
        return "# "
    numbered = paragraph._p.pPr is not None and paragraph._p.pPr.numPr is not None
    if numbered or _LIST.search(style):
        return "- "
    return "> " if _QUOTE.search(style) else ""


def _read_paragraph(paragraph: Any) -> tuple[str, list[tuple[Span, str]]]:
    text, links = "", []
    for part in paragraph.iter_inner_content():
        address = getattr(part, "url", None)
        piece = str(part.text).replace("\u00ad", "")
        if address is None and getattr(part, "bold", None) and _is_whole(part, paragraph):
            piece = f"**{piece.strip()}**"
        if address and piece.strip():
            links.append(((len(text), len(text) + len(piece)), str(address)))
        text += piece
    return _strip(text, links)


def _is_whole(run: Any, paragraph: Any) -> bool:
    """Whether a bold run is the whole paragraph: then it stands for a heading."""
    return bool(run.text.strip()) and run.text.strip() == paragraph.text.strip()


def _strip(text: str, links: list[tuple[Span, str]]) -> tuple[str, list[tuple[Span, str]]]:
    text = text.replace("\t", " ")
    left = len(text) - len(text.lstrip())
    return text.strip(), [((max(0, start - left), end - left), address) for (start, end), address in links]
