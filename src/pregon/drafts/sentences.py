"""Cut text at sentence ends. Only ever returns pieces of the text it was given."""

from __future__ import annotations

import re

_END = re.compile(r"[.!?…]+[\"'»”’)\]]*(?=\s+[\"'«“‘(\[¡¿]*\s?[A-ZÀ-ÖØ-Þ0-9¡¿])")
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        "mm mr mrs ms mme mmes mlle dr dra prof sr sra sres st ste art arts av etc fig no nº n núm num p pp vol ed éd"
        " cf ex e.g i.e p.ej p.ex approx env hon jr rev tel tél",
    )
)


def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences of one paragraph, each as written; joined by single spaces they give the paragraph back."""
    text = " ".join(text.split())
    sentences, start = [], 0
    for match in _END.finditer(text):
        if _is_abbreviation(text[start : match.start()], match.group()):
            continue
        sentences.append(text[start : match.end()].strip())
        start = match.end()
    return tuple(sentence for sentence in (*sentences, text[start:].strip()) if sentence)


def take_sentences(text: str, room: int) -> str:
    """The first whole sentences of `text` that fit into `room` characters; "" when the first one does not."""
    taken = ""
    for sentence in split_sentences(text):
        longer = f"{taken} {sentence}".strip()
        if len(longer) > room:
            break
        taken = longer
    return taken


def _is_abbreviation(before: str, end: str) -> bool:
    if not end.startswith(".") or end.startswith(".."):
        return False
    word = before.rsplit(maxsplit=1)[-1].lstrip("(«“\"'[") if before.split() else ""
    # One capital is an initial ("J. Ortiz"); digits before the stop at a line's start are a numbered heading.
    return word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word.isupper()) or before.isdigit()
