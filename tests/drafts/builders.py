"""Items and contexts made by hand for the tests of this stage: fictional, and small enough to see through."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from pregon.drafts import DraftContext
from pregon.settings import AudienceConfig, MailRule, Network, Playbook, PlaylistRule, PostRule, load_settings
from pregon.types import Block, Call, Event, Item, Kind, Link, Section, Span, Video

ROOT = Path(__file__).resolve().parents[2]

CIRCULAR_TEXT = """Circulaire 12

Réseau des villes de marée
Portamar, le 4 mai 2026

Groupe de travail sur les digues : appel aux villes

Chers membres,

Le Réseau des villes de marée a adopté en 2025 un plan pour les digues basses. Trois villes l'ont essayé : elles ont
gagné 14 heures d'alerte par an.

LE PLAN

Le plan tient en deux points :

- mesurer la marée toutes les 10 minutes ;
- publier les mesures sur [la carte commune](https://carte.tidalcities.example/fr/?vue=digues#nord).

La suite est décrite dans [le guide des digues](#).

PARTICIPER

Les villes intéressées à rejoindre le groupe de travail (8 villes maximum) peuvent écrire au secrétariat : digues@tidalcities.example

Bien à vous,

Le Secrétariat
au nom de la Commission des digues

Twitter: https://twitter.com/tidalcities | @tidalcities
"""


def find(text: str, part: str) -> Span:
    """Where `part` stands in `text`; the test is wrong when it does not."""
    start = text.index(part)
    return start, start + len(part)


@lru_cache(maxsize=1)
def load_network() -> Network:
    return load_settings(ROOT, {}).network


@lru_cache(maxsize=1)
def load_templates() -> dict[str, str]:
    folder = ROOT / "templates"
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def build_playbook(**changes: object) -> Playbook:
    values: dict[str, object] = {
        "email": MailRule(audience=AudienceConfig(name="Members", lists=("members",))),
        "x": PostRule(),
        "youtube": PlaylistRule(playlists={"en": "PLtidal-en", "fr": "PLtidal-fr", "es": "PLtidal-es"}),
    }
    return Playbook(**{**values, **changes})


def build_context(**changes: object) -> DraftContext:
    context = DraftContext(
        network=load_network(),
        playbook=build_playbook(),
        templates=load_templates(),
        campaign="2026-circular-12",
        account="@tidalcities",
        youtube_channel="Tidal Cities Network",
    )
    return replace(context, **changes)


def build_circular(**changes: object) -> Item:
    text = CIRCULAR_TEXT
    call = (
        "Les villes intéressées à rejoindre le groupe de travail (8 villes maximum) peuvent écrire au secrétariat :"
        " digues@tidalcities.example"
    )
    first = (
        "Le Réseau des villes de marée a adopté en 2025 un plan pour les digues basses. Trois villes l'ont essayé :"
        " elles ont\ngagné 14 heures d'alerte par an."
    )
    entries = "mesurer la marée toutes les 10 minutes ;\npublier les mesures sur la carte commune."
    raw_list = text[text.index("- mesurer") : text.index("La suite")].strip()
    raw_guide = "La suite est décrite dans [le guide des digues](#)."
    item = Item(
        kind=Kind.CIRCULAR,
        language="fr",
        title="Groupe de travail sur les digues : appel aux villes",
        text=text,
        series="Réseau des villes de marée",
        number=12,
        year=2026,
        date=date(2026, 5, 4),
        place="Portamar",
        issuer="Le Secrétariat",
        on_behalf_of="la Commission des digues",
        salutation="Chers membres,",
        sections=(
            Section(None, (Block("paragraph", " ".join(first.split()), find(text, first)),)),
            Section(
                "LE PLAN",
                (
                    Block("paragraph", "Le plan tient en deux points :", find(text, "Le plan tient en deux points :")),
                    Block("list", entries, find(text, raw_list)),
                    Block("paragraph", "La suite est décrite dans le guide des digues.", find(text, raw_guide)),
                ),
            ),
            Section("PARTICIPER", (Block("paragraph", call, find(text, call)),)),
        ),
        calls=(Call(call, "digues@tidalcities.example", 8, None, find(text, call)),),
        contacts=("digues@tidalcities.example",),
        handles=("@tidalcities",),
        links=(
            Link(
                "la carte commune",
                "https://carte.tidalcities.example/fr/?vue=digues#nord",
                None,
                find(text, "[la carte commune](https://carte.tidalcities.example/fr/?vue=digues#nord)"),
            ),
            Link("le guide des digues", "#", "placeholder", find(text, "[le guide des digues](#)")),
            Link(
                "https://twitter.com/tidalcities",
                "https://twitter.com/tidalcities",
                "legacy",
                find(text, "https://twitter.com/tidalcities"),
            ),
        ),
        spans={
            "number": find(text, "12"),
            "date": find(text, "4 mai 2026"),
            "place": find(text, "Portamar"),
            "title": find(text, "Groupe de travail sur les digues : appel aux villes"),
        },
    )
    return replace(item, **changes)


def build_video_item() -> Item:
    text = "Nuestra red estrena un vídeo sobre las mareas vivas: https://www.youtube.com/watch?v=tidalVid001 el 3 de junio."
    url = "https://www.youtube.com/watch?v=tidalVid001"
    return Item(
        kind=Kind.VIDEO,
        language="es",
        title="Mareas vivas",
        text=text,
        sections=(Section(None, (Block("paragraph", text, (0, len(text))),)),),
        videos=(Video("tidalVid001", "Mareas vivas", url, find(text, url)),),
        links=(Link(url, url, None, find(text, url)),),
    )


def build_meeting() -> Item:
    text = (
        "Learning meeting on tide gates. The members meet on 12 October 2026, 14:30-16:30 (KST), in Busan."
        " Register by 25 September 2026 at https://tidalcities.example/en/meeting-busan."
    )
    where = find(text, "12 October 2026, 14:30-16:30 (KST), in Busan")
    url = "https://tidalcities.example/en/meeting-busan"
    return Item(
        kind=Kind.MEETING,
        language="en",
        title="Learning meeting on tide gates",
        text=text,
        sections=(Section(None, (Block("paragraph", text, (0, len(text))),)),),
        events=(
            Event(
                "Learning meeting on tide gates",
                "2026-10-12T14:30+09:00",
                "2026-10-12T16:30+09:00",
                "Busan",
                False,
                where,
            ),
        ),
        links=(Link(url, url, None, find(text, url)),),
    )
