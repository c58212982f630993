"""LibreTranslate, which an organisation can run itself: no text leaves the house. Source: its API's `/translate`."""

from __future__ import annotations

from collections.abc import Sequence

from pregon.translators.post import check_texts, post_json


class LibreTranslate:
    """Translates through a LibreTranslate server; `key` is empty where the server asks for none."""

    name = "LibreTranslate"

    def __init__(self, address: str, *, key: str = "", timeout: float = 20) -> None:
        self._address, self._key, self._timeout = address.rstrip("/"), key, timeout

    def translate(self, texts: Sequence[str], source: str, target: str) -> tuple[str, ...]:
        """The texts in another language, in their order. Languages are ISO 639-1. Raises `TranslationError`."""
        if not texts:
            return ()
        body = {"q": list(texts), "source": source, "target": target, "format": "text"}
        if self._key:
            body["api_key"] = self._key
        answer = post_json(self.name, f"{self._address}/translate", body, {}, self._timeout)
        found = answer.get("translatedText") if isinstance(answer, dict) else None
        return check_texts(self.name, found, len(texts))
