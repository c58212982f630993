"""What is wrong with a draft before a person looks. Each finding has an id, a level, a sentence and a fix.

Errors stop approval. Judges the content that would leave; changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pregon.drafts.circumstances import check_circumstances
from pregon.drafts.context import DraftContext
from pregon.drafts.links import host_of, open_placeholders
from pregon.drafts.missing import is_missing
from pregon.drafts.names import find_untraced_names
from pregon.drafts.playlist_checks import check_playlists
from pregon.drafts.post_checks import check_thread
from pregon.drafts.shown import visible_texts
from pregon.drafts.tokens import UNSUBSCRIBE_URL
from pregon.drafts.topics import check_topic
from pregon.drafts.utm import untag_link
from pregon.types import Check, Content, Item, MailBody, PlaylistBody, ThreadBody, TopicBody

# Gmail cuts a mail's HTML at 102 KB, footer and unsubscribe link included; click tracking makes links longer.
CLIPPED_BYTES = 90_000
LARGE_BYTES = 70_000
SUBJECT_ROOM = 78
_HISTORICAL = re.compile(
    r"\b(formerly|former|previously|until|once|known as|ex|ancien\w*|anciennement|autrefois|jusqu|antes|antigu\w*|"
    r"hasta|conocid\w*|became|devenu\w*|convert\w*|replaces?|remplace|sustituye|now|désormais|ahora)\b",
    re.IGNORECASE,
)


def check_draft(
    content: Content,
    item: Item,
    context: DraftContext,
    untraced: tuple[str, ...],
    translated_by: str = "",
) -> tuple[Check, ...]:
    """The findings about a content, errors first. `untraced` are the facts that `trace_draft` found no source for.

    `translated_by` names the translator of a text that nobody has confirmed.
    """
    checks = [
        *_check_facts(untraced),
        *_check_names_of_others(content, item, context),
        *_check_missing(content),
        *_check_translation(translated_by),
        *_check_links(content, item, context),
        *_check_names(content, context),
        *_check_funding(content, item),
        *check_circumstances(content, item, context),
    ]
    if isinstance(content.body, MailBody):
        checks += _check_mail(content.body)
    if isinstance(content.body, ThreadBody):
        checks += check_thread(content.body, context, content.channel)
    if isinstance(content.body, TopicBody):
        checks += check_topic(content.body, content.language or "", context)
    if isinstance(content.body, PlaylistBody):
        checks += check_playlists(content.body, context)
    return tuple(sorted(checks, key=lambda check: check.level != "error"))


def _check_facts(untraced: tuple[str, ...]) -> Iterator[Check]:
    for fact in untraced:
        message = f"“{fact}” stands neither in the source nor in the configuration."
        yield Check("fact.untraced", "error", message, "Correct it to what the source says, or take it out.")


def _check_names_of_others(content: Content, item: Item, context: DraftContext) -> Iterator[Check]:
    if isinstance(content.body, PlaylistBody):
        return
    for name in find_untraced_names(content, item, context):
        message = f"“{name}” stands neither in the source nor in the configuration."
        yield Check("name.untraced", "warning", message, "Make sure that it is right and rightly spelt.")


def _check_missing(content: Content) -> Iterator[Check]:
    if any(is_missing(text) for text in visible_texts(content)):
        message = "The source has no text in this language; a part of the draft is still a mark."
        yield Check("text.missing", "error", message, "Write or translate the marked parts.")


def _check_translation(translator: str) -> Iterator[Check]:
    if translator:
        message = f"{translator} translated this text, and nobody has confirmed it."
        fix = "Read it beside the source, correct it, and confirm the translation."
        yield Check("text.unconfirmed", "error", message, fix)


def _check_mail(body: MailBody) -> Iterator[Check]:
    size = len(body.html.encode())
    if size > LARGE_BYTES:
        level = "error" if size > CLIPPED_BYTES else "warning"
        message = f"The mail's HTML is {size // 1000} KB; mailboxes cut it at 102 KB, and the unsubscribe link with it."
        yield Check("email.clipped", level, message, "Shorten the sections, or link to the full text.")
    if UNSUBSCRIBE_URL not in body.html or UNSUBSCRIBE_URL not in body.text:
        message = "The mail has no unsubscribe link."
        yield Check("email.no-unsubscribe", "error", message, "Put unsubscribe_url back into both templates.")
    if not body.subject.strip():
        yield Check("text.empty", "error", "The mail has no subject.", "Write a subject.")
    if len(body.subject) > SUBJECT_ROOM:
        message = f"The subject has {len(body.subject)} characters; most inboxes show fewer than {SUBJECT_ROOM}."
        yield Check("subject.long", "warning", message, "Shorten it to the part that tells readers what it is about.")


def _check_links(content: Content, item: Item, context: DraftContext) -> Iterator[Check]:
    shown = _join_spaces(" ".join(visible_texts(content)))
    for link in open_placeholders(item, context):
        label = _join_spaces(link.text)
        if label in shown:
            message = f"In the source the link “{label}” leads nowhere; here it is plain text."
            yield Check("link.placeholder", "error", message, "Give its address, or “-” to leave it as plain text.")
    for url in dict.fromkeys(untag_link(url) for url in re.findall(r"https?://[^\s<>\"]+", shown)):
        host = host_of(url)
        if host in context.network.legacy_hosts:
            successor = context.network.legacy_hosts[host]
            message = f"{url} is on {host}, which is no longer kept."
            yield Check("link.legacy", "error", message, f"Find the page on {successor}, or take the link out.")
        elif url.startswith("http://"):
            message = f"{url} is not encrypted."
            yield Check("link.insecure", "warning", message, "Try the same address with https.")


def _check_names(content: Content, context: DraftContext) -> Iterator[Check]:
    shown = _join_spaces(" ".join(visible_texts(content)))
    for name in context.network.former_names:
        for match in re.finditer(re.escape(name), shown, re.IGNORECASE):
            if not _HISTORICAL.search(shown[max(0, match.start() - 60) : match.end() + 60]):
                message = f"“{name}” is a former name and reads here as a current one."
                yield Check(
                    "name.former", "warning", message, "Use the current name, or say that it is the former one."
                )
                break


def _check_funding(content: Content, item: Item) -> Iterator[Check]:
    """A funder's notice goes with everything that is said of the work; in a post it is the officer's choice where."""
    notice = _join_spaces((item.study.funding_notice if item.study else None) or "")
    if not notice or content.language != item.language or isinstance(content.body, PlaylistBody):
        return
    if notice not in _join_spaces(" ".join(visible_texts(content))):
        level = "error" if isinstance(content.body, MailBody) else "warning"
        yield Check("funding.missing", level, "The funding notice of the source is missing.", "Put the notice back in.")


def _join_spaces(text: str) -> str:
    return " ".join(text.split())
