"""The words of the readers' own pages, in the languages that mails are written in."""

from __future__ import annotations

WORDS = {
    "en": {
        "title": "Unsubscribe",
        "ask": "Stop receiving mails from {network}?",
        "button": "Unsubscribe",
        "note": "It takes effect at once.",
        "done_title": "You are unsubscribed",
        "done": "{network} will send you no more mails.",
    },
    "fr": {
        "title": "Se désabonner",
        "ask": "Ne plus recevoir les courriels de {network} ?",
        "button": "Me désabonner",
        "note": "Le désabonnement prend effet immédiatement.",
        "done_title": "Vous êtes désabonné·e",
        "done": "{network} ne vous enverra plus de courriels.",
    },
    "es": {
        "title": "Darse de baja",
        "ask": "¿Dejar de recibir los correos de {network}?",
        "button": "Darme de baja",
        "note": "La baja es inmediata.",
        "done_title": "Se ha dado de baja",
        "done": "{network} no le enviará más correos.",
    },
}
BAD_LINK = "This link is incomplete or was changed; use the whole link from the mail."
