"""Fill drafts in a language that the source does not have, through the configured translator. Off without one."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping

from pregon.drafts import (
    DraftContext,
    compose_fields,
    list_texts,
    mark_translated,
    needs_translation,
    propose,
    translate_item,
)
from pregon.errors import TranslationError
from pregon.pipeline.protocols import Translator
from pregon.types import Item, PlaylistFields, Proposal

_log = logging.getLogger(__name__)
_MOST_KEPT = 5_000
_Key = tuple[str, str, str]


class Translating:
    """Proposals with marks -> proposals with a translation that a person must confirm. A failure leaves the marks."""

    def __init__(self, translator: Translator | None = None) -> None:
        self._translator = translator
        # What is composed anew, for an answered question say, is not translated and paid for again.
        self._kept: OrderedDict[_Key, str] = OrderedDict()

    def fill(self, item: Item, context: DraftContext, proposals: tuple[Proposal, ...]) -> tuple[Proposal, ...]:
        """The proposals, those with marks composed from the translated source."""
        if self._translator is None or item.language is None:
            return proposals
        return tuple(self._fill(item, context, p) if needs_translation(p) else p for p in proposals)

    def _fill(self, item: Item, context: DraftContext, proposal: Proposal) -> Proposal:
        language = proposal.language or ""
        try:
            translations = self._translate(list_texts(item), item.language or "", language)
        except TranslationError as error:
            _log.warning("not translated: %s", error)
            return proposal
        fields = compose_fields(proposal.channel, translate_item(item, language, translations), language, context)
        if isinstance(fields, PlaylistFields) or self._translator is None:
            return proposal
        marked = mark_translated(fields, self._translator.name)
        return propose(proposal.channel, language, marked, item, context)

    def _translate(self, texts: tuple[str, ...], source: str, target: str) -> Mapping[str, str]:
        missing = [text for text in texts if (source, target, text) not in self._kept]
        if missing and self._translator is not None:
            for text, translated in zip(missing, self._translator.translate(missing, source, target), strict=True):
                self._kept[source, target, text] = translated
        found = {text: self._kept[source, target, text] for text in texts}
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found
