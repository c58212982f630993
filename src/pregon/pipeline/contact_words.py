"""What people write into spreadsheets of contacts, in English, French, Spanish and German: headers, answers, languages.

Pure words: nothing is read or stored here. Everything is compared folded: lower case, no accents, blanks or signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from babel import Locale

from pregon.types import Consent, ContactState

HEADERS: Mapping[str, str] = {
    "address": "email mail emailaddress mailaddress address courriel adressemail adresseemail adressecourriel "
    "adresseelectronique correo correoelectronico direcciondecorreo direccionemail mailadresse emailadresse",
    "name": "name fullname displayname contact contactname nomcomplet nometprenom nombrecompleto nombreyapellidos "
    "vollstandigername",
    "first": "firstname givenname forename prenom nombredepila vorname",
    "last": "lastname surname familyname nomdefamille apellido apellidos nachname familienname",
    "language": "language lang locale preferredlanguage langue idioma lengua sprache",
    "city": "city town municipality ville commune ciudad municipio localidad stadt ort",
    "country": "country countryname countrycode pays pais land",
    "organisation": "organisation organization organisationname company institution entity employer organisme structure "
    "societe entreprise organizacion institucion entidad empresa firma einrichtung",
    "lists": "list lists tag tags group groups audience segment liste listes etiquette etiquettes groupe groupes lista "
    "listas etiqueta etiquetas grupo grupos listen gruppe gruppen",
    "state": "status state statut etat estado consent mailconsent consenttomail consentmail optin subscribed consentement "
    "consentementcourriel abonne consentimiento consentimientocorreo suscrito einwilligung abonniert",
    "opens": "opentracking opens consenttoopens openconsent consentopens opentrackingconsent suividesouvertures "
    "consentementouvertures seguimientodeaperturas consentimientoaperturas offnungen",
    "clicks": "clicktracking clicks consenttoclicks clickconsent consentclicks clicktrackingconsent suividesclics "
    "consentementclics seguimientodeclics consentimientoclics klicks",
    "at": "consentdate consentat dateofconsent consenttime optindate optintime confirmedat subscribedat dateconsentement "
    "dateduconsentement fechaconsentimiento fechadeconsentimiento einwilligungsdatum",
    "how": "consentsource sourceofconsent consenthow source optinsource origine sourceduconsentement origen "
    "origendelconsentimiento herkunft",
    "text": "consenttext textofconsent consentwording texteduconsentement texteconsentement textodelconsentimiento "
    "textoconsentimiento einwilligungstext",
}
_MEANINGS = {word: meaning for meaning, words in HEADERS.items() for word in words.split()}
# One word means a whole name, or one half of it when another column holds the other half.
_HALVES = {"nom": ("name", "last"), "name": ("name", "last"), "nombre": ("name", "first")}
_YES = (
    "yes y true 1 x granted given agreed accepted optin in oui vrai accorde accepte si verdadero concedido aceptado ja wahr "
    "erteilt"
)
_NO = "no n false 0 denied refused withdrawn optout out non faux refuse falso denegado rechazado nein falsch verweigert"
_UNKNOWN = "unknown na inconnu desconocido unbekannt"
_SUBSCRIBED = "subscribed active confirmed enabled abonne abonnee inscrit inscrite actif suscrito suscrita activo alta abonniert aktiv"
_PENDING = "pending unconfirmed waiting enattente nonconfirme pendiente sinconfirmar ausstehend"
_UNSUBSCRIBED = (
    "unsubscribed inactive removed optedout cleaned desabonne desabonnee desinscrit desinscrite inactif baja dadodebaja "
    "inactivo abgemeldet inaktiv"
)
_ANSWERS = {
    **dict.fromkeys(_YES.split(), Consent.GRANTED),
    **dict.fromkeys(_NO.split(), Consent.DENIED),
    **dict.fromkeys(_UNKNOWN.split(), Consent.UNKNOWN),
}
_STATES = {
    **dict.fromkeys((_YES + " " + _SUBSCRIBED).split(), ContactState.SUBSCRIBED),
    **dict.fromkeys((_UNKNOWN + " " + _PENDING).split(), ContactState.PENDING),
    **dict.fromkeys((_NO + " " + _UNSUBSCRIBED).split(), ContactState.UNSUBSCRIBED),
}
_NAMING = ("en", "fr", "es", "de", "pt", "it", "eu", "ca")


def fold(text: str) -> str:
    """Lower case without accents, blanks and signs: `Adresse e-mail` -> `adresseemail`."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", text.casefold()))


def read_header(header: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Which columns hold what: meaning -> places. A name may stand in two, and so may whether somebody agreed to mails.

    Of every other meaning the first column wins.
    """
    folded = [fold(title) for title in header]
    has_half = any(_MEANINGS.get(word) in ("first", "last") for word in folded)
    found: dict[str, tuple[int, ...]] = {}
    for place, word in enumerate(folded):
        whole, half = _HALVES.get(word, (_MEANINGS.get(word), _MEANINGS.get(word)))
        meaning = half if has_half else whole
        if meaning == "state":
            found[meaning] = (*found.get(meaning, ()), place)
        elif meaning:
            found.setdefault(meaning, (place,))
    halves = found.pop("first", ()) + found.pop("last", ())
    if halves and "name" not in found:
        found["name"] = halves
    return found


@lru_cache(maxsize=4096)
def read_answer(text: str) -> Consent | None:
    """A person's answer on being tracked; blank is unknown, None what is no answer."""
    return _ANSWERS.get(fold(text)) if text.strip() else Consent.UNKNOWN


@lru_cache(maxsize=4096)
def read_state(text: str) -> ContactState | None:
    """Whether somebody agreed to be written to, from a status or a yes; None what is neither."""
    return _STATES.get(fold(text))


def find_strictest(texts: Sequence[str]) -> str:
    """Which of several columns counts when they say whether one person agreed: one that cannot be read, else a no."""
    order = (None, ContactState.UNSUBSCRIBED, ContactState.PENDING, ContactState.SUBSCRIBED)
    return min((text for text in texts if text), key=lambda text: order.index(read_state(text)), default="")


@lru_cache(maxsize=4096)
def read_language(text: str, languages: tuple[str, ...]) -> str | None:
    """One of these languages from a code (`fr`, `fr-CA`) or a name in a usual language; None when it is another."""
    code = re.split(r"[-_]", text.strip().casefold())[0]
    if code in languages:
        return code
    return _language_names(languages).get(fold(text))


@lru_cache(maxsize=8)
def _language_names(languages: tuple[str, ...]) -> dict[str, str]:
    names = {}
    for code in languages:
        for naming in (code, *_NAMING):
            name = Locale.parse(code).get_language_name(naming)
            if name:
                names[fold(name)] = code
    return names


@lru_cache(maxsize=4096)
def read_lists(text: str) -> tuple[str, ...]:
    """The names in a cell, separated by a semicolon, a comma or a bar."""
    return tuple(sorted({" ".join(name.split()) for name in re.split(r"[;,|]", text) if name.strip()}))
