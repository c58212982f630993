"""Small words of the pages: events of hooks, browsers, providers, what a line of the log is about. Pure."""

from __future__ import annotations

import re

from pregon.web.language import say_sentence, translate
from pregon.web.wording import channel_name

_DRAFT = re.compile(r"draft (\d{1,18})")
_SEAL = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_PROVIDERS = {
    "sendgrid": "SendGrid",
    "smtp": "SMTP",
    "x": "X",
    "youtube": "YouTube",
    "mastodon": "Mastodon",
    "bluesky": "Bluesky",
    "discourse": "Discourse",
}
# The first that is found counts: each browser names the ones that it wants to be taken for as well.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def label_event(event: str) -> str:
    """What has to happen for a hook to be told: campaign.opened -> "A campaign is opened"; an unknown one as it is."""
    labels = {
        "campaign.opened": translate("A campaign is opened"),
        "draft.approved": translate("A draft is approved"),
        "draft.withdrawn": translate("An approval is withdrawn"),
        "campaign.sent": translate("A campaign has gone out"),
        "delivery.held": translate("A delivery waits for a person"),
        "delivery.unknown": translate("Nobody knows whether something went out"),
        "source.failing": translate("A source fails"),
        "hook.test": translate("A test"),
    }
    return labels.get(event, event)


def name_browser(agent: str) -> str:
    """A browser and its system, as people call them, from what it calls itself (User-Agent)."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    if browser and system:
        return translate("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or agent[:60] or translate("An unknown browser")


def name_provider(provider: str) -> str:
    """What a provider calls itself."""
    return _PROVIDERS.get(provider, provider)


def read_draft_number(subject: str) -> int | None:
    """The draft that a line of the log is about."""
    found = _DRAFT.fullmatch(subject)
    return int(found[1]) if found else None


def say_subject(subject: str, action: str) -> str:
    """What a line of the log is about; an "email" that is paused or resumed is the channel."""
    return channel_name(subject) if action in ("pause", "resume") else say_sentence(subject)


def shorten_seals(text: str) -> str:
    """A text with the first twelve signs of each digest; the downloads have them whole."""
    return _SEAL.sub("\\1…", text)


FILTERS = {
    "event_label": label_event,
    "browser": name_browser,
    "provider": name_provider,
    "draft_number": read_draft_number,
    "subject": say_subject,
    "short_seals": shorten_seals,
}
