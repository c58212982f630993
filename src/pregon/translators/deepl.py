"""DeepL's text endpoint. Source of the limits: DeepL's API reference (50 texts and 128 KiB a request, keys with `:fx`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pregon.errors import TranslationError
from pregon.translators.post import check_texts, post_json

_MOST_TEXTS = 50
_MOST_BYTES = 100_000
_TARGETS = {"en": "EN-GB", "pt": "PT-PT"}


class DeepL:
    """Translates through DeepL. A key that ends in `:fx` belongs to the free service, which has a host of its own."""

    name = "DeepL"

    def __init__(self, key: str, *, address: str | None = None, timeout: float = 20) -> None:
        host = "https://api-free.deepl.com" if key.endswith(":fx") else "https://api.deepl.com"
        self._key, self._address, self._timeout = key, (address or host).rstrip("/"), timeout

    def translate(self, texts: Sequence[str], source: str, target: str) -> tuple[str, ...]:
        """The texts in another language, in their order. Languages are ISO 639-1. Raises `TranslationError`."""
        return tuple(text for batch in _batches(texts) for text in self._translate(batch, source, target))

    def _translate(self, texts: list[str], source: str, target: str) -> tuple[str, ...]:
        body = {"text": texts, "source_lang": source.upper(), "target_lang": _TARGETS.get(target, target.upper())}
        headers = {"Authorization": f"DeepL-Auth-Key {self._key}"}
        answer = post_json(self.name, f"{self._address}/v2/translate", body, headers, self._timeout)
        found = answer.get("translations") if isinstance(answer, dict) else None
        rows = found if isinstance(found, list) else []
        return check_texts(self.name, [row.get("text") for row in rows if isinstance(row, dict)], len(texts))


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode())
        if length > _MOST_BYTES:
            raise TranslationError("A paragraph is too long to be translated; shorten it.")
        if batch and (len(batch) == _MOST_TEXTS or size + length > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += length
    if batch:
        yield batch
