"""Bytes into a Document: what kind of file it is, which encoding, and its readable text with every link.

For text and Markdown the document's text is the decoded file itself, so spans index the file. Reads no file and
fetches nothing: bytes come in. Every refusal is a `DocumentError` of one sentence that says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pregon.errors import DocumentError
from pregon.items import html, pdf, word
from pregon.types import Document

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAX_BYTES = 20 * 1024 * 1024
_TYPES = {
    "txt": "text/plain", "text": "text/plain", "md": "text/markdown", "markdown": "text/markdown",
    "html": "text/html", "htm": "text/html", "xhtml": "text/html",
    "pdf": "application/pdf", "docx": _WORD, "eml": "message/rfc822",
}  # fmt: skip
_ALIASES = {"application/xhtml+xml": "text/html", "text/x-markdown": "text/markdown"}
_SUPPORTED = "a .txt, .md, .html, .docx, .pdf or .eml file"
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s{0,5}=\s{0,5}[\"']?([\w.:-]{2,40})", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"^\s{0,20}<\?xml[^>]{0,100}?encoding\s{0,3}=\s{0,3}[\"']([\w.:-]{2,40})")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_MARKUP = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|article|div|p|h1|table|ul|a\s)[\s>]|<(?:p|h1|ul|div)>", re.IGNORECASE
)
_UNREADABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]")


def load_document(data: bytes, *, name: str, media_type: str | None = None, origin: str = "") -> Document:
    """Read `data` (at most 20 MB) as the document `name`.

    `media_type` may carry a charset parameter, as a Content-Type header does; without it the name and then the
    content decide. `origin` is the address or path it came from; relative links are resolved against an http one.
    Raises `DocumentError` when it is empty, too large, or not text.
    """
    if len(data) > MAX_BYTES:
        raise DocumentError(
            f"{name} has {len(data) / 1_048_576:.0f} MB and the limit is {MAX_BYTES // 1_048_576} MB: "
            "shorten it, or save its text without pictures"
        )
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf\xfe\xff"):
        raise DocumentError(f"{name} is empty: save the document again and check that it has text")
    kind = sniff_type(data, name, media_type)
    read = _READERS.get(kind)
    if read is None:
        raise DocumentError(f"{name} is {_describe(kind)}, which cannot be read: save it as {_SUPPORTED}")
    document = read(data, name, media_type, origin or name)
    if not document.text.strip():
        raise DocumentError(f"{name} holds no text that can be read: save it as {_SUPPORTED} with its words in it")
    return document


def sniff_type(data: bytes, name: str, media_type: str | None = None) -> str:
    """The media type, from the content's own signature first, then the declared type, then the name."""
    signature = _signature(data)
    if signature:
        return signature
    declared = (media_type or "").partition(";")[0].strip().lower()
    declared = _ALIASES.get(declared, declared)
    if declared in _READERS and declared != "text/plain":
        return declared
    extension = name.rpartition("?")[0] or name
    by_name = _TYPES.get(extension.rpartition(".")[2].lower())
    if by_name and by_name != "text/plain":
        return by_name
    if by_name is None and _MARKUP.search(data[:2_000]):
        return "text/html"
    return by_name or "text/plain"


def _signature(data: bytes) -> str | None:
    for start, kind in (
        (b"%PDF-", "application/pdf"),
        (b"\xd0\xcf\x11\xe0", "application/msword"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x89PNG", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"\x1f\x8b", "application/gzip"),
    ):
        if data.startswith(start):
            return _WORD if kind == "application/zip" and word.is_word(data) else kind
    return None


def _describe(kind: str) -> str:
    if kind.startswith("image/"):
        return "a picture"
    return {"application/zip": "an archive", "application/msword": "an old Word file (.doc)"}.get(
        kind, f"of type {kind}"
    )


def decode_text(data: bytes, name: str, charset: str | None = None) -> str:
    """The text of `data`: by its byte order mark, else UTF-8 when it is valid UTF-8, else `charset`, else a guess.

    A declared charset comes after UTF-8 on purpose: other text is practically never valid UTF-8, and wrong
    declarations are common. Raises `DocumentError` when what comes out is not text.
    """
    text = _decode_by_bom(data) or _decode(data, "utf-8") or (charset and _decode(data, charset)) or _guess(data)
    if text is None or _is_binary(text):
        raise DocumentError(f"{name} is not text: save it as {_SUPPORTED}")
    return text


def _decode_by_bom(data: bytes) -> str | None:
    for mark, charset in _BOMS:
        if data.startswith(mark):
            return _decode(data, charset)
    return None


def _decode(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except (LookupError, UnicodeError, ValueError):
        return None


def _guess(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    if b"\x00" in data[:4096]:
        return None
    best = from_bytes(data[:200_000], cp_isolation=["cp1252", "mac_roman", "utf_16"]).best()
    return _decode(data, best.encoding) if best and _decode(data, best.encoding) else _decode(data, "cp1252")


def _is_binary(text: str) -> bool:
    sample = text[:20_000]
    return len(_UNREADABLE.findall(sample)) > len(sample) / 200


def _read_plain(kind: str) -> Callable[[bytes, str, str | None, str], Document]:
    def read(data: bytes, name: str, media_type: str | None, origin: str) -> Document:
        found = _CHARSET.search(media_type or "")
        return Document(decode_text(data, name, found[1] if found else None), kind, origin)

    return read


def _read_html(data: bytes, name: str, media_type: str | None, origin: str) -> Document:
    declared = _CHARSET.search(media_type or "")
    meta = _META_CHARSET.search(data[:4096]) or _XML_CHARSET.search(data[:200])
    charset = declared[1] if declared else meta[1].decode("ascii", "replace") if meta else None
    return html.read_html(decode_text(data, name, charset), origin=origin)


def _read_pdf(data: bytes, name: str, media_type: str | None, origin: str) -> Document:
    return pdf.read_pdf(data, name=name, origin=origin)


def _read_word(data: bytes, name: str, media_type: str | None, origin: str) -> Document:
    return word.read_word(data, name=name, origin=origin)


def _read_mail(data: bytes, name: str, media_type: str | None, origin: str) -> Document:
    def load(content: bytes, part: str, kind: str, place: str) -> Document:
        return load_document(
            content, name=part, media_type=None if kind.endswith("octet-stream") else kind, origin=place
        )

    from pregon.items import mail  # the standard library's e-mail package takes a while to import

    return mail.read_mail(data, name=name, origin=origin, load=load)


_READERS: dict[str, Callable[[bytes, str, str | None, str], Document]] = {
    "text/plain": _read_plain("text/plain"),
    "text/markdown": _read_plain("text/markdown"),
    "text/html": _read_html,
    "application/pdf": _read_pdf,
    _WORD: _read_word,
    "message/rfc822": _read_mail,
}
