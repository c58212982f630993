"""Campaign parameters on outgoing links: a closed vocabulary, lower case, never anything about a person.

Source of the names: the utm_* parameters that web analytics tools read. Changes no link that somebody signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from pregon.drafts.tokens import TOKENS

_PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_content")
# A parameter with one of these names means that somebody signed the address: any change breaks it.
_SIGNED = frozenset(
    {"signature", "sig", "token", "hash", "hmac", "expires", "key-pair-id", "policy", "se", "sp", "sv"}
    | {"x-amz-signature", "x-goog-signature"}
)
# Their own counters tell us about visits; our parameters would only make the link longer.
_PLATFORMS = ("x.com", "twitter.com", "youtube.com", "youtu.be")


@dataclass(frozen=True, slots=True)
class Campaign:
    """The four values: e.g. newsletter, email, 2018-circular-46, fr-button."""

    source: str
    medium: str
    campaign: str
    content: str


def is_taggable(url: str) -> bool:
    """Whether a link may carry our parameters: web links that nobody signed, outside the platforms we post on."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not host or any(token in url for token in TOKENS):
        return False
    names = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    is_platform = any(host == platform or host.endswith(f".{platform}") for platform in _PLATFORMS)
    return not names & _SIGNED and not is_platform


def tag_link(url: str, campaign: Campaign) -> str:
    """`url` with the campaign's parameters; its own query and fragment stay as written. Idempotent."""
    if not is_taggable(url):
        return url
    parts = urlsplit(untag_link(url))
    values = (campaign.source, campaign.medium, campaign.campaign, campaign.content)
    added = "&".join(
        f"{name}={quote(value.lower(), safe='-')}" for name, value in zip(_PARAMETERS, values, strict=True)
    )
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit(parts._replace(path=parts.path or "/", query=query))


def untag_link(url: str) -> str:
    """`url` without our parameters; everything else as written."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    kept = [pair for pair in parts.query.split("&") if pair.partition("=")[0] not in _PARAMETERS]
    return urlunsplit(parts._replace(query="&".join(kept)))
