"""Text with marks and links, put together piece by piece: what the readers of PDF, Word and e-mail write into."""

from __future__ import annotations

from pregon.types import Span


class PageWriter:
    """Collects paragraphs and keeps the spans of the links in them. A blank line stands between paragraphs."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.links: list[tuple[Span, str]] = []

    def text(self) -> str:
        """All that was added, ending in one line break."""
        return "".join(self._parts).rstrip() + "\n" if self._parts else ""

    def add(
        self, text: str, links: list[tuple[Span, str]] | None = None, *, mark: str = "", tight: bool = False
    ) -> None:
        """Add a paragraph. `links` are spans in `text`; `tight` puts it on the next line instead of after a blank."""
        if not text.strip():
            return
        if self._length:
            self._append("\n" if tight else "\n\n")
        start = self._length + len(mark)
        self._append(mark + text)
        self.links += [((start + span[0], start + span[1]), address) for span, address in links or []]

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
