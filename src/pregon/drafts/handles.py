"""Whom a post may name by handle: our own account, and partners who agreed to it (`partners` in network.yaml).

Everybody else is written as a plain name, without the @ that would notify them and put their name to our post.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pregon.drafts.context import DraftContext
from pregon.settings import Partner
from pregon.types import ChannelName, Item, Trace

HANDLE = re.compile(r"(?<![\w@./-])@\w{2,30}")
WITHOUT_CONSENT = "source, without the handle: no agreement"


def write_handles(text: str, context: DraftContext) -> str:
    """The text with the handles of those who did not agree as plain names: the partner's, else the handle's own."""
    return HANDLE.sub(lambda match: match[0] if is_agreed(match[0], context) else plain_name(match[0], context), text)


def is_agreed(handle: str, context: DraftContext) -> bool:
    """Whether this handle may stand in a post: our own account's, or that of a partner who agreed by today."""
    if handle.casefold() == context.account.casefold():
        return True
    partner = _find_partner(handle, context)
    if partner is None or partner.agreed_on is None:
        return False
    return context.today is None or partner.agreed_on <= context.today


def plain_name(handle: str, context: DraftContext) -> str:
    """How somebody is named who did not agree."""
    partner = _find_partner(handle, context)
    return partner.name if partner else handle.removeprefix("@")


def find_unagreed(text: str, context: DraftContext) -> tuple[str, ...]:
    """The handles in a text that may not stand there, each once."""
    return tuple(dict.fromkeys(handle for handle in HANDLE.findall(text) if not is_agreed(handle, context)))


def list_agreed(context: DraftContext) -> Iterator[tuple[str, str]]:
    """(handle, name) of every partner who agreed."""
    for partner in context.network.partners:
        handle = partner.handles.get(ChannelName.X.value, "")
        if handle and is_agreed(handle, context):
            yield handle, partner.name


def trace_names(text: str, item: Item, context: DraftContext) -> Iterator[Trace]:
    """Where each plain name stands in the source as a handle."""
    for match in HANDLE.finditer(item.text):
        if not is_agreed(match[0], context) and plain_name(match[0], context) in text:
            yield Trace(plain_name(match[0], context), match.span(), WITHOUT_CONSENT)


def _find_partner(handle: str, context: DraftContext) -> Partner | None:
    wanted = handle.casefold().removeprefix("@")
    for partner in context.network.partners:
        if partner.handles.get(ChannelName.X.value, "").casefold().removeprefix("@") == wanted:
            return partner
    return None
