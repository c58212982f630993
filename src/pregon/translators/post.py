"""One bounded POST of JSON to a translator. Whatever goes wrong is a `TranslationError` of one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from pregon.errors import TranslationError


def post_json(name: str, address: str, body: Mapping[str, Any], headers: Mapping[str, str], timeout: float) -> Any:
    """The answer's JSON. Raises `TranslationError`; the texts themselves are never in its message."""
    try:
        with httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False) as client:
            answer = client.post(address, json=dict(body), headers=dict(headers))
    except httpx.HTTPError as error:
        raise TranslationError(f"{name} cannot be reached ({type(error).__name__}).") from error
    if answer.status_code in (401, 403):
        raise TranslationError(f"{name} refuses the key; check PREGON_TRANSLATION_KEY.")
    if answer.status_code in (429, 456):
        raise TranslationError(f"{name} takes no more texts for now ({answer.status_code}): its limit is reached.")
    if answer.status_code != 200:
        raise TranslationError(f"{name} answered {answer.status_code}.")
    try:
        return answer.json()
    except ValueError as error:
        raise TranslationError(f"{name} answered something that is no JSON.") from error


def check_texts(name: str, texts: Any, count: int) -> tuple[str, ...]:
    """The translated texts, as many as were asked for. Raises `TranslationError`."""
    if not isinstance(texts, list) or len(texts) != count or not all(isinstance(text, str) for text in texts):
        raise TranslationError(f"{name} did not give back one text for each that it was given.")
    return tuple(texts)
