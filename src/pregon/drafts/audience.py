"""Whom a newsletter of one language addresses, and what it tells those whose language it is not."""

from __future__ import annotations

from dataclasses import replace

from pregon.drafts.context import DraftContext
from pregon.drafts.words import read_words
from pregon.types import Audience


def audience_for(context: DraftContext, language: str, chosen: Audience | None = None) -> Audience | None:
    """Who gets the newsletter of this language: the playbook's audience, or the one that an officer has chosen.

    With one language drafted, every reader falls to it; with several, each reader to their own, and the readers of
    a language without a draft to the first drafted one in the network's order.
    """
    rule = context.playbook.email
    if rule is None:
        return None
    order = context.network.languages
    asked: tuple[str, ...] = context.languages
    if not asked:
        asked = (language,) if context.playbook.languages == "source" else context.playbook.languages
    first = next((code for code in order if code in asked), language)
    missing = tuple(code for code in order if code not in asked) if language == first else ()
    if chosen is not None:
        return replace(chosen, languages=(language, *missing))
    segment = rule.audience.rule.as_rule() if rule.audience.rule else None
    return Audience(rule.audience.name, rule.audience.lists, (language, *missing), segment)


def explain_fallback(context: DraftContext, language: str) -> tuple[tuple[str, str], ...]:
    """(language, sentence) for each other language whose readers get this mail: that it exists in this one only."""
    audience = audience_for(context, language)
    others = audience.languages[1:] if audience else ()
    words = [(code, read_words(context.templates, code)) for code in others]
    return tuple((code, each.text("only_in", language=each.name_language(language))) for code, each in words)
