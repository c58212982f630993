"""Which language a text is in, decided from the text alone: addresses and `lang` attributes are often wrong.

Function words settle the network's common languages in a millisecond; only where they do not is the statistical
identifier asked, which takes half a second to load (docs/decisions). It is narrowed to the languages that a network
of European, African and American cities writes, so that a French text translated word by word stays French.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

KNOWN = ("en", "fr", "es", "pt", "it", "ca", "eu", "gl", "de", "nl", "ar", "ru", "zh")
# Words that are frequent and little shared. Each language's list stands for about a fifth of its running text.
_FUNCTION_WORDS = {
    "en": "the of and to in is that for with are was on by this be from have has which it an at not their will our we as "
    "or its they you",
    "fr": "le les des du et dans est une pour qui que sur au aux par avec ce cette ces sont nous vous leur leurs ont été "
    "plus pas elle être d l la de",
    "es": "el los las del y en que por para con una es al se su sus como más este esta ha han son lo fue no la de",
    "pt": "o os as do dos das e em que por para com uma é ao se seu sua como mais este esta foi são não pelo pela da na de",
    "it": "il gli dei della delle e in che per con una è al si suo sua come più questo questa sono non nel nella di la le",
    "ca": "el els les del dels i en que per amb una és al es seva seu com més aquest aquesta són no la de",
    "gl": "o os as do dos das e en que por para con unha é ao se súa seu como máis este esta son non polo pola da na de",
    "de": "der die das und in den von zu mit ist für auf des dem ein eine nicht sich auch werden wird sind",
    "nl": "de het een en van in is op te dat voor met zijn die niet aan er ook worden wordt",
    "eu": "eta da ez du bat dira izan egin dute den duen ere bere dituzte beste",
}
_LANGUAGES_OF: dict[str, list[str]] = {}
for _code, _words in _FUNCTION_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_code)
_WORD = re.compile(r"[^\W\d_]+")
_READ = 6_000
_NOISE = re.compile(r"https?://\S{1,2000}|www\.\S{1,500}|\S{1,64}@\S{1,255}|[\d#*_\[\]()<>|]")


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(KNOWN))
    return identifier


def _count_function_words(words: str) -> str:
    """The language whose function words clearly lead; empty when none does."""
    counts = Counter(language for word in _WORD.findall(words.lower()) for language in _LANGUAGES_OF.get(word, ""))
    (first, most), (_, next_most) = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    return first if most >= 4 and most - next_most >= max(3, most / 4) else ""


def _classify(text: str) -> tuple[str, float]:
    words = _NOISE.sub(" ", text[:_READ])
    if sum(map(str.isalpha, words)) < 12:
        return "", 0.0
    counted = _count_function_words(words)
    if counted:
        return counted, 1.0
    if words.isupper():
        words = words.lower()
    language, probability = _identifier().classify(words)
    return str(language), float(probability)


def detect_language(text: str) -> str | None:
    """The two-letter code of the language of `text`, or None when there is too little to tell."""
    language, probability = _classify(text)
    return language if probability >= 0.8 else None


def detect_main_language(paragraphs: Sequence[str], text: str) -> str | None:
    """The language of `text`. Where two share its long paragraphs about equally, the one that comes first."""
    sizes: Counter[str] = Counter()
    for paragraph in paragraphs:
        if len(paragraph) >= 80:
            sizes[_count_function_words(paragraph)] += len(paragraph)
    del sizes[""]
    large = [language for language, size in sizes.items() if size >= 0.6 * max(sizes.values())]
    return large[0] if len(large) > 1 else detect_language(text)


def find_minor_language(paragraphs: Iterable[str], main: str | None) -> str | None:
    """A language other than `main` that fills at least a fifth of the long paragraphs; None when there is none."""
    sizes: Counter[str] = Counter()
    for paragraph in paragraphs:
        if len(paragraph) >= 80:
            sizes[_count_function_words(paragraph) or main or ""] += len(paragraph)
    total = sum(sizes.values())
    minor = [(size, language) for language, size in sizes.items() if language not in {main, ""} and size >= total / 5]
    return max(minor)[1] if minor else None
