"""Which language a text is in, decided from the text alone: addresses and `lang` attributes are often wrong.

The identifier knows 97 languages; it is narrowed to those that a network of European, African and American cities
writes, so that a French text translated word by word from Spanish stays French.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

KNOWN = ("en", "fr", "es", "pt", "it", "ca", "eu", "gl", "de", "nl", "ar", "ru", "zh")
_READ = 6_000
_NOISE = re.compile(r"https?://\S{1,2000}|www\.\S{1,500}|\S{1,64}@\S{1,255}|[\d#*_\[\]()<>|]")


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(KNOWN))
    return identifier


def _classify(text: str) -> tuple[str, float]:
    words = _NOISE.sub(" ", text[:_READ])
    if sum(map(str.isalpha, words)) < 12:
        return "", 0.0
    if words.isupper():
        words = words.lower()
    language, probability = _identifier().classify(words)
    return str(language), float(probability)


def detect_language(text: str) -> str | None:
    """The two-letter code of the language of `text`, or None when there is too little to tell."""
    language, probability = _classify(text)
    return language if probability >= 0.8 else None


def find_minor_language(paragraphs: Iterable[str], main: str | None) -> str | None:
    """A language other than `main` that fills at least a fifth of the long paragraphs; None when there is none."""
    sizes: Counter[str] = Counter()
    for paragraph in paragraphs:
        if len(paragraph) >= 80:
            language, probability = _classify(paragraph)
            sizes[language if probability >= 0.95 else main or ""] += len(paragraph)
    total = sum(sizes.values())
    minor = [(size, language) for language, size in sizes.items() if language not in {main, ""} and size >= total / 5]
    return max(minor)[1] if minor else None
