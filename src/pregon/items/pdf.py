"""A PDF file into readable text with its links. Layout decides: boxes are paragraphs, larger or bold lines headings.

Lines that repeat on the pages of a document (running heads, page numbers) are left out. Pictures of pages hold no
text, and that is said rather than guessed at.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pregon.errors import DocumentError
from pregon.items.pages import PageWriter
from pregon.items.streams import open_bytes
from pregon.types import Document, Span

MAX_PAGES = 200
_LIGATURES = {ord(char): unicodedata.normalize("NFKC", char) for char in "ﬀﬁﬂﬃﬄﬅﬆ"} | {0xAD: None, 0: None}
_BULLET = re.compile(r"^[•▪●◦‣·–]\s*")
_LABELLED = re.compile(r"[^\W\d_][\w '’-]{1,30}?\s?:\s?\S")
_Box = tuple[float, float, float, float]


@dataclass(slots=True)
class _Line:
    """A line of a page: its characters' boxes let links find their words."""

    text: str
    size: float
    bold: bool
    boxes: list[_Box | None]
    top: float

    def key(self) -> str:
        return re.sub(r"\d+", "0", self.text.strip())


def read_pdf(data: bytes, *, name: str, origin: str) -> Document:
    """The text of a PDF of at most 200 pages. Raises `DocumentError` for a locked, broken or picture-only file."""
    pages = _read_pages(data, name)
    if sum(len(line.text.strip()) for boxes, _ in pages for box in boxes for line in box) < 20:
        raise DocumentError(
            f"{name} holds pictures of pages and no text: save it from its text document, or have it read by OCR"
        )
    body = _body_size(pages)
    running = _running_lines(pages)
    writer = PageWriter()
    for boxes, anchors in pages:
        for box in boxes:
            kept = [line for line in box if line.key() not in running]
            _write_box(writer, kept, anchors, body)
    return Document(writer.text(), "application/pdf", origin, links=tuple(writer.links))


def _read_pages(data: bytes, name: str) -> list[tuple[list[list[_Line]], list[tuple[_Box, str]]]]:
    from pdfminer.high_level import extract_pages
    from pdfminer.layout import LAParams
    from pdfminer.pdfdocument import PDFPasswordIncorrect

    try:
        found = extract_pages(open_bytes(data), maxpages=MAX_PAGES, laparams=LAParams(boxes_flow=0.5))
        links = _read_links(data)
        return [(list(_boxes(page)), links.get(number, [])) for number, page in enumerate(found)]
    except PDFPasswordIncorrect as error:
        raise DocumentError(f"{name} is locked with a password: save it without one") from error
    except RecursionError as error:
        raise DocumentError(f"{name} is nested too deeply to be read: print it into a new PDF file") from error
    except Exception as error:  # a broken PDF raises whatever its broken part leads to
        raise DocumentError(f"{name} is a damaged PDF file: print it into a new one") from error


def _boxes(page: Any) -> Iterator[list[_Line]]:
    from pdfminer.layout import LTTextContainer, LTTextLine

    for element in page:
        if isinstance(element, LTTextContainer):
            yield [_line(line) for line in element if isinstance(line, LTTextLine) and line.get_text().strip()]


def _line(line: Any) -> _Line:
    from pdfminer.layout import LTChar

    text, boxes, sizes, bold = "", [], Counter[float](), 0
    for char in line:
        piece = str(char.get_text()).translate(_LIGATURES)
        box = char.bbox if isinstance(char, LTChar) else None
        text += piece
        boxes += [box] * len(piece)
        if box is not None and piece.strip():
            sizes[round(char.size, 1)] += 1
            bold += "bold" in char.fontname.lower()
    size = sizes.most_common(1)[0][0] if sizes else 0.0
    return _Line(text.rstrip("\n"), size, bold * 2 > sum(sizes.values()), boxes, line.y1)


def _read_links(data: bytes) -> dict[int, list[tuple[_Box, str]]]:
    from pdfminer.pdfdocument import PDFDocument
    from pdfminer.pdfpage import PDFPage
    from pdfminer.pdfparser import PDFParser

    document = PDFDocument(PDFParser(open_bytes(data)))
    found: dict[int, list[tuple[_Box, str]]] = {}
    for number, page in enumerate(PDFPage.create_pages(document)):
        if number >= MAX_PAGES:
            break
        found[number] = list(_links_of(page))
    return found


def _links_of(page: Any) -> Iterator[tuple[_Box, str]]:
    from pdfminer.pdftypes import resolve1

    for reference in resolve1(page.annots) or []:
        annotation = resolve1(reference) or {}
        action = resolve1(annotation.get("A")) or {}
        address, box = resolve1(action.get("URI")), resolve1(annotation.get("Rect"))
        if isinstance(address, bytes) and isinstance(box, list) and len(box) == 4:
            yield tuple(float(resolve1(side)) for side in box), address.decode("utf-8", "replace")  # type: ignore[misc]


def _body_size(pages: list[tuple[list[list[_Line]], Any]]) -> float:
    sizes = Counter[float]()
    for boxes, _ in pages:
        for box in boxes:
            for line in box:
                sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0]


def _running_lines(pages: list[tuple[list[list[_Line]], Any]]) -> set[str]:
    """Lines on at least three pages and more than half of them, digits aside."""
    seen = Counter(key for boxes, _ in pages for key in {line.key() for box in boxes for line in box})
    return {key for key, count in seen.items() if count >= 3 and count > len(pages) / 2}


def _write_box(writer: PageWriter, lines: list[_Line], anchors: list[tuple[_Box, str]], body: float) -> None:
    group: list[_Line] = []
    for line in lines:
        if group and _starts_anew(group[-1], line, body):
            _write_group(writer, group, anchors, body)
            group = []
        group.append(line)
    if group:
        _write_group(writer, group, anchors, body)


def _starts_anew(before: _Line, line: _Line, body: float) -> bool:
    return bool(
        _BULLET.match(line.text)
        or _is_heading(before, body) != _is_heading(line, body)
        or _LABELLED.match(line.text)
        or (len(before.text.strip()) < 45 and not line.text[:1].islower())
    )


def _is_heading(line: _Line, body: float) -> bool:
    short = len(line.text.strip()) <= 120 and line.text.strip()[-1:] not in ".,;:"
    return short and (line.size > body * 1.12 or line.bold)


def _write_group(writer: PageWriter, lines: list[_Line], anchors: list[tuple[_Box, str]], body: float) -> None:
    text = ""
    boxes: list[_Box | None] = []
    for line in lines:
        shown = line.text.rstrip()
        start = len(line.text) - len(line.text.lstrip())
        if text and not (text.endswith("-") and shown[start : start + 1].islower()):
            text += " "
            boxes.append(None)
        text += shown[start:]
        boxes += line.boxes[start : len(shown)]
    bullet = _BULLET.match(text)
    if bullet:
        text, boxes = text[bullet.end() :], boxes[bullet.end() :]
    heading = _is_heading(lines[0], body)
    mark = "- " if bullet else ("# " if lines[0].size > body * 1.4 else "## ") if heading else ""
    writer.add(text, list(_spans(boxes, anchors)), mark=mark, tight=bool(bullet))


def _spans(boxes: list[_Box | None], anchors: list[tuple[_Box, str]]) -> Iterator[tuple[Span, str]]:
    for area, address in anchors:
        inside = [index for index, box in enumerate(boxes) if box is not None and _is_inside(box, area)]
        if inside:
            yield (inside[0], inside[-1] + 1), address


def _is_inside(box: _Box, area: _Box) -> bool:
    across, up = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return min(area[0], area[2]) <= across <= max(area[0], area[2]) and min(area[1], area[3]) <= up <= max(
        area[1], area[3]
    )
