"""An item and its playbook to proposals: one for each channel and language, rendered, digested, checked, traced."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pregon.drafts.checks import check_draft
from pregon.drafts.context import DraftContext
from pregon.drafts.encoding import digest_content
from pregon.drafts.newsletter import compose_mail, write_calendar
from pregon.drafts.playlists import compose_playlists
from pregon.drafts.post_rules import POST_CHANNELS
from pregon.drafts.posts import compose_post
from pregon.drafts.render import render_content
from pregon.drafts.topics import compose_topic
from pregon.drafts.trace import trace_draft
from pregon.types import ChannelName, Fields, Item, MailFields, PlaylistFields, Proposal


def compose_drafts(item: Item, context: DraftContext, asked: tuple[str, ...] | None = None) -> tuple[Proposal, ...]:
    """Every draft that the playbook asks for, by channel and then language; with `asked`, in these languages only.

    A playlist plan has no language when there is nothing to do. Raises RenderError when a template fails.
    """
    proposals: list[Proposal] = []
    for channel in context.playbook.channels():
        languages = context.draft_languages(item) if asked is None else asked
        if channel is ChannelName.YOUTUBE:
            languages = (item.language or languages[0],) if languages else ()
        for language in languages:
            fields = compose_fields(channel, item, language, context)
            is_idle = isinstance(fields, PlaylistFields) and not fields.operations
            proposals.append(propose(channel, None if is_idle else language, fields, item, context))
    return tuple(proposals)


def compose_fields(channel: ChannelName, item: Item, language: str, context: DraftContext) -> Fields:
    """The fields of one draft as composed from the item."""
    if channel is ChannelName.EMAIL:
        return compose_mail(item, language, context)
    if channel is ChannelName.DISCOURSE:
        return compose_topic(item, language, context)
    if channel in POST_CHANNELS:
        return compose_post(item, language, context, channel)
    return compose_playlists(item, language, context)


def propose(
    channel: ChannelName,
    language: str | None,
    fields: Fields,
    item: Item,
    context: DraftContext,
    *,
    send_at: datetime | None = None,
) -> Proposal:
    """Composed or edited fields, rendered and judged: officers' edits come through here too."""
    if isinstance(fields, MailFields) and language:
        # No form shows the calendar: it follows the item, whatever an officer edits.
        fields = replace(fields, calendar=write_calendar(item, language, context))
    content = render_content(channel, language, fields, context, send_at=send_at)
    trace, untraced = trace_draft(content, item, context)
    checks = check_draft(content, item, context, untraced, _translator(fields))
    return Proposal(channel, language, fields, content, digest_content(content), checks, trace)


def _translator(fields: Fields) -> str:
    return "" if isinstance(fields, PlaylistFields) else fields.translated_by
