"""What readers are asked to do, and by when: calls and deadlines in English, French and Spanish.

A call comes from a sentence that asks; its capacity, contact and deadline come from its own section or stay None.
"By the end of the year" is no deadline, and neither is a date that merely stands near a call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pregon.items.dates import FoundDate
from pregon.items.structure import Passage
from pregon.items.texts import NUMBER, clean_inline, fold, parse_number, sentence_spans, shorten
from pregon.types import Call, Deadline, Span

# All patterns run on folded text (lower case, no accents), whose length may differ from the raw sentence's.
_ASK = re.compile(
    r"(?:interessee?s? (?:a|par|pour|peuvent|sont)\b|(?:interested|willing) (?:\w+ ){0,3}?(?:in|to|can|may|should|are)\b|"
    r"interesad[oa]s? (?:en|pueden|deben|podran)\b).{0,200}?"
    r"(?:contact|ecri|envoy|write|send|register|escrib|envi|inscri|manifest|apply|express|dirig|repond|reply)|"
    r"(?:manifestation|expression|manifestacion)(?:es|s)? (?:d'interet|of interest|de interes)|"
    r"\bcall for (?!\w+ing\b)\w+|\bappel a (?:candidatures?|contributions?|projets?|participation|manifestation|temoignages?|pratiques)|"
    r"\b(?:pour (?:s'inscrire|participer|candidater|repondre)|to (?:register|apply|take part|participate|join)|para (?:inscribirse|participar|apuntarse)) ?[:,]|"
    r"\bconvocatoria (?:de|para|abierta)\b|"
    r"(?:are|is|be|cordially|you|cities|members) invited to\b|we invite (?:you|all|our|cities|members)|"
    r"(?:sont|etes) invite(?:e)?s? a\b|nous (?:vous )?invitons|(?:invitamos|se invita|quedan invitad[oa]s|estan invitad[oa]s)\b|"
    r"please (?:register|reply|answer|send|confirm|complete|fill|apply|contact|let us know|submit|write)|"
    r"(?:merci|priere|nous vous prions|vous etes pries?) de (?:\w+ ){0,2}?(?:inscrire|repondre|envoyer|confirmer|remplir|contacter|completer|ecrire|nous)|"
    r"(?:les rogamos|rogamos|por favor|se ruega),? (?:que )?(?:\w+ ){0,2}?(?:inscrib|respond|envi|confirm|complet|contact|rellen|escrib)|"
    r"(?<!nothing to )(?<!need to )(?<!not )\b(?:register|sign up|apply) (?:here|online|by|before|at|with|until|no later)\b|"
    r"(?:inscriptions? (?:obligatoire|ouverte|en ligne|avant|jusqu|sur|aupres)|inscrivez|candidatez|repondez|ecrivez|"
    r"inscripcion(?:es)? (?:abierta|obligatoria|antes|hasta|en linea)|inscribanse|inscribase|inscribete|escriban?|registration (?:is open|is required|form|closes|deadline))"
)
_PEOPLE = (
    r"(?:cities|city|towns?|places?|participants?|members?|projects?|municipalities|local governments|seats|people|teams|"
    r"villes?|collectivites|communes|membres|personnes|projets|candidatures|equipes|autorites locales|gouvernements locaux|"
    r"ciudades|municipios|plazas|participantes|miembros|personas|proyectos|gobiernos locales|equipos)"
)
_CAPACITY = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!\w)(?P<n>{NUMBER}) (?:\w+ )?{_PEOPLE}(?: \w+)? ?,?\(?(?:(?:au|como) )?(?:maximum|maximo|max\b|at (?:the )?most|au plus)",
        rf"(?:maximum|maximo|max\.?)(?: of| de)?:? (?P<n>{NUMBER}) (?:\w+ )?{_PEOPLE}",
        rf"(?:up to|at most|no more than|limited to|limite(?:e|es|s)? a|limitad[oa]s? a|jusqu'a|pas plus de|hasta|no mas de|only|solo|seulement) "
        rf"(?:the first |les |las |los )?(?P<n>{NUMBER}) (?:\w+ )?{_PEOPLE}",
        rf"(?:capacity|capacite|capacidad|places|plazas)(?: is| est| es)?(?: limited to| limite(?:e|es|s)? a| limitad[oa]s? a| of| de|:) ?(?P<n>{NUMBER})(?!\w)",
    )
)  # fmt: skip
_STRONG = re.compile(
    r"deadline|no later than|not later than|at the latest|closing date|closes on|due (?:date|by|on)|"
    r"date limite|dernier delai|au plus tard|date butoir|cloture des|delai (?:de|d')|"
    r"fecha limite|a mas tardar|plazo|fecha tope|cierre de"
)
_WEAK = re.compile(
    r"(?:\bby|\bbefore|\buntil|\btill|avant|jusqu'au|jusqu'a|d'ici|antes del?|hasta)(?: (?:the|le|el|au|del?|\w{5,9}),?){0,3}\s*$"
)
_ACT = re.compile(
    r"regist|apply|applic|submi|send|sent|repl|answer|confirm|complet|fill in|join|sign up|express|contact|respond|nominat|propos|"
    r"inscri|candidat|envoy|repond|particip|soumett|remplir|depos|adress|manifest|"
    r"envi|respon|present|rellen|remit|postul|solicit|escrib|write|ecri"
)


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call before its deadline and contact are looked up: the sentences that ask and limit."""

    spans: tuple[Span, ...]
    capacity: int | None
    section: Span


def find_deadlines(text: str, dates: Sequence[FoundDate], reference: date | None) -> tuple[Deadline, ...]:
    """Every date by which somebody must act. `reference` (the document's date) completes a missing year."""
    found: dict[date, Deadline] = {}
    for one in dates:
        span = _sentence_of(text, one.span)
        if not _is_deadline(text, span, one):
            continue
        day = one.resolve_last(reference) or one.resolve(reference)
        if day is not None and day not in found:
            found[day] = Deadline(day, shorten(clean_inline(text[slice(*span)]), 300), span)
    return tuple(sorted(found.values(), key=lambda deadline: deadline.date))


def find_calls(
    text: str,
    sections: Sequence[Sequence[Passage]],
    deadlines: Sequence[Deadline],
    contacts: Sequence[tuple[str, Span]],
) -> tuple[Call, ...]:
    """One call for each section that asks; `sections` are the passages under each heading."""
    found = [call for passages in sections if (call := _find_in(text, passages))]
    return tuple(_complete(text, call, deadlines, contacts, alone=len(found) == 1) for call in found)


def _find_in(text: str, passages: Sequence[Passage]) -> FoundCall | None:
    sentences = [
        span
        for passage in passages
        if passage.type != "heading"
        for span in sentence_spans(text, *passage.span)
        if span[1] - span[0] <= 1500
    ]
    folded = {span: fold(clean_inline(text[slice(*span)])) for span in sentences}
    asking = [span for span in sentences if _ASK.search(folded[span])]
    if not asking:
        return None
    limiting = [(span, size) for span in sentences if (size := find_capacity(folded[span])) is not None]
    reachable = [span for span in asking if "@" in folded[span] or "://" in folded[span]]
    spans = sorted({asking[0], *reachable[:1], *(span for span, _ in limiting[:1])})
    whole = (passages[0].span[0], passages[-1].span[1])
    return FoundCall(tuple(spans), limiting[0][1] if limiting else None, whole)


def find_capacity(folded: str) -> int | None:
    """The greatest number that can take part, of "10 villes maximum" or "up to fifteen cities"; None when not said."""
    for pattern in _CAPACITY:
        found = pattern.search(folded)
        if found:
            return parse_number(found["n"])
    return None


def _complete(
    text: str, call: FoundCall, deadlines: Sequence[Deadline], contacts: Sequence[tuple[str, Span]], *, alone: bool
) -> Call:
    near = [deadline for deadline in deadlines if _within(deadline.span, call.section)]
    labelled = [deadline for deadline in deadlines if alone and not _within(deadline.span, call.section)]
    by = next(iter(near or labelled), None)
    mailboxes = [address for address, span in contacts if _within(span, call.section)]
    shared = [address for address, _ in contacts] if alone and len(contacts) == 1 else []
    contact = next(iter(mailboxes or shared), None)
    words = " ".join(clean_inline(text[slice(*span)]).replace("\n", " ") for span in call.spans)
    return Call(words, contact, call.capacity, by.date if by else None, (call.spans[0][0], call.spans[-1][1]))


def _is_deadline(text: str, span: Span, one: FoundDate) -> bool:
    before = fold(text[max(span[0], one.span[0] - 60) : one.span[0]])
    sentence = fold(clean_inline(text[slice(*span)]))
    if _STRONG.search(sentence):
        return bool(_STRONG.search(before)) or bool(
            _STRONG.search(fold(text[one.span[1] : min(span[1], one.span[1] + 40)]))
        )
    return bool(_WEAK.search(before)) and bool(_ACT.search(sentence))


def _sentence_of(text: str, span: Span) -> Span:
    low, high = max(0, span[0] - 600), min(len(text), span[1] + 600)
    for start, end in sentence_spans(text, low, high):
        if start <= span[0] < end:
            return (start, max(end, span[1]))
    return span


def _within(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]
